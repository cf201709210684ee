"""Compilers of estimators that hold another one: a pipeline, a threshold, a transformed target, a finished search."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import Pipeline

from slipway.compile._draft import Draft, Features
from slipway.compile._transformers import transform
from slipway.compile._transformers._composition import steps
from slipway.compile._transformers._functions import KNOWN
from slipway.plans.answers import Inverse, Threshold
from slipway.plans.head import Head

Estimate = Callable[[Draft, Any, Features], Head]


def wrappers(estimate: Estimate) -> dict[type, Estimate]:
    """Return the compilers of estimators that hold another estimator, which `estimate` compiles."""

    def pipeline(draft: Draft, model: Pipeline, features: Features) -> Head:
        *before, (name, last) = model.steps
        features = steps(draft, before, features, transform)
        with draft.inside(f"'{name}'"):
            return estimate(draft, last, features)

    def fixed(draft: Draft, model: FixedThresholdClassifier, features: Features) -> Head:
        inner = estimate(draft, getattr(model, "estimator_", model.estimator), features)
        threshold = None if isinstance(model.threshold, str) else float(model.threshold)
        return _thresholded(draft, inner, model._get_response_method(), threshold, model.pos_label)

    def tuned(draft: Draft, model: TunedThresholdClassifierCV, features: Features) -> Head:
        inner = estimate(draft, model.estimator_, features)
        positive = model._curve_scorer._get_pos_label()
        return _thresholded(draft, inner, model._get_response_method(), float(model.best_threshold_), positive)

    def searched(draft: Draft, model: Any, features: Features) -> Head:
        return estimate(draft, model.best_estimator_, features)

    def frozen(draft: Draft, model: FrozenEstimator, features: Features) -> Head:
        return estimate(draft, model.estimator, features)

    def transformed(draft: Draft, model: TransformedTargetRegressor, features: Features) -> Head:
        inner = estimate(draft, model.regressor_, features)
        inverse = model.inverse_func
        if model.transformer is not None or not isinstance(inverse, np.ufunc) or inverse not in KNOWN:
            raise draft.no("a transformed target, other than by functions of numpy that are known")
        if model._training_dim != 1:
            raise draft.no("more than one output")

        return Head(Inverse(inverse, inner.predict))

    return {
        Pipeline: pipeline,
        FixedThresholdClassifier: fixed,
        TunedThresholdClassifierCV: tuned,
        GridSearchCV: searched,
        RandomizedSearchCV: searched,
        FrozenEstimator: frozen,
        TransformedTargetRegressor: transformed,
    }


def _thresholded(draft: Draft, inner: Head, methods: Any, threshold: float | None, positive: Any) -> Head:
    """Answer the positive class where its score reaches a threshold; the score is of the first of `methods` that there is."""
    assert inner.classes is not None
    classes = inner.classes
    position = len(classes) - 1 if positive is None else int(np.flatnonzero(classes == positive)[0])
    labels = classes if positive is None else classes[[1 - position, position]]
    for method in [methods] if isinstance(methods, str) else methods:
        answer = getattr(inner, method)
        if answer is not None:
            break
    else:
        raise draft.no("a threshold on a classifier without scores")
    limit = threshold if threshold is not None else (0.5 if method == "predict_proba" else 0.0)

    predict = Threshold(answer, method == "predict_proba", position, limit, np.asarray(labels))
    return Head(predict, inner.predict_proba, inner.decision_function, classes)
