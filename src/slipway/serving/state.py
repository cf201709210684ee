"""What a front serves at this moment."""

from dataclasses import dataclass, field
from urllib.parse import quote

from slipway.serving.counters import Counters, Part
from slipway.serving.keys import KeyRing
from slipway.serving.narrow import Narrow
from slipway.serving.sink import Sink
from slipway.serving.values import Values
from slipway.serving.wire import Failure, Generation, Second


@dataclass(frozen=True)
class Served:
    """A generation, ready to answer. narrow: None when only the backs answer, and then why_not says why.

    values: what is known of the values of its columns.
    """

    generation: Generation
    narrow: Narrow | None
    why_not: str
    headers: bytes
    part: Part
    values: Values


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


def prepare(generation: Generation, counters: Counters, row: int, max_rows: int) -> Served:
    """Make a generation ready to answer its first request as fast as any. Takes long: not to be done between two requests."""
    why_not, narrow = generation.why_not, None
    try:
        narrow = Narrow(generation, max_rows)
        if generation.signature.example:
            narrow.answer(generation.signature.example.encode())
    except ValueError as error:
        why_not = why_not or str(error)
    lines = f"x-slipway-model: {quote(generation.model)}\r\nx-slipway-version: {generation.version}\r\n"
    values = narrow.values if narrow else Values(generation.signature.inputs)
    return Served(generation, narrow, why_not, lines.encode(), Part(counters, row, generation.model), values)
