"""Pipelines and parts of them that the tests are made of."""

from typing import Any

import numpy as np
from sklearn import ensemble
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from tests.compile.tables import (
    CATEGORIES,
    FLAGS,
    FLOATS,
    NUMBERS,
    POSITIVE,
    RARE,
    TEXTS,
)

LENIENT = {"handle_unknown": "infrequent_if_exist", "min_frequency": 20, "sparse_output": False}


def usual(estimator: Any, encoder: Any = None, numbers: Any = None) -> Any:
    """What Slipway puts before an estimator by itself."""
    return make_pipeline(
        ColumnTransformer(
            [
                ("categories", encoder or OneHotEncoder(**LENIENT), CATEGORIES),
                ("numbers", numbers or make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMBERS),
                ("flags", "passthrough", FLAGS),
            ],
            verbose_feature_names_out=False,
        ),
        estimator,
    )


def codes() -> OrdinalEncoder:
    return OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan, max_categories=20
    )


def native(estimator: Any) -> Any:
    return usual(estimator.set_params(categorical_features=[0, 1, 2]), codes(), "passthrough")


def boosted(**more: Any) -> ensemble.HistGradientBoostingClassifier:
    return ensemble.HistGradientBoostingClassifier(**{"max_iter": 25, "random_state": 0, **more})


def boosted_regressor(**more: Any) -> ensemble.HistGradientBoostingRegressor:
    return ensemble.HistGradientBoostingRegressor(max_iter=25, random_state=0, **more)


def only(transformer: Any, columns: Any, estimator: Any, **more: Any) -> Any:
    return make_pipeline(make_column_transformer((transformer, columns), **more), estimator)


def filled_texts() -> Any:
    return make_pipeline(
        SimpleImputer(strategy="constant", fill_value="none", add_indicator=True),
        OneHotEncoder(handle_unknown="ignore", min_frequency=5),
    )


def nested() -> Any:
    inner = make_column_transformer(
        (StandardScaler(), slice(0, 2)), (MinMaxScaler(clip=True), [False, False, True, True])
    )
    return make_column_transformer(
        (inner, FLOATS + POSITIVE),
        (OneHotEncoder(drop="if_binary", handle_unknown="ignore"), TEXTS),
        ("drop", RARE),
        (SimpleImputer(add_indicator=True), make_column_selector(pattern="^g")),
        remainder="passthrough",
    )


def nested_and(estimator: Any) -> Any:
    return make_pipeline(nested(), VarianceThreshold(), estimator)
