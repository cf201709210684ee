"""Arrow columns of a signature's types from values of any kind; values of another type are set apart."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from slipway.core.casts import to_time

TYPES: dict[str, Any] = {
    "double": pa.float64(),
    "float": pa.float64(),  # wide enough for what was sent
    "long": pa.int64(),
    "integer": pa.int32(),
    "boolean": pa.bool_(),
    "string": pa.string(),
    "datetime": pa.timestamp("us"),
    "binary": pa.binary(),
}
"""Arrow types by MLflow's name. An input of another type has no column of its own."""

_WHOLE = ("long", "integer")
_NUMBERS = ("double", "float", *_WHOLE)
_REFUSED = (pa.ArrowException, ValueError, TypeError, OverflowError)


def typed(values: Sequence[Any], kind: str) -> tuple[Any, dict[int, Any]]:
    """Return a column of an MLflow type, and by their place the values of another type, for which the column has null."""
    if kind == "datetime":
        values, other = _times(values)
        return pa.array(values, TYPES[kind]), other
    given = values
    if kind == "binary":
        values = [_decoded(value) for value in values]
    try:
        if not any(_would_change(value, kind) for value in values):
            return pa.array(values, TYPES[kind]), {}
    except _REFUSED:
        pass
    fitting = [_is_of(value, kind) for value in values]
    kept = [value if fits else None for value, fits in zip(values, fitting, strict=True)]
    return pa.array(kept, TYPES[kind]), {at: given[at] for at, fits in enumerate(fitting) if not fits}


def kind_of(output: str, classes: Sequence[Any] | None) -> str:
    """Return the MLflow type of a model's predictions and labels; "" where they are of several or of an unknown one."""
    if classes is None:
        return output if output in TYPES else ""
    kinds = {_KINDS.get(type(value), "") for value in classes}
    return kinds.pop() if len(kinds) == 1 else ""


_KINDS = {bool: "boolean", int: "long", float: "double", str: "string"}


def _would_change(value: Any, kind: str) -> bool:
    """Whether Arrow would accept a value and store another one."""
    if type(value) is float:
        return kind in _WHOLE and not value.is_integer()
    return type(value) is bool and kind in _NUMBERS


def _is_of(value: Any, kind: str) -> bool:
    try:
        pa.array([value], TYPES[kind])
    except _REFUSED:
        return False
    return not _would_change(value, kind)


def _times(values: Sequence[Any]) -> tuple[Sequence[Any], dict[int, Any]]:
    given = pd.Series(list(values), dtype=object)
    times = to_time(given)
    wrong = (times.isna() & given.notna()).tolist()
    plain = [None if missing else time.to_pydatetime() for time, missing in zip(times, times.isna(), strict=True)]
    return plain, {at: values[at] for at, is_wrong in enumerate(wrong) if is_wrong}


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return [value]  # a list, which no column of bytes accepts
