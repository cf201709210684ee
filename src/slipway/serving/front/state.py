"""The state of a front at this moment."""

from dataclasses import dataclass, field

from slipway.serving.counters.models import Counters
from slipway.serving.front.api_keys import KeyRing
from slipway.serving.front.capture import Sink
from slipway.serving.inference.models import Served
from slipway.serving.ipc.messages import Failure, Second


@dataclass
class State:
    """What is served by name of the model, what did not take over, and who may ask. Changes only between two requests.

    second: the second version of the one model; None for none. about_second: what became of it.
    sink: where what was answered is handed over to be kept; None where nothing is.
    """

    counters: Counters
    row: int
    keys: KeyRing
    served: dict[str, Served] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    second: Served | None = None
    about_second: Second | None = None
    sink: Sink | None = None
