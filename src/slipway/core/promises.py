"""What a data contract promises of the values of a column, as a version carries it; and the values that keep it not."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

from slipway.core.values import EXACT

METADATA = "slipway.contract"
"""Under this key of an MLmodel file's metadata stand the promises, by column: as JSON, which is read faster than YAML."""

_MOST_LISTED, _MOST_SHOWN = 12, 60


class Kind(IntEnum):
    """How a value is unexpected."""

    NULL = 0
    OUT_OF_BOUNDS = 1
    UNKNOWN = 2


@dataclass(frozen=True)
class Promise:
    """What is promised of a column beside its type and whether it may be missing.

    low, high: both allowed; of a time as `time_of` writes it. values: all that may occur, numbers or texts.
    known: the categories that a model has learned from, where the contract lists none: another one is unknown, and allowed.
    """

    low: float | str | None = None
    high: float | str | None = None
    values: tuple[float | str, ...] | None = None
    known: tuple[str, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The promise as plain values for `read_promises`, without what is not promised."""
        return {
            key: list(said) if isinstance(said, tuple) else said
            for key, said in asdict(self).items()
            if said is not None
        }


@dataclass(frozen=True)
class Find:
    """Values of a request that are unexpected in one way. column: its place in the signature. row, found: of the first one."""

    column: int
    kind: Kind
    count: int
    row: int
    found: str


def read_promises(metadata: Mapping[str, Any] | None) -> dict[str, Promise]:
    """Return the promises, by column, that the metadata of an MLmodel file hold; none where a version was made without."""
    said = json.loads((metadata or {}).get(METADATA) or "{}")
    return {name: _promise(promise) for name, promise in said.items()}


def _promise(said: Mapping[str, Any]) -> Promise:
    lists = {key: tuple(said[key]) if key in said else None for key in ("values", "known")}
    return Promise(said.get("low"), said.get("high"), **lists)


def shown(value: object) -> str:
    """Return a value as a message names it, cut off where it is long."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        value = int(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def breach(name: str, promise: Promise, find: Find) -> str | None:
    """Return how a find breaks the contract, with what is allowed; None for a category that the contract leaves open."""
    if find.kind is Kind.UNKNOWN and promise.values is None:
        return None
    more = f" (and {find.count - 1} more of its values)" if find.count > 1 else ""
    return (
        f"row {find.row}, column '{name}': {find.found}{more}, where the contract allows {_allowed(promise, find.kind)}"
    )


def _allowed(promise: Promise, kind: Kind) -> str:
    if kind is Kind.NULL:
        return "no missing value"
    return _range(promise) if kind is Kind.OUT_OF_BOUNDS else _listed(promise.values or ())


def _range(promise: Promise) -> str:
    if promise.low is None or promise.high is None:
        return f"at most {_word(promise.high)}" if promise.low is None else f"at least {_word(promise.low)}"
    return f"{_word(promise.low)} to {_word(promise.high)}"


def _word(value: object) -> str:
    return value.removesuffix(".000000") if isinstance(value, str) else shown(value)


def _listed(values: Sequence[float | str]) -> str:
    words = [value if isinstance(value, str) else shown(value) for value in values[:_MOST_LISTED]]
    more = f" and {len(values) - _MOST_LISTED} more" if len(values) > _MOST_LISTED else ""
    return ", ".join(words) + more
