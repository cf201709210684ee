"""Calibration of probabilities: a curve over the scores of a pipeline, learned on the validation rows.

With declared costs of wrong answers, a threshold on a probability decides the answer. Some estimators weigh classes or are too
sure: their scores rank well but are not probabilities. The curve is Platt's (Probabilistic Outputs for Support Vector Machines,
1999) with two numbers, as scikit-learn's CalibratedClassifierCV fits it. The curve changes no ranking, `slipway.compile` can
plan it, and stock MLflow loads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from slipway.core.prediction import encode
from slipway.core.statistics.costs import cheapest_threshold
from slipway.core.statistics.metrics import METRICS, Array, Outcome
from slipway.search.candidates import build_pipeline, decided
from slipway.search.fitting import fit
from slipway.search.question import Question

# The gain of log likelihood that two fitted numbers make by chance, by Akaike's criterion.
_WON_BY_CHANCE = 2.0


@dataclass(frozen=True)
class Curve:
    """A curve learned on the validation rows, and the cheapest threshold on the calibrated probabilities.

    The probability of the later of the sorted classes is 1 / (1 + exp(slope * score + offset)).
    """

    slope: float
    offset: float
    threshold: float

    def over(self, pipeline: BaseEstimator, rows: pd.DataFrame, target: pd.Series, positive: Any) -> BaseEstimator:
        """Return a pipeline fitted on these rows as a model whose scores go through the curve and the threshold."""
        template = CalibratedClassifierCV(clone(pipeline), method="sigmoid", ensemble=False)
        calibrated = clone(template)
        # A curve through any two scores, whose numbers are then those that were learned.
        drawn = _drawn(np.array([-1.0, 1.0]), np.unique(target), None)
        (part,) = drawn.calibrated_classifiers_
        part.calibrators[0].a_, part.calibrators[0].b_ = self.slope, self.offset
        part.estimator = pipeline
        calibrated.classes_, calibrated.calibrated_classifiers_ = drawn.classes_, [part]
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

    For a trial whose answers are not kept any more. Returns None where `curve_through` does.
    """
    answers = _answers(question, candidate, params) if question.experiment.scope.costs else None
    return None if answers is None else curve_through(question, *answers)


def curve_through(question: Question, scores: Array, probabilities: Array) -> Curve | None:
    """Learn the Curve on answers to the validation rows of all folds, one fold after the other.

    Returns None, so that the probabilities stay as they are, without declared costs, where the curve improves the log loss no
    more than two fitted numbers do by chance, and where the curve turns the ranking around.

    Args:
        question: The experiment and the validation rows.
        scores: The scores that the curve goes over, (rows,): the decision function, or else probabilities, of the later class.
        probabilities: The probabilities of the positive class, (rows,).
    """
    costs, classes = question.experiment.scope.costs, question.classes
    if costs is None:
        return None
    target = question.rows[question.experiment.data.target]
    labels = np.concatenate([target.iloc[validation].to_numpy() for _, validation in question.folds])
    each_fold = question.weights()
    weights = None if each_fold is None else np.concatenate(each_fold)
    fitted = _drawn(scores, labels, weights)
    at = fitted.classes_.tolist().index(classes[-1])
    calibrated = fitted.predict_proba(scores.reshape(-1, 1))[:, at]
    before, after = (_outcome(labels, classes, each, weights) for each in (probabilities, calibrated))
    turned = calibrated[probabilities.argmax()] <= calibrated[probabilities.argmin()]
    if turned or len(labels) * (_log_loss(before) - _log_loss(after)) <= _WON_BY_CHANCE:
        return None
    (curve,) = fitted.calibrated_classifiers_[0].calibrators
    return Curve(float(curve.a_), float(curve.b_), cheapest_threshold(after, costs)[0])


def _drawn(scores: Array, labels: Any, weights: Array | None) -> CalibratedClassifierCV:
    """Return scikit-learn's curve through the scores of rows."""
    rows = scores.reshape(-1, 1)
    seen = _Scored(np.unique(labels)).fit(rows, labels)
    everything = [(np.arange(len(rows)), np.arange(len(rows)))]
    # Not frozen: CalibratedClassifierCV would warn that a FrozenEstimator takes no weights. Its fit changes nothing.
    curve = CalibratedClassifierCV(seen, method="sigmoid", ensemble=False, cv=everything)
    return curve.fit(rows, labels, sample_weight=weights)


def _answers(question: Question, candidate: str, params: Mapping[str, Any]) -> tuple[Array, Array] | None:
    """Return scores and probabilities of the validation rows of all folds; the curve is fitted on the scores."""
    features = list(question.experiment.data.features)
    scores, probabilities = [], []
    for train, validation in question.parts(share=1.0):
        pipeline = build_pipeline(question.folder, question.experiment, candidate, params, train)
        fit(question.experiment, candidate, pipeline, train)
        if not hasattr(pipeline, "predict_proba"):
            return None
        each = pipeline.predict_proba(validation[features])
        margins = hasattr(pipeline, "decision_function")  # CalibratedClassifierCV prefers margins too
        scores.append(pipeline.decision_function(validation[features]) if margins else each[:, 1])
        probabilities.append(each[:, pipeline.classes_.tolist().index(question.classes[-1])])
    return np.concatenate(scores).astype(np.float64), np.concatenate(probabilities)


def _outcome(labels: Any, classes: Any, scores: Array, weights: Array | None) -> Outcome:
    return Outcome(encode(labels, classes), (scores >= 0.5).astype(np.float64), scores, True, weights)


def _log_loss(outcome: Outcome) -> float:
    return METRICS["log_loss"].prepare(outcome)(np.ones(outcome.rows))
