"""LightGBM as it comes, with its own treatment of categories and missing values."""

import lightgbm as lgb

from tabular.answers import of_classes, of_numbers
from tabular.predict import Predict
from tabular.prepared import prepare
from tabular.task import SEED, Given


def fit(given: Given) -> Predict:
    ready = prepare(given.inputs)
    kind = lgb.LGBMRegressor if given.task == "regression" else lgb.LGBMClassifier
    model = kind(random_state=SEED, verbosity=-1).fit(ready.columns(given.inputs), given.labels)
    if given.task == "regression":
        return lambda rows: of_numbers(model.predict(ready.columns(rows)))
    return lambda rows: of_classes(model.predict_proba(ready.columns(rows)), model.classes_)
