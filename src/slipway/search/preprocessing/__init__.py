"""The automatic preprocessing before an estimator, for experiments without a pipeline of their own.

`_ENCODINGS` is the table: for each kind of estimator (`_kinds`), how each type of column is encoded. A file beside this one
has the encoders of one type: `_categories`, `_numbers`, `_texts`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from slipway.core.spec import ColumnType, Data
from slipway.search.preprocessing._categories import (
    codes,
    frequent_and_means,
    frequent_and_scaled_means,
    means,
    one_hot,
    with_many_values,
)
from slipway.search.preprocessing._kinds import EstimatorKind, kind_of
from slipway.search.preprocessing._numbers import as_they_are, complete
from slipway.search.preprocessing._texts import scaled_sums_of_terms, sums_of_terms, terms
from slipway.search.preprocessing._times import times

Part = tuple[str, Any, Sequence[str]]
"""A transformer of ColumnTransformer: its name, itself or "passthrough", and its columns."""


@dataclass(frozen=True)
class Encoding:
    """The encoders of the types of columns, for one kind of estimator: each makes an unfitted transformer, or "passthrough".

    Attributes:
        categories: of columns with few categories.
        many: of columns with many.
        numbers: of all numbers together.
        texts: of one column of texts.
    """

    categories: Callable[[], Any]
    many: Callable[..., Any]
    numbers: Callable[[], Any]
    texts: Callable[[], Any]


_ENCODINGS = {
    EstimatorKind.CODES: Encoding(codes, means, as_they_are, sums_of_terms),
    EstimatorKind.GAPS: Encoding(one_hot, frequent_and_means, as_they_are, sums_of_terms),
    EstimatorKind.SPARSE: Encoding(one_hot, frequent_and_scaled_means, complete, terms),
    EstimatorKind.DENSE: Encoding(one_hot, frequent_and_scaled_means, complete, scaled_sums_of_terms),
}


def with_preprocessing(estimator: BaseEstimator, data: Data, rows: pd.DataFrame | None = None) -> Pipeline:
    """Return a pipeline of the estimator and the preprocessing that fits the estimator.

    The kind of the estimator says how each type of column is encoded. Booleans are 0 and 1. Unknown and rare categories are
    grouped, never an error; missing texts are empty. Times
    become calendar parts and distances, see `times`. The pipeline has to be fitted on `data.features`.

    Args:
        estimator: The unfitted estimator, which is told where its categories are.
        data: The declaration of the columns.
        rows: The rows that the pipeline will be fitted on, which show what columns have many categories; None: none has.
    """
    kind, groups = kind_of(estimator), _grouped(data)
    encoding = _ENCODINGS[kind]
    many = with_many_values(rows, groups.categories) if rows is not None else []
    few = [name for name in groups.categories if name not in set(many)]
    parts: list[Part] = [
        ("categories", encoding.categories(), few),
        ("many categories", encoding.many(regression=is_regressor(estimator)), many),
        ("numbers", encoding.numbers(), groups.numbers),
        ("flags", "passthrough", groups.flags),
    ]
    scaled = kind in (EstimatorKind.SPARSE, EstimatorKind.DENSE)
    parts += times(data, groups.times, encoding.numbers() if scaled else None)
    # Texts are numbered, since scikit-learn refuses two underscores in a name, which a column may have.
    parts += [(f"text {number}", encoding.texts(), [name]) for number, name in enumerate(groups.texts)]
    if "categorical_features" in estimator.get_params():  # the codes come first; boosting libraries are told at the fit
        estimator.set_params(categorical_features=np.arange(len(few)).tolist() or None)
    columns = ColumnTransformer([part for part in parts if part[2]], verbose_feature_names_out=False)
    return Pipeline([("columns", columns), ("estimator", estimator)])


@dataclass(frozen=True)
class _Groups:
    """The encoded columns by their types. A wide table has one transformer a group, not one a column, but for texts."""

    categories: Sequence[str]
    numbers: Sequence[str]
    flags: Sequence[str]
    times: Sequence[str]
    texts: Sequence[str]


def _grouped(data: Data) -> _Groups:
    columns = {name: data.columns[name].type for name in data.features}
    # Booleans stand apart from numbers: pandas makes objects of both together, and an imputer refuses booleans alone.
    flags = {name for name, kind in columns.items() if kind is ColumnType.BOOL and not data.columns[name].nulls}
    return _Groups(
        categories=[name for name, kind in columns.items() if kind is ColumnType.CATEGORY],
        numbers=[name for name, kind in columns.items() if kind.is_numeric and name not in flags],
        flags=[name for name in columns if name in flags],
        times=[name for name, kind in columns.items() if kind is ColumnType.DATETIME],
        texts=[name for name, kind in columns.items() if kind is ColumnType.TEXT],
    )
