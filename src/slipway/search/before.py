"""A function of the experiment's own before the automatic preprocessing: features in, features out.

The function stands in the pipeline as scikit-learn's FunctionTransformer, so it travels with the model, and callers send the
columns of the contract. The columns that the function makes are learned from a few made-up rows, since a pipeline is built
before it sees any row.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from slipway.code import load_own
from slipway.core.spec import Column, ColumnType, Data
from slipway.errors import CodeInvalid
from slipway.search.preprocessing import with_preprocessing

_MADE_UP: dict[ColumnType, Any] = {
    ColumnType.INT: np.array([1, 2, 3], dtype="int64"),
    ColumnType.FLOAT: np.array([1.5, 2.5, 3.5]),
    ColumnType.BOOL: np.array([True, False, True]),
    ColumnType.CATEGORY: pd.array(["1", "2", "1"], dtype="str"),
    ColumnType.TEXT: pd.array(["1", "2", "1"], dtype="str"),
    ColumnType.DATETIME: pd.to_datetime([datetime(2013, 1, day) for day in (1, 2, 3)]).astype("datetime64[us]"),
}


def with_before(folder: Path, ref: str, estimator: BaseEstimator, data: Data) -> Pipeline:
    """Return a pipeline of the function, the preprocessing that fits its columns and the estimator, and the estimator.

    Raises CodeInvalid for a function that cannot be loaded, fails on made-up rows, or does not keep the rows.
    """
    function = load_own(folder, ref, "transformers")
    after = _after(data, _answer(function, ref, _made_up(data)))
    if not after.features:
        raise CodeInvalid(f"{ref} leaves no column that the automatic preprocessing takes")
    return Pipeline([("before", FunctionTransformer(function)), *with_preprocessing(estimator, after).steps])


def _made_up(data: Data) -> pd.DataFrame:
    columns = {name: pd.Series(_MADE_UP[data.columns[name].type]) for name in data.features}
    for name, column in columns.items():
        kind = data.columns[name].type
        if data.columns[name].values and not kind.is_numeric:
            columns[name] = pd.Series([str(data.columns[name].values[0])] * 3, dtype="str")  # type: ignore[index]
        elif data.columns[name].nulls and kind in (ColumnType.INT, ColumnType.BOOL):
            columns[name] = column.astype("float64")  # as the contract casts a column whose values may be missing
    return pd.DataFrame(columns)


def _answer(function: Callable[..., Any], ref: str, rows: pd.DataFrame) -> pd.DataFrame:
    given = rows.copy()
    try:
        made = function(given)
    except Exception as error:  # the experiment's own code may raise anything
        raise CodeInvalid(
            f"{ref} failed on made-up rows of the columns {', '.join(map(str, rows))}: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(made, pd.DataFrame) or len(made) != len(rows):
        got = f"{len(made)} rows" if isinstance(made, pd.DataFrame) else type(made).__name__
        raise CodeInvalid(
            f"{ref} gets the features as a DataFrame and returns a DataFrame of the same rows; for {len(rows)} rows it "
            f"returned {got}"
        )
    if not given.equals(rows):
        raise CodeInvalid(f"{ref} changes the rows that it is given; return new ones, as `rows.assign(...)` does")
    return made


def _after(data: Data, made: pd.DataFrame) -> Data:
    """Return the section `data` with the columns that the function makes as its features."""
    aside = {name: column for name, column in data.columns.items() if name not in data.features}
    names = [str(name) for name in made]
    columns = {name: _column(data, name, made[name]) for name in names if name not in aside}
    return data.model_copy(update={"columns": {**columns, **aside}})


def _column(data: Data, name: str, made: pd.Series) -> Column:
    was = data.columns.get(name)
    kind = _type(made)
    if was and (
        was.type is kind or (was.type in (ColumnType.TEXT, ColumnType.CATEGORY) and kind is ColumnType.CATEGORY)
    ):
        return was
    return Column(type=kind)


def _type(made: pd.Series) -> ColumnType:
    if pd.api.types.is_bool_dtype(made):
        return ColumnType.BOOL
    if pd.api.types.is_numeric_dtype(made):
        return ColumnType.FLOAT
    return ColumnType.DATETIME if pd.api.types.is_datetime64_any_dtype(made) else ColumnType.CATEGORY
