"""The little that gradient boosting needs of a table: numbers, a moment as a number, short lists of words as categories.

Both default boosters and the tuned one get it. Texts of more values than a booster's bins (ids, free text) are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

MOST_CATEGORIES = 255


@dataclass(frozen=True)
class Prepared:
    """What was learnt from the training rows: by column, in their order, its categories, or how it becomes a number."""

    numbers: tuple[str, ...]
    moments: tuple[str, ...]
    categories: Mapping[str, pd.CategoricalDtype]

    def columns(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The columns under names that every booster takes: LightGBM refuses brackets, quotes and colons."""
        found = {
            **{name: pd.to_numeric(rows[name], errors="coerce").astype(float) for name in self.numbers},
            **{name: _days(rows[name]) for name in self.moments},
            **{name: _texts(rows[name]).astype(kind) for name, kind in self.categories.items()},
        }
        return pd.DataFrame({f"c{i}": column for i, column in enumerate(found.values())}, index=rows.index)


def prepare(inputs: pd.DataFrame) -> Prepared:
    numbers, moments, categories = [], [], {}
    for name, column in inputs.items():
        if pd.api.types.is_numeric_dtype(column):
            numbers.append(str(name))
        elif _days(column).notna().sum() == column.notna().sum() > 0:
            moments.append(str(name))
        elif 0 < column.nunique() <= MOST_CATEGORIES:
            categories[str(name)] = pd.CategoricalDtype(sorted(_texts(column).dropna().unique()))
    return Prepared(tuple(numbers), tuple(moments), categories)


def _days(column: pd.Series) -> pd.Series:
    """Days since 1970; missing where a text is no moment."""
    moments = pd.to_datetime(column.astype(object), errors="coerce", utc=True, format="ISO8601")
    return (moments - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)


def _texts(column: pd.Series) -> pd.Series:
    return column.astype(object).map(str, na_action="ignore")
