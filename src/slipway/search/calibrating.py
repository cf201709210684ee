"""Calibration of probabilities: a curve over the scores of a pipeline, learned on the validation rows.

With declared costs of wrong answers, a threshold on a probability decides the answer. Some estimators weigh classes or are too
sure: their scores rank well but are not probabilities. The curve is Platt's (Probabilistic Outputs for Support Vector Machines,
1999) with two numbers, as scikit-learn's CalibratedClassifierCV fits it. The curve changes no ranking, `slipway.compile` can
plan it, and stock MLflow loads it.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from slipway.core.prediction import encode
from slipway.core.statistics.costs import cheapest_threshold
from slipway.core.statistics.metrics import METRICS, Array, Outcome
from slipway.core.weights import weights_of
from slipway.search.candidates import build_pipeline, decided
from slipway.search.fitting import fit
from slipway.search.question import Question

# The gain of log likelihood that two fitted numbers make by chance, by Akaike's criterion.
_WON_BY_CHANCE = 2.0

_Answers = tuple[Any, Array, Array, Array | None]
"""Labels, scores to fit a curve on, probabilities, and weights of rows; None where every row counts once."""


@dataclass(frozen=True)
class Curve:
    """A curve learned on the validation rows, and the cheapest threshold on the calibrated probabilities."""

    fitted: CalibratedClassifierCV
    threshold: float

    def over(self, pipeline: Pipeline, rows: pd.DataFrame, target: pd.Series, positive: Any) -> BaseEstimator:
        """Return a pipeline fitted on these rows as a model whose scores go through the curve and the threshold."""
        template = CalibratedClassifierCV(clone(pipeline), method="sigmoid", ensemble=False)
        calibrated = clone(template)
        calibrated.classes_ = self.fitted.classes_
        part = copy(self.fitted.calibrated_classifiers_[0])
        part.estimator = pipeline
        calibrated.calibrated_classifiers_ = [part]
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(pipeline, name):
                setattr(calibrated, name, getattr(pipeline, name))
        model = decided(FrozenEstimator(calibrated), self.threshold, positive).fit(rows, target)
        # The parts are joined as if fitted whole: skops would store a fitted pipeline again at every place that refers to it.
        model.estimator, model.estimator_ = template, calibrated
        return model


class _Scored(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """A classifier that takes scores for rows, so that a curve can be fitted on scores that exist already."""

    def __init__(self, classes: Any) -> None:
        self.classes = classes
        self.classes_ = classes

    def fit(self, _scores: Array, _labels: Any, sample_weight: Array | None = None) -> "_Scored":  # noqa: ARG002
        return self

    def decision_function(self, scores: Array) -> Array:
        return scores[:, 0]

    def predict(self, scores: Array) -> Any:
        return self.classes_[(scores[:, 0] > 0).astype(int)]


def learn_curve(question: Question, candidate: str, params: Mapping[str, Any]) -> Curve | None:
    """Fit the pipeline on the training rows of each fold and learn the Curve on the answers to the validation rows.

    Returns None, so that the probabilities stay as they are, without declared costs, without probabilities, where the curve
    improves the log loss no more than two fitted numbers do by chance, and where the curve turns the ranking around.
    """
    costs, classes = question.experiment.scope.costs, question.classes
    answers = _answers(question, candidate, params) if costs else None
    if costs is None or answers is None:
        return None
    labels, scores, probabilities, weights = answers
    rows = scores.reshape(-1, 1)
    seen = _Scored(np.unique(labels)).fit(rows, labels)
    everything = [(np.arange(len(rows)), np.arange(len(rows)))]
    # Not frozen: CalibratedClassifierCV would warn that a FrozenEstimator takes no weights. Its fit changes nothing.
    fitted = CalibratedClassifierCV(seen, method="sigmoid", ensemble=False, cv=everything)
    at = seen.classes_.tolist().index(classes[-1])
    calibrated = fitted.fit(rows, labels, sample_weight=weights).predict_proba(rows)[:, at]
    before, after = (_outcome(labels, classes, scores, weights) for scores in (probabilities[:, at], calibrated))
    turned = calibrated[probabilities[:, at].argmax()] <= calibrated[probabilities[:, at].argmin()]
    if turned or len(rows) * (_log_loss(before) - _log_loss(after)) <= _WON_BY_CHANCE:
        return None
    return Curve(fitted, cheapest_threshold(after, costs)[0])


def _answers(question: Question, candidate: str, params: Mapping[str, Any]) -> _Answers | None:
    """Return labels, scores, probabilities and weights of the validation rows of all folds."""
    features, target = list(question.experiment.inputs_of(candidate)), question.experiment.data.target
    labels, scores, probabilities, weights = [], [], [], []
    for train, validation in question.parts(share=1.0):
        pipeline = build_pipeline(question.folder, question.experiment, candidate, params, train)
        fit(question.experiment, candidate, pipeline, train)
        if not hasattr(pipeline, "predict_proba"):
            return None
        probabilities.append(pipeline.predict_proba(validation[features]))
        margins = hasattr(pipeline, "decision_function")  # CalibratedClassifierCV prefers margins too
        scores.append(pipeline.decision_function(validation[features]) if margins else probabilities[-1][:, 1])
        labels.append(validation[target].to_numpy())
        weights.append(weights_of(validation, question.experiment.data))
    each = np.concatenate(labels), np.concatenate(scores).astype(np.float64), np.concatenate(probabilities)
    counted = [part for part in weights if part is not None]
    return *each, np.concatenate(counted) if counted else None


def _outcome(labels: Any, classes: Any, scores: Array, weights: Array | None) -> Outcome:
    return Outcome(encode(labels, classes), (scores >= 0.5).astype(np.float64), scores, True, weights)


def _log_loss(outcome: Outcome) -> float:
    return METRICS["log_loss"].prepare(outcome)(np.ones(outcome.rows))
