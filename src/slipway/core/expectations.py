"""Values that a data contract expects of a column, as a version carries them, and unexpected values of a request."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

from slipway.core.values import EXACT

METADATA = "slipway.contract"
"""The key of an MLmodel file's metadata that holds the expectations by column, as JSON: JSON is read faster than YAML."""

DIALECT = "slipway.dialect"
"""The key of an MLmodel file's metadata that holds the dialect of the CSV files that the version was trained from, as JSON."""

_MOST_LISTED, _MOST_SHOWN = 12, 60


class Unexpected(IntEnum):
    """The way in which a value is unexpected."""

    NULL = 0
    OUT_OF_BOUNDS = 1
    UNKNOWN = 2


@dataclass(frozen=True)
class Expectation:
    """The values that are expected of a column; type and missing values are the signature's matter.

    Attributes:
        low: The smallest allowed value; a time is a text as `time_of` writes it.
        high: The largest allowed value, in the same form.
        values: Every value that may occur, as numbers or texts.
        known: The categories that a model has learned from, where the contract lists no values. Another category is unknown,
            and allowed.
    """

    low: float | str | None = None
    high: float | str | None = None
    values: tuple[float | str, ...] | None = None
    known: tuple[str, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the Expectation as plain values for `read_expectations`, without the fields that are None."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
            if value is not None
        }


@dataclass(frozen=True)
class Find:
    """The values of one column of a request that are unexpected in the same way.

    Attributes:
        column: The place of the column in the signature.
        kind: The way in which the values are unexpected.
        count: The number of unexpected values.
        row: The row of the first unexpected value.
        found: The first unexpected value, as a message shows it.
    """

    column: int
    kind: Unexpected
    count: int
    row: int
    found: str


def read_expectations(metadata: Mapping[str, Any] | None) -> dict[str, Expectation]:
    """Return the Expectations by column from the metadata of an MLmodel file; an empty dict where the metadata have none."""
    by_column = json.loads((metadata or {}).get(METADATA) or "{}")
    return {name: _expectation(fields) for name, fields in by_column.items()}


def _expectation(fields: Mapping[str, Any]) -> Expectation:
    lists = {key: tuple(fields[key]) if key in fields else None for key in ("values", "known")}
    return Expectation(fields.get("low"), fields.get("high"), **lists)


def shown(value: object) -> str:
    """Return a value as a message shows it, cut off where it is long."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        value = int(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def breach(name: str, expectation: Expectation, find: Find) -> str | None:
    """Say how a Find breaks the contract and what is allowed; None for a category that the contract leaves open."""
    if find.kind is Unexpected.UNKNOWN and expectation.values is None:
        return None
    more = f" (and {find.count - 1} more of its values)" if find.count > 1 else ""
    return f"row {find.row}, column '{name}': {find.found}{more}, where the contract allows {_allowed(expectation, find.kind)}"


def _allowed(expectation: Expectation, kind: Unexpected) -> str:
    if kind is Unexpected.NULL:
        return "no missing value"
    return bounds_in_words(expectation) if kind is Unexpected.OUT_OF_BOUNDS else _listed(expectation.values or ())


def bounds_in_words(expectation: Expectation) -> str:
    """Return words for the bounds of an Expectation; empty without any."""
    if expectation.low is None and expectation.high is None:
        return ""
    if expectation.low is None or expectation.high is None:
        return f"at most {_word(expectation.high)}" if expectation.low is None else f"at least {_word(expectation.low)}"
    return f"{_word(expectation.low)} to {_word(expectation.high)}"


def _word(value: object) -> str:
    return value.removesuffix(".000000") if isinstance(value, str) else shown(value)


def _listed(values: Sequence[float | str]) -> str:
    words = [value if isinstance(value, str) else shown(value) for value in values[:_MOST_LISTED]]
    more = f" and {len(values) - _MOST_LISTED} more" if len(values) > _MOST_LISTED else ""
    return ", ".join(words) + more
