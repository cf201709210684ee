"""Tables that were read from CSV or Parquet, with their values made as the model was trained on them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from slipway.core.expectations import Find
from slipway.serving.protocol.values import Unreadable, Values

if TYPE_CHECKING:
    import pandas as pd


def read_table(table: "pd.DataFrame", values: Values) -> "tuple[pd.DataFrame, tuple[Find, ...]]":
    """Return the table with its values replaced, and the values that the contract does not expect.

    Columns that the table lacks are left for MLflow to refuse. Raises Unreadable for a value of no known meaning.
    """
    if not table.columns.is_unique:  # MLflow refuses it
        return table, ()
    unexpected: list[Find] = []
    changed: dict[str, Any] = {}
    for at, column in enumerate(values.columns):
        if column.name not in table:
            continue
        given = table[column.name]
        if column.type == "datetime" and given.dtype.kind in "iufb":
            # Parquet has a type for times; a number could be of any unit.
            _refuse_numbers(given, column.name)
        plain = given.tolist() if given.notna().all() else given.astype(object).where(given.notna(), None).tolist()
        read, finds = values.of_column(at, plain)
        unexpected += finds
        # Texts stay as they were read: some encoders tell a missing text that is None from one that is NaN.
        if column.type == "datetime" or (column.type == "string" and (read is not plain or not _is_text(given))):
            changed[column.name] = _column(read, column.type, given)
    return table.assign(**changed), tuple(unexpected)


def _is_text(given: "pd.Series") -> bool:
    import pandas as pd

    return given.dtype == object or isinstance(given.dtype, pd.StringDtype)


def _column(read: Sequence[object], kind: str, given: "pd.Series") -> "pd.Series":
    import pandas as pd

    some = any(each is not None for each in read)
    made: pd.Series = pd.Series(list(read), index=given.index, dtype=None if some else object)
    return pd.to_datetime(made, format="ISO8601") if kind == "datetime" else made


def _refuse_numbers(given: "pd.Series", name: str) -> None:
    if given.notna().any():
        why = "a number of no known unit where a time is needed: a time of Parquet or a text in ISO 8601 is allowed"
        raise Unreadable(int(given.notna().to_numpy().argmax()), name, why)
