"""The state of a front at this moment."""

from dataclasses import dataclass, field

from slipway.serving.counters.models import Counters
from slipway.serving.front.api_keys import KeyRing
from slipway.serving.front.capture import CaptureClient
from slipway.serving.inference.models import ServedModel
from slipway.serving.ipc.messages import TakeoverFailure, VariantReport


@dataclass
class FrontState:
    """What is served by name of the model, what did not take over, and who may ask. Changes only between two requests.

    second: the second version of the one model; None for none. about_second: what became of it.
    sink: where what was answered is handed over to be kept; None where nothing is.
    """

    counters: Counters
    row: int
    keys: KeyRing
    served: dict[str, ServedModel] = field(default_factory=dict)
    failures: dict[str, TakeoverFailure] = field(default_factory=dict)
    variant: ServedModel | None = None
    about_variant: VariantReport | None = None
    capture_client: CaptureClient | None = None
