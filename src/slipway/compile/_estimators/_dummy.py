"""Estimators that answer the same for every row."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor

from slipway.compile._draft import Draft, Features
from slipway.compile._head import Answer, Head


def _classifier(draft: Draft, model: DummyClassifier, _features: Features) -> Head:
    if model._strategy in ("stratified", "uniform"):
        raise draft.no(f"strategy='{model._strategy}' answers at random")
    one = np.zeros((1, 1))
    return Head(_always(model.predict(one)), _always(model.predict_proba(one)), None, model.classes_)


def _regressor(_draft: Draft, model: DummyRegressor, _features: Features) -> Head:
    return Head(_always(model.predict(np.zeros((1, 1)))))


def _always(answer: NDArray[Any]) -> Answer:
    return lambda registers: np.repeat(answer, len(registers), axis=0)


DUMMY: dict[type, Any] = {DummyClassifier: _classifier, DummyRegressor: _regressor}
