"""The values of a sampled column as its Kind reads them."""

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from slipway.core.casts import to_number, to_time
from slipway.core.spec import ColumnType
from slipway.data.profile.counting import as_numbers
from slipway.data.profile.kind import Kind


def without_marks(column: pd.Series, missing: Sequence[str]) -> pd.Series:
    """Return a column with its marks for a missing value taken out; numbers and times are as they are."""
    if column.dtype.kind in "biufmM" or not missing:
        return column
    return column.where(~column.isin(list(missing)))


def read_as(column: pd.Series, kind: Kind) -> pd.Series:
    """Return a column without marks as float64 for numbers, as times, or as it is; what does not fit becomes missing."""
    if kind.type in (ColumnType.INT, ColumnType.FLOAT):
        return _numbers(column, kind)
    if kind.type is ColumnType.DATETIME:
        return _times(column, kind)
    return column


def _numbers(column: pd.Series, kind: Kind) -> pd.Series:
    if not kind.keys:
        return to_number(column)
    try:
        read = as_numbers(pa.array(column, pa.string(), from_pandas=True), kind.keys)
    except pa.ArrowInvalid:
        return to_number(column)
    return pd.Series(read.to_pandas(), index=column.index, name=column.name)


def _times(column: pd.Series, kind: Kind) -> pd.Series:
    if form := kind.keys.get("format"):
        times = pd.to_datetime(column.str.strip(), format=form, errors="coerce", utc=True)
        return times.dt.tz_localize(None).astype("datetime64[us]")
    return to_time(column)
