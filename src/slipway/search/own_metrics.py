"""The metrics of the experiment's own: a function of truth and prediction, or a scorer of scikit-learn. Higher is better.

An own metric becomes a Metric like any other: a function of row weights. Where the code takes `sample_weight`, how often a row
is drawn goes in as its weight; other code gets the rows as often as they are drawn.
"""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from slipway.code import load_own
from slipway.core.spec import Experiment
from slipway.core.statistics.metrics import METRICS, Array, Metric, Outcome, Weighted
from slipway.errors import CodeInvalid

_WEIGHT = "sample_weight"
Own = Callable[..., Any]


def own_metrics(folder: Path, experiment: Experiment, classes: Sequence[Any]) -> tuple[Metric, ...]:
    """Return the experiment's own metrics.

    Raises CodeInvalid where one cannot be loaded, or takes no weights and `data.weight` is declared.
    """
    return tuple(_metric(folder, experiment, name, ref, classes) for name, ref in experiment.search.metrics.items())


def search_metric(folder: Path, experiment: Experiment, classes: Sequence[Any]) -> Metric:
    """Return the metric of the search, which may be one of the experiment's own. Raises what `own_metrics` raises."""
    name = experiment.search.metric
    if name in METRICS:
        return METRICS[name]
    return _metric(folder, experiment, name, experiment.search.metrics[name], classes)


def require_values(metrics: Sequence[Metric], outcome: Outcome) -> None:
    """Compute own metrics on the answers of a baseline. Raises CodeInvalid for one that fails or gives no finite number."""
    for metric in metrics:
        value = metric.prepare(outcome)(np.ones(outcome.rows))
        if not np.isfinite(value):
            raise CodeInvalid(
                f"the metric '{metric.name}' gives {value} for the answers of a baseline; a finite number is due"
            )


def _metric(folder: Path, experiment: Experiment, name: str, ref: str, classes: Sequence[Any]) -> Metric:
    function = load_own(folder, ref, "metrics")
    takes = _takes(function)
    if experiment.data.weight and _WEIGHT not in takes:
        raise CodeInvalid(
            f"the metric '{name}' ({ref}) takes no {_WEIGHT}, and data.weight is declared; let the function take {_WEIGHT}=None"
        )

    def prepare(outcome: Outcome) -> Weighted:
        call = _call(function, takes, outcome, experiment, classes)
        return lambda weights: _value(name, ref, call, weights)

    return Metric(name, True, prepare, own=True)


def _takes(function: Own) -> tuple[str, ...]:
    """Return the names of a function's arguments; those of its score function for a scorer of scikit-learn."""
    given = inspect.signature(function).parameters
    inner = getattr(function, "_score_func", None)  # a scorer takes sample_weight whether its function does or not
    names = tuple(given)
    if inner is None:
        return names
    return (
        *(name for name in names if name != _WEIGHT),
        *([_WEIGHT] if _WEIGHT in inspect.signature(inner).parameters else []),
    )


def _call(
    function: Own, takes: Sequence[str], outcome: Outcome, experiment: Experiment, classes: Sequence[Any]
) -> Callable[[Array], Any]:
    """Return a function of row weights, which calls the experiment's own."""
    truth = _labels(outcome.truth, classes)
    weighs = _WEIGHT in takes
    if takes[:1] == ("estimator",):
        answers = _Answering if experiment.task.is_classification else _Predicting
        estimator = answers(outcome, classes)
        asked: Own = lambda rows, **more: function(estimator, rows, truth[rows], **more)  # noqa: E731
    else:
        predicted = _labels(outcome.predicted, classes)
        asked = lambda rows, **more: function(truth[rows], predicted[rows], **more)  # noqa: E731
    every = np.arange(outcome.rows)

    def call(weights: Array) -> Any:
        if weighs:
            return asked(every) if (weights == 1).all() else asked(every, sample_weight=weights)
        return asked(np.repeat(every, weights.astype(np.intp)))

    return call


def _value(name: str, ref: str, call: Callable[[Array], Any], weights: Array) -> float:
    try:
        return float(call(weights))
    except Exception as error:  # the experiment's own code may raise anything
        raise CodeInvalid(f"the metric '{name}' ({ref}) failed: {type(error).__name__}: {error}") from error


def _labels(codes: Array, classes: Sequence[Any]) -> NDArray[Any]:
    """Return class codes as the classes of the target, and values as they are; None for an answer that is no class of it."""
    if not classes:
        return codes
    if (codes >= 0).all():
        return np.asarray(classes)[codes.astype(np.intp)]
    return np.array([*classes, None], dtype=object)[codes.astype(np.intp)]


class _Predicting(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """A fitted estimator that knows its answers: scorers ask it for those of rows, which are positions."""

    def __init__(self, outcome: Outcome, classes: Sequence[Any] = ()) -> None:
        self.outcome = outcome
        self.classes = classes

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, rows: NDArray[np.intp]) -> NDArray[Any]:
        return _labels(self.outcome.predicted[rows], self.classes)


class _Answering(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """A fitted classifier that knows its answers, with probabilities or scores where the model that gave these has them."""

    def __init__(self, outcome: Outcome, classes: Sequence[Any] = ()) -> None:
        self.outcome = outcome
        self.classes = classes
        self.classes_ = np.asarray(classes)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, rows: NDArray[np.intp]) -> NDArray[Any]:
        return _labels(self.outcome.predicted[rows], self.classes)

    def predict_proba(self, rows: NDArray[np.intp]) -> Array:
        scores = self.outcome.scores
        if scores is None or not self.outcome.probabilistic:
            raise AttributeError("the model gives no probabilities")
        return np.column_stack([1 - scores[rows], scores[rows]]) if scores.ndim == 1 else scores[rows]

    def decision_function(self, rows: NDArray[np.intp]) -> Array:
        if self.outcome.scores is None:
            raise AttributeError("the model gives no scores")
        return self.outcome.scores[rows]
