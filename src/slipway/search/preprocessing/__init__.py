"""The automatic preprocessing before an estimator, for experiments without a pipeline of their own.

`_ENCODINGS` is the table: for each kind of estimator (`_kinds`), how each type of column is encoded. A file beside this one
has the encoders of one type: `_categories`, `_numbers`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from slipway.core.spec import ColumnType, Data
from slipway.search.preprocessing._categories import codes, one_hot
from slipway.search.preprocessing._kinds import Kind, kind_of
from slipway.search.preprocessing._numbers import as_they_are, complete

Encoder = Callable[[], Any]
"""Makes an unfitted transformer, or "passthrough"."""


@dataclass(frozen=True)
class Encoding:
    """The encoders of the types of columns, for one kind of estimator."""

    categories: Encoder
    numbers: Encoder


_ENCODINGS = {
    Kind.CODES: Encoding(categories=codes, numbers=as_they_are),
    Kind.GAPS: Encoding(categories=one_hot, numbers=as_they_are),
    Kind.SPARSE: Encoding(categories=one_hot, numbers=complete),
    Kind.DENSE: Encoding(categories=one_hot, numbers=complete),
}


def with_preprocessing(estimator: BaseEstimator, data: Data) -> Pipeline:
    """Return a pipeline of the estimator and the preprocessing that fits the estimator.

    The kind of the estimator says how each type of column is encoded. Booleans are 0 and 1. Unknown and rare categories are
    grouped, never an error. The pipeline has to be fitted on `data.encoded`.
    """
    kind, groups = kind_of(estimator), _by_type(data)
    encoding = _ENCODINGS[kind]
    parts: list[tuple[str, Any, Sequence[str]]] = [
        ("categories", encoding.categories(), groups.categories),
        ("numbers", encoding.numbers(), groups.numbers),
        ("flags", "passthrough", groups.flags),
    ]
    if kind is Kind.CODES:  # the codes of categories come first
        estimator.set_params(categorical_features=np.arange(len(groups.categories)).tolist() or None)
    columns = ColumnTransformer([part for part in parts if part[2]], verbose_feature_names_out=False)
    return Pipeline([("columns", columns), ("estimator", estimator)])


@dataclass(frozen=True)
class _Groups:
    """The encoded columns by the way in which they are encoded; a wide table has one transformer a group, not one a column."""

    categories: Sequence[str]
    numbers: Sequence[str]
    flags: Sequence[str]


def _by_type(data: Data) -> _Groups:
    columns = {name: data.columns[name].type for name in data.encoded}
    # Booleans stand apart from numbers: pandas makes objects of both together, and an imputer refuses booleans alone.
    flags = [name for name, kind in columns.items() if kind is ColumnType.BOOL and not data.columns[name].nulls]
    left = {name: kind for name, kind in columns.items() if name not in set(flags)}
    return _Groups(
        categories=[name for name, kind in left.items() if kind is ColumnType.CATEGORY],
        numbers=[name for name, kind in left.items() if kind.is_numeric],
        flags=flags,
    )
