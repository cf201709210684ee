"""The values of a sampled column as its ColumnKind reads them."""

from collections.abc import Sequence

import pandas as pd

from slipway.core.casts import in_plain_form, to_number, to_time
from slipway.core.forms import Form
from slipway.core.spec import NUMBERS, ColumnType
from slipway.data.profile.kind import ColumnKind


def without_marks(column: pd.Series, missing: Sequence[str]) -> pd.Series:
    """Return a column with its marks for a missing value taken out; numbers and times are as they are."""
    if column.dtype.kind in "biufmM" or not missing:
        return column
    return column.where(~column.isin(list(missing)))


def read_as(column: pd.Series, kind: ColumnKind) -> pd.Series:
    """Return a column without marks as float64 for numbers, as times, or as it is; what does not fit becomes missing."""
    if kind.type not in (*NUMBERS, ColumnType.DATETIME):
        return column
    plain = in_plain_form(column, _form(kind)) if kind.keys else column
    return to_time(plain) if kind.type is ColumnType.DATETIME else to_number(plain)


def _form(kind: ColumnKind) -> Form:
    keys = kind.keys
    return Form(
        kind.type.value,
        decimal=keys.get("decimal", "."),
        thousands=keys.get("thousands", ""),
        unit=keys.get("unit", ""),
        format=keys.get("format", ""),
    )
