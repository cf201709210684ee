"""The models that a process has ready to answer."""

from dataclasses import dataclass, field
from urllib.parse import quote

from slipway.serving.contract import Generation
from slipway.serving.counters.models import Counters, ModelCounters
from slipway.serving.protocol.fast_path import FastPath
from slipway.serving.protocol.values import Values


@dataclass(frozen=True)
class ServedModel:
    """A generation that is ready to answer.

    Attributes:
        generation: The version that is served.
        fast_path: Answers from the plan; None when only the backs answer.
        why_not: The reason why `fast_path` is None; "" where there is a fast path.
        headers: The header lines that name the model and the version.
        part: The counters of this model.
        values: Knows the values that each column may have.
    """

    generation: Generation
    fast_path: FastPath | None
    why_not: str
    headers: bytes
    part: ModelCounters
    values: Values


@dataclass
class ServedModels:
    """The models that a process serves, by name. ServedModels change only between two requests.

    Attributes:
        counters: The shared counters of the endpoint.
        row: The row of this process in the counters.
        served: The models by their name.
    """

    counters: Counters
    row: int
    served: dict[str, ServedModel] = field(default_factory=dict)


def prepare(generation: Generation, counters: Counters, row: int, max_rows: int) -> ServedModel:
    """Make a generation ready to answer its first request as fast as any later one.

    `prepare` takes long, so call it in a thread and not between two requests.

    Args:
        generation: The version that is to be served.
        counters: The shared counters of the endpoint.
        row: The row of this process in the counters.
        max_rows: The number of rows that a request may hold.
    """
    why_not, fast_path = generation.why_not, None
    try:
        fast_path = FastPath(generation, max_rows)
        if generation.signature.example:
            fast_path.answer(generation.signature.example.encode())
    except ValueError as error:
        why_not = why_not or str(error)
    lines = f"x-slipway-model: {quote(generation.model)}\r\nx-slipway-version: {generation.version}\r\n"
    values = fast_path.values if fast_path else Values(generation.signature.inputs)
    return ServedModel(
        generation, fast_path, why_not, lines.encode(), ModelCounters(counters, row, generation.model), values
    )
