"""The cast of rows from a file to the columns and types of a model's signature."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from slipway.core.casts import in_plain_form, spelled, to_bool, to_number, to_text, to_time, to_whole
from slipway.core.forms import Form
from slipway.core.values import Spellings
from slipway.errors import DataUnusable

Fields = Mapping[str, tuple[str, bool]]
"""The inputs of a model: name → (MLflow type, required)."""


Categories = Mapping[str, frozenset[str]]
"""The categories that a model knows, by column."""

Forms = Mapping[str, Form]
"""The forms in which files hold the model's columns, by column; a column without one is in the usual form."""


def conform(
    rows: pd.DataFrame,
    inputs: Fields,
    first_row: int = 0,
    known: Categories = MappingProxyType({}),
    forms: Forms = MappingProxyType({}),
) -> pd.DataFrame:
    """Return the model's columns in the model's order, cast to its types.

    An optional column that the file lacks is all missing; columns that the model does not have are left out. Raises
    DataUnusable that names the column, the fault, the number of rows and the first such row.

    Args:
        rows: The rows of the file.
        inputs: The inputs of the model.
        first_row: The number of the first row, for messages.
        known: The known categories by column. Another spelling of a category, as a number or a truth value, becomes that
            category.
        forms: The forms by column.
    """
    missing = [name for name, (_, required) in inputs.items() if required and name not in rows.columns]
    if missing:
        raise DataUnusable(
            f"the input has no column {', '.join(missing)}; it has {', '.join(map(str, rows.columns[:40]))}"
        )
    cast = {
        name: _cast(rows, name, kind, required, first_row, forms.get(name)) for name, (kind, required) in inputs.items()
    }
    cast |= {name: spelled(cast[name], Spellings(known[name])) for name in inputs if known.get(name)}
    return pd.DataFrame(cast, index=rows.index)


def _cast(rows: pd.DataFrame, name: str, kind: str, required: bool, first_row: int, form: Form | None) -> pd.Series:
    if name not in rows.columns:
        return pd.Series(index=rows.index, dtype=_ABSENT.get(kind, "float64"))
    given = rows[name]
    plain = in_plain_form(given, form) if form else given
    cast = to_bool(plain) if form and form.type == "bool" else _CASTS[kind](plain)
    declared = f" in the form {form}" if form and str(form) else ""
    _refuse(given, cast.isna() & given.notna(), f"is not of type {kind}{declared}", name, first_row)
    if required:
        _refuse(given, given.isna(), "is missing, and the model needs it", name, first_row)
    if kind in ("double", "float"):
        _refuse(given, np.isinf(cast), "is not a finite number", name, first_row)
    return cast.astype("float64") if cast.dtype == bool and not (kind == "boolean" and required) else cast


def _refuse(given: pd.Series, wrong: pd.Series, what: str, name: str, first_row: int) -> None:
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        (value,) = given.iloc[[at]].tolist()
        raise DataUnusable(
            f"column {name} {what} in {int(wrong.sum())} row(s), first in row {first_row + at}: {value!r}"
        )


_ABSENT = {"string": "str", "datetime": "datetime64[us]"}
"""The types of columns that hold no value, where they are not float64."""

_CASTS: dict[str, Callable[[pd.Series], pd.Series]] = {
    "long": to_whole,
    "integer": to_whole,
    "double": to_number,
    "float": to_number,
    "boolean": to_bool,
    "string": to_text,
    "datetime": to_time,
}
