"""Models that are ready to answer."""

from dataclasses import dataclass, field
from urllib.parse import quote

from slipway.serving.contract import Generation
from slipway.serving.counters.models import Counters, ModelCounters
from slipway.serving.protocol.fast_path import FastPath
from slipway.serving.protocol.values import Values


@dataclass(frozen=True)
class ServedModel:
    """A generation, ready to answer. fast_path: None when only the backs answer, and then why_not says why.

    values: knows the values that each column may have.
    """

    generation: Generation
    fast_path: FastPath | None
    why_not: str
    headers: bytes
    part: ModelCounters
    values: Values


@dataclass
class ServedModels:
    """The models that a process answers for, by name, and its row in the counters. Changes only between two requests."""

    counters: Counters
    row: int
    served: dict[str, ServedModel] = field(default_factory=dict)


def prepare(generation: Generation, counters: Counters, row: int, max_rows: int) -> ServedModel:
    """Make a generation ready to answer its first request as fast as any. Takes long: not to be done between two requests."""
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
