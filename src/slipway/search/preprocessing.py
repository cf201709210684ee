"""The automatic preprocessing before an estimator, for experiments without a pipeline of their own."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.utils import get_tags

from slipway.core.spec import ColumnType, Data

# HistGradientBoosting takes 255 categories a column at most, one of which is kept for the rare ones.
_MOST_CATEGORIES = 254


def with_preprocessing(estimator: BaseEstimator, data: Data) -> Pipeline:
    """Return a pipeline of the estimator and the preprocessing that fits the estimator.

    An estimator with `categorical_features` (histogram gradient boosting) gets categories as codes, and treats these and
    missing values natively. An estimator that allows missing values gets one-hot categories and numbers as they are. Any other
    estimator gets one-hot categories and imputed, scaled numbers. Booleans are 0 and 1. Unknown and rare categories are
    grouped, never an error. The pipeline has to be fitted on `data.encoded`, without texts and times.
    """
    columns = {name: data.columns[name].type for name in data.encoded}
    # Booleans stand apart from numbers: pandas makes objects of both together, and an imputer refuses booleans alone.
    flags = [name for name, kind in columns.items() if kind is ColumnType.BOOL and not data.columns[name].nulls]
    numbers = [name for name, kind in columns.items() if kind.is_numeric and name not in flags]
    categories = [name for name, kind in columns.items() if kind is ColumnType.CATEGORY]
    if "categorical_features" in estimator.get_params():
        estimator.set_params(categorical_features=np.arange(len(categories)).tolist() or None)
        encode, number_steps = _codes(), "passthrough"
    elif get_tags(estimator).input_tags.allow_nan:
        encode, number_steps = _one_hot(), "passthrough"
    else:
        encode, number_steps = _one_hot(), make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    parts = [("categories", encode, categories), ("numbers", number_steps, numbers), ("flags", "passthrough", flags)]
    columns_in = ColumnTransformer([part for part in parts if part[2]], verbose_feature_names_out=False)
    return Pipeline([("columns", columns_in), ("estimator", estimator)])


def _codes() -> OrdinalEncoder:
    return OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=_MOST_CATEGORIES,
    )


def _one_hot() -> OneHotEncoder:
    return OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20, sparse_output=False)
