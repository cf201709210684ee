import math
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from slipway.core.statistics.metrics import METRICS, Outcome, measure, prepare_all
from slipway.core.tasks import Task

SCIKIT = {
    "accuracy": lambda o, w: sk.accuracy_score(o.truth, o.predicted, sample_weight=w),
    "balanced_accuracy": lambda o, w: sk.balanced_accuracy_score(o.truth, o.predicted, sample_weight=w),
    "f1": lambda o, w: sk.f1_score(o.truth, o.predicted, sample_weight=w, zero_division=0),
    "precision": lambda o, w: sk.precision_score(o.truth, o.predicted, sample_weight=w, zero_division=0),
    "recall": lambda o, w: sk.recall_score(o.truth, o.predicted, sample_weight=w, zero_division=0),
    "f1_macro": lambda o, w: sk.f1_score(o.truth, o.predicted, sample_weight=w, average="macro", zero_division=0),
    "average_precision": lambda o, w: sk.average_precision_score(o.truth, o.scores, sample_weight=w),
    "brier_score": lambda o, w: sk.brier_score_loss(o.truth, o.scores, sample_weight=w),
    "log_loss": lambda o, w: sk.log_loss(
        o.truth, o.scores, sample_weight=w, labels=np.arange(2 if o.scores.ndim == 1 else o.scores.shape[1])
    ),
    "rmse": lambda o, w: sk.root_mean_squared_error(o.truth, o.predicted, sample_weight=w),
    "mae": lambda o, w: sk.mean_absolute_error(o.truth, o.predicted, sample_weight=w),
    "r2": lambda o, w: sk.r2_score(o.truth, o.predicted, sample_weight=w),
    "roc_auc": lambda o, w: (
        sk.roc_auc_score(o.truth, o.scores, sample_weight=w)
        if o.scores.ndim == 1
        else np.mean([sk.roc_auc_score(o.truth == k, o.scores[:, k], sample_weight=w) for k in range(3)])
    ),
}
seeds = st.integers(0, 2**32 - 1)


def tied(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Scores of a few levels only, so that there are many ties, 0 and 1 among them."""
    return rng.integers(0, 5, rows) / 4


@st.composite
def weighted_outcomes(draw: Callable, task: Task, complete: bool = True) -> tuple[Outcome, np.ndarray]:
    """An outcome with row weights, some of them 0. complete: each class has a row of some weight."""
    rng, rows = np.random.default_rng(draw(seeds)), draw(st.integers(8, 60))
    weights = draw(st.sampled_from([rng.integers(0, 4, rows).astype(float), rng.random(rows), np.ones(rows)]))
    classes = {Task.BINARY: 2, Task.MULTICLASS: 3, Task.REGRESSION: 0}[task]
    weights[: max(classes, 2)] += 1
    if task is Task.REGRESSION:
        truth = rng.normal(size=rows)
        return Outcome(truth, truth + rng.normal(size=rows)), weights
    truth = rng.integers(0, classes, rows).astype(float) if complete else np.full(rows, float(rng.integers(classes)))
    truth[:classes] = np.arange(classes) if complete else truth[:classes]
    predicted = rng.integers(0, classes, rows).astype(float)
    if task is Task.BINARY:
        return Outcome(truth, predicted, draw(st.sampled_from([tied(rng, rows), rng.random(rows)])), True), weights
    shares = np.column_stack([tied(rng, rows) + 0.125 for _ in range(classes)])
    return Outcome(truth, predicted, shares / shares.sum(axis=1, keepdims=True), True), weights


@pytest.mark.parametrize("task", Task)
@given(data=st.data())
def test_every_metric_equals_scikit_learns_under_weights_and_ties(task: Task, data: st.DataObject) -> None:
    outcome, weights = data.draw(weighted_outcomes(task))
    ours = {name: metric(weights) for name, metric in prepare_all(task, outcome).items()}
    assert tuple(ours) == task.traits.metrics
    theirs = {name: SCIKIT[name](outcome, weights) for name in ours}
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
@given(data=st.data())
def test_with_one_class_only_the_ranking_is_undefined_and_the_rest_equals_scikit_learns(
    task: Task, data: st.DataObject
) -> None:
    outcome, weights = data.draw(weighted_outcomes(task, complete=False))
    ours = {name: metric(weights) for name, metric in prepare_all(task, outcome).items()}
    assert math.isnan(ours.pop("roc_auc"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's remarks on missing classes
        theirs = {name: SCIKIT[name](outcome, weights) for name in ours}
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("task", Task)
@given(data=st.data())
def test_a_whole_weight_counts_as_that_many_rows(task: Task, data: st.DataObject) -> None:
    outcome, _ = data.draw(weighted_outcomes(task))
    counts = data.draw(st.lists(st.integers(1, 3), min_size=outcome.rows, max_size=outcome.rows))
    repeated = Outcome(
        np.repeat(outcome.truth, counts),
        np.repeat(outcome.predicted, counts),
        None if outcome.scores is None else np.repeat(outcome.scores, counts, axis=0),
        outcome.probabilistic,
    )
    weighted = {name: metric(np.array(counts, float)) for name, metric in prepare_all(task, outcome).items()}
    assert weighted == pytest.approx(measure(task, repeated), rel=1e-9, abs=1e-12)


@given(weighted_outcomes(Task.BINARY))
def test_the_ranking_does_not_see_a_monotone_change_of_the_scores(drawn: tuple[Outcome, np.ndarray]) -> None:
    outcome, weights = drawn
    stretched = Outcome(outcome.truth, outcome.predicted, np.exp(3 * outcome.scores) - 7)
    for name in ("roc_auc", "average_precision"):
        prepare = METRICS[name].prepare
        assert prepare(outcome)(weights) == pytest.approx(prepare(stretched)(weights), abs=1e-12)


def test_a_perfect_ranking_is_1_a_reversed_one_0_and_a_constant_one_one_half() -> None:
    truth = np.array([0.0, 0.0, 1.0, 1.0])
    auc = {name: METRICS["roc_auc"].prepare(Outcome(truth, truth, s)) for name, s in (
        ("perfect", truth), ("reversed", -truth), ("constant", np.zeros(4)))}  # fmt: skip
    values = {name: metric(np.array([3.0, 1.0, 1.0, 2.0])) for name, metric in auc.items()}
    assert values == {"perfect": 1.0, "reversed": 0.0, "constant": 0.5}


def test_the_explained_share_of_a_constant_truth_is_undefined() -> None:
    outcome = Outcome(np.full(4, 2.0), np.arange(4.0))
    assert math.isnan(measure(Task.REGRESSION, outcome)["r2"])


def test_a_certain_and_wrong_probability_has_a_finite_log_loss() -> None:
    outcome = Outcome(np.array([1.0, 0.0]), np.array([0.0, 0.0]), np.array([0.0, 0.0]), True)
    assert measure(Task.BINARY, outcome)["log_loss"] == pytest.approx(-math.log(np.finfo(float).eps) / 2)


def test_labels_alone_are_measured_by_labels_and_margins_by_rank_but_not_as_probabilities() -> None:
    truth = np.array([0.0, 1.0, 1.0])
    of_labels = set(measure(Task.BINARY, Outcome(truth, truth)))
    of_margins = set(measure(Task.BINARY, Outcome(truth, truth, np.array([-3.0, 2.0, 9.0]))))
    assert of_labels == {"accuracy", "balanced_accuracy", "f1", "precision", "recall"}
    assert of_margins == of_labels | {"roc_auc", "average_precision"}


@pytest.mark.parametrize("name", METRICS)
def test_better_has_the_sign_of_the_metrics_direction(name: str) -> None:
    metric = METRICS[name]
    errors = {"log_loss", "brier_score", "rmse", "mae"}
    assert metric.better(2.0, 1.5) == (-0.5 if name in errors else 0.5)
    assert metric.better(1.5, 2.0) == -metric.better(2.0, 1.5)


def test_a_metric_does_not_fit_another_task() -> None:
    outcome = Outcome(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([0.1, 0.9]), True)
    assert not METRICS["rmse"].fits(Task.BINARY, outcome)
    assert not METRICS["brier_score"].fits(Task.MULTICLASS, outcome)
