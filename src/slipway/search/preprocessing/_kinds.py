"""The kinds of estimators, by what their rows have to be made of."""

from enum import Enum

from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

from slipway.search.preprocessing._boosters import takes_codes

_LINEAR = ("sklearn.linear_model.", "sklearn.svm.")


class EstimatorKind(Enum):
    """The kind of an estimator, which decides how each type of column is encoded for the estimator."""

    CODES = "takes categories as codes, and missing values"
    GAPS = "takes missing values"
    SPARSE = "takes complete numbers, and thousands of them where most are zero"
    DENSE = "takes complete numbers"


def kind_of(estimator: BaseEstimator) -> EstimatorKind:
    """Return the kind of an unfitted estimator."""
    if "categorical_features" in estimator.get_params() or takes_codes(estimator):
        return EstimatorKind.CODES
    tags = get_tags(estimator).input_tags
    if tags.allow_nan:
        return EstimatorKind.GAPS
    # Trees take sparse rows too, and are slow and no better with thousands of columns: linear models alone want these.
    linear = type(estimator).__module__.startswith(_LINEAR)
    return EstimatorKind.SPARSE if tags.sparse and linear else EstimatorKind.DENSE
