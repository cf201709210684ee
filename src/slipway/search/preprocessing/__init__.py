"""The automatic preprocessing before an estimator, for experiments without a pipeline of their own."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from slipway.core.spec import ColumnType, Data
from slipway.search.preprocessing._boosters import takes_codes
from slipway.search.preprocessing._categories import codes, one_hot


def with_preprocessing(estimator: BaseEstimator, data: Data) -> Pipeline:
    """Return a pipeline of the estimator and the preprocessing that fits the estimator.

    Histogram gradient boosting, LightGBM and XGBoost get categories as codes, and treat these and missing values natively. An
    estimator that allows missing values gets one-hot categories and numbers as they are. Any other estimator gets one-hot
    categories and imputed, scaled numbers. Booleans are 0 and 1. Unknown and rare categories are grouped, never an error. The
    pipeline has to be fitted on `data.encoded`, without texts and times.
    """
    columns = {name: data.columns[name].type for name in data.encoded}
    # Booleans stand apart from numbers: pandas makes objects of both together, and an imputer refuses booleans alone.
    flags = [name for name, kind in columns.items() if kind is ColumnType.BOOL and not data.columns[name].nulls]
    numbers = [name for name, kind in columns.items() if kind.is_numeric and name not in flags]
    categories = [name for name, kind in columns.items() if kind is ColumnType.CATEGORY]
    if "categorical_features" in estimator.get_params():
        estimator.set_params(categorical_features=np.arange(len(categories)).tolist() or None)
        encode, number_steps = codes(), "passthrough"
    elif takes_codes(estimator):  # told which columns are codes when it is fitted
        encode, number_steps = codes(), "passthrough"
    elif get_tags(estimator).input_tags.allow_nan:
        encode, number_steps = one_hot(), "passthrough"
    else:
        encode, number_steps = one_hot(), make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    parts = [("categories", encode, categories), ("numbers", number_steps, numbers), ("flags", "passthrough", flags)]
    columns_in = ColumnTransformer([part for part in parts if part[2]], verbose_feature_names_out=False)
    return Pipeline([("columns", columns_in), ("estimator", estimator)])
