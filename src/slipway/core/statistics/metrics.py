"""The metrics of each task, as functions of row weights.

A metric is prepared once for the truth and a prediction (sorting, per-row losses), and then gives its value under any row
weights. A bootstrap over 100,000 rows becomes affordable so: a resample is a vector of counts, and a prepared ROC AUC costs
one cumulative sum instead of a new sort. Values equal scikit-learn's with `sample_weight`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from slipway.core.tasks import Task

Array = NDArray[np.float64]
Weighted = Callable[[Array], float]
"""A prepared metric: from row weights of shape (rows,) to its value."""


@dataclass(frozen=True)
class Outcome:
    """The truth and the prediction for the same rows.

    Attributes:
        truth: Class codes 0..k-1 for a classification, values for a regression, (rows,). 1 is a binary task's positive class.
        predicted: The predicted class codes or values, (rows,).
        scores: The score of the positive class, (rows,), or of each class of a multiclass task, (rows, classes); None for a
            regression.
        probabilistic: Whether the scores are probabilities, so that log loss and Brier score mean something.
        weights: How much each row counts, at least 0, (rows,); None where every row counts once.
    """

    truth: Array
    predicted: Array
    scores: Array | None = None
    probabilistic: bool = False
    weights: Array | None = None

    @property
    def rows(self) -> int:
        return len(self.truth)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Outcome":
        """Return the Outcome of some of the rows, chosen by a mask of shape (rows,) or by positions."""
        scores = None if self.scores is None else self.scores[chosen]
        weights = None if self.weights is None else self.weights[chosen]
        return replace(self, truth=self.truth[chosen], predicted=self.predicted[chosen], scores=scores, weights=weights)

    @property
    def counted(self) -> Array:
        """How much each row counts, (rows,): its weight, or 1."""
        return np.ones(self.rows) if self.weights is None else self.weights

    def weighing(self, metric: "Weighted") -> "Weighted":
        """Return a prepared metric in which a row that is drawn n times counts n times its weight."""
        weights = self.weights
        if weights is None:
            return metric

        def weighed(counts: Array) -> float:
            drawn = counts * weights
            return metric(drawn) if drawn.any() else float("nan")

        return weighed


@dataclass(frozen=True)
class Metric:
    """A metric of predictions.

    Attributes:
        name: The name of the metric.
        greater_is_better: Whether a higher value is better.
        unweighted: From an Outcome to the prepared metric, before the Outcome's own weights.
        needs_scores: Whether the Outcome has to have scores.
        needs_probabilities: Whether the scores have to be probabilities.
        compares_classes: Whether the metric means nothing on rows of a single class.
        own: Whether the experiment brings the metric; higher is better then, as of scikit-learn's scorers.
    """

    name: str
    greater_is_better: bool
    unweighted: Callable[[Outcome], Weighted]
    needs_scores: bool = False
    needs_probabilities: bool = False
    compares_classes: bool = False
    own: bool = False

    def prepare(self, outcome: Outcome) -> Weighted:
        """Prepare the metric: it takes how often each row is drawn, (rows,), and counts a row by its weight as well."""
        return outcome.weighing(self.unweighted(outcome))

    def fits(self, task: Task, outcome: Outcome) -> bool:
        """Return whether the task has the metric, and the Outcome the scores or probabilities that the metric needs."""
        if not (self.own or self.name in task.traits.metrics) or (self.needs_scores and outcome.scores is None):
            return False
        return outcome.probabilistic or not self.needs_probabilities

    def better(self, a: float, b: float) -> float:
        """Return how much better `a` is than `b`, in the metric's unit; negative where `a` is worse."""
        return a - b if self.greater_is_better else b - a


def _mean_of(per_row: Array) -> Weighted:
    return lambda weights: float(np.dot(weights, per_row) / weights.sum())


def _accuracy(outcome: Outcome) -> Weighted:
    return _mean_of((outcome.truth == outcome.predicted).astype(float))


def _recalls(outcome: Outcome) -> Callable[[Array], Array]:
    truth, hit = outcome.truth.astype(int), (outcome.truth == outcome.predicted).astype(float)
    classes = int(truth.max()) + 1

    def recalls(weights: Array) -> Array:
        support = np.bincount(truth, weights, minlength=classes)
        return np.bincount(truth, weights * hit, minlength=classes)[support > 0] / support[support > 0]

    return recalls


def _balanced_accuracy(outcome: Outcome) -> Weighted:
    recalls = _recalls(outcome)
    return lambda weights: float(recalls(weights).mean())


def _precision(outcome: Outcome) -> Weighted:
    return _share(hits=(outcome.predicted == 1) & (outcome.truth == 1), among=outcome.predicted == 1)


def _recall(outcome: Outcome) -> Weighted:
    return _share(hits=(outcome.predicted == 1) & (outcome.truth == 1), among=outcome.truth == 1)


def _share(hits: NDArray[np.bool_], among: NDArray[np.bool_]) -> Weighted:
    """Return the weight of `hits` over the weight of `among`; 0 where both are 0, as scikit-learn's zero_division=0."""
    hit, all_ = hits.astype(float), among.astype(float)

    def share(weights: Array) -> float:
        total = float(np.dot(weights, all_))
        return float(np.dot(weights, hit)) / total if total else 0.0

    return share


def _f1(outcome: Outcome) -> Weighted:
    return _f1_of(outcome.truth == 1, outcome.predicted == 1)


def _f1_of(truth: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Weighted:
    both, either = (truth & predicted).astype(float), truth.astype(float) + predicted.astype(float)

    def f1(weights: Array) -> float:
        total = float(np.dot(weights, either))
        return 2.0 * float(np.dot(weights, both)) / total if total else 0.0

    return f1


def _f1_macro(outcome: Outcome) -> Weighted:
    codes = np.union1d(outcome.truth, outcome.predicted)
    parts = [_f1_of(outcome.truth == code, outcome.predicted == code) for code in codes]
    return lambda weights: float(np.mean([part(weights) for part in parts]))


def _log_loss(outcome: Outcome) -> Weighted:
    assert outcome.scores is not None
    scores = np.column_stack([1 - outcome.scores, outcome.scores]) if outcome.scores.ndim == 1 else outcome.scores
    chosen = scores[np.arange(outcome.rows), outcome.truth.astype(int)] / scores.sum(axis=1)
    return _mean_of(-np.log(np.clip(chosen, np.finfo(float).eps, 1.0)))


def _brier(outcome: Outcome) -> Weighted:
    assert outcome.scores is not None
    return _mean_of((outcome.scores - outcome.truth) ** 2)


def _roc_auc(outcome: Outcome) -> Weighted:
    assert outcome.scores is not None
    if outcome.scores.ndim == 1:
        return _roc_auc_of(outcome.truth == 1, outcome.scores)
    parts = [_roc_auc_of(outcome.truth == code, outcome.scores[:, code]) for code in range(outcome.scores.shape[1])]
    return lambda weights: float(np.mean([part(weights) for part in parts]))


def _roc_auc_of(positive: NDArray[np.bool_], scores: Array) -> Weighted:
    """Return the ROC AUC in the Mann-Whitney form: the weight of rightly ranked pairs, ties counted half."""
    order = np.argsort(scores, kind="stable")
    positives, negatives = order[positive[order]], order[~positive[order]]
    below = np.searchsorted(scores[negatives], scores[positives], side="left")
    not_above = np.searchsorted(scores[negatives], scores[positives], side="right")

    def auc(weights: Array) -> float:
        lower = np.concatenate(([0.0], np.cumsum(weights[negatives])))
        weight = weights[positives]
        pairs = weight.sum() * lower[-1]
        return float(np.dot(weight, lower[below] + lower[not_above]) / (2 * pairs)) if pairs else float("nan")

    return auc


def _average_precision(outcome: Outcome) -> Weighted:
    """Return the sum of the precision at each threshold, weighted by the gain in recall (scikit-learn's definition)."""
    assert outcome.scores is not None
    order, ends = _tie_groups(-outcome.scores)
    is_positive = (outcome.truth[order] == 1).astype(float)

    def average_precision(weights: Array) -> float:
        weight = weights[order]
        hits, seen = np.cumsum(weight * is_positive)[ends], np.cumsum(weight)[ends]
        if not hits[-1]:
            return 0.0
        precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
        return float(np.dot(np.diff(hits, prepend=0.0), precision) / hits[-1])

    return average_precision


def _tie_groups(scores: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the ascending order of `scores`, and the last position of each run of equal scores in that order."""
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    return order, np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)


def _rmse(outcome: Outcome) -> Weighted:
    mean_square = _mean_of((outcome.truth - outcome.predicted) ** 2)
    return lambda weights: float(np.sqrt(mean_square(weights)))


def _mae(outcome: Outcome) -> Weighted:
    return _mean_of(np.abs(outcome.truth - outcome.predicted))


def _r2(outcome: Outcome) -> Weighted:
    truth, squares = outcome.truth, (outcome.truth - outcome.predicted) ** 2

    def r2(weights: Array) -> float:
        total = float(np.dot(weights, (truth - np.dot(weights, truth) / weights.sum()) ** 2))
        return 1.0 - float(np.dot(weights, squares)) / total if total else float("nan")

    return r2


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric("roc_auc", True, _roc_auc, needs_scores=True, compares_classes=True),
            Metric("average_precision", True, _average_precision, needs_scores=True, compares_classes=True),
            Metric("log_loss", False, _log_loss, needs_scores=True, needs_probabilities=True),
            Metric("brier_score", False, _brier, needs_scores=True, needs_probabilities=True),
            Metric("accuracy", True, _accuracy),
            Metric("balanced_accuracy", True, _balanced_accuracy, compares_classes=True),
            Metric("f1", True, _f1, compares_classes=True),
            Metric("precision", True, _precision, compares_classes=True),
            Metric("recall", True, _recall, compares_classes=True),
            Metric("f1_macro", True, _f1_macro, compares_classes=True),
            Metric("rmse", False, _rmse),
            Metric("mae", False, _mae),
            Metric("r2", True, _r2),
        )
    }
)
"""Every metric by its name, in the order in which reports show them."""


def named(name: str) -> Metric:
    """Return the metric of a name. A name that METRICS lacks is that of an own metric, which nothing here can compute."""
    return METRICS.get(name) or Metric(name, True, partial(_without_code, name), own=True)


def _without_code(name: str, _: Outcome) -> Weighted:
    raise ValueError(f"{name} is a metric of the experiment's own, and its code is not here")


def measure(task: Task, outcome: Outcome, own: Iterable[Metric] = ()) -> dict[str, float]:
    """Compute each metric of the task that fits the Outcome, and those of the experiment's own, every row drawn once."""
    ones = np.ones(outcome.rows)
    return {name: prepared(ones) for name, prepared in prepare_all(task, outcome, own).items()}


def prepare_all(task: Task, outcome: Outcome, own: Iterable[Metric] = ()) -> dict[str, Weighted]:
    """Prepare each metric of the task that fits the Outcome, and those of the experiment's own."""
    metrics = [*(METRICS[name] for name in task.traits.metrics), *own]
    return {metric.name: metric.prepare(outcome) for metric in metrics if metric.fits(task, outcome)}
