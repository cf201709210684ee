"""Estimators that answer the same for every row."""

from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor

from slipway.compile._draft import Draft, Features
from slipway.plans.answers import Always
from slipway.plans.head import Head


def _classifier(draft: Draft, model: DummyClassifier, _features: Features) -> Head:
    if model._strategy in ("stratified", "uniform"):
        raise draft.no(f"strategy='{model._strategy}' answers at random")
    one = np.zeros((1, 1))
    return Head(Always(model.predict(one)), Always(model.predict_proba(one)), None, model.classes_)


def _regressor(_draft: Draft, model: DummyRegressor, _features: Features) -> Head:
    return Head(Always(model.predict(np.zeros((1, 1)))))


DUMMY: dict[type, Any] = {DummyClassifier: _classifier, DummyRegressor: _regressor}
