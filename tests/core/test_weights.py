"""A row of weight 3 counts as three rows of weight 1, and a row of weight 0 as none: in every metric, cost and slice."""

import numpy as np
import pandas as pd
import pytest

from slipway.core.spec import Costs
from slipway.core.statistics.calibration import calibration
from slipway.core.statistics.costs import cheapest_threshold, cost_along, mean_cost, pooled
from slipway.core.statistics.intervals import bootstrap
from slipway.core.statistics.metrics import METRICS, Outcome, measure
from slipway.core.statistics.slices import slices
from slipway.core.tasks import Task
from slipway.reports.fairness import fairness

ROWS = 240
RNG = np.random.default_rng(5)
WEIGHTS = RNG.integers(0, 4, ROWS).astype(float)


def answers(task: Task, weights: np.ndarray | None = WEIGHTS) -> Outcome:
    rng = np.random.default_rng(7)
    if task is Task.REGRESSION:
        truth = rng.normal(size=ROWS)
        return Outcome(truth, truth + rng.normal(size=ROWS) / 2, weights=weights)
    if task is Task.BINARY:
        truth = rng.integers(0, 2, ROWS).astype(float)
        scores = np.clip(truth * 0.3 + rng.random(ROWS) * 0.7, 0.01, 0.99)
        return Outcome(truth, (scores > 0.5).astype(float), scores, True, weights)
    truth, scores = rng.integers(0, 3, ROWS).astype(float), rng.dirichlet(np.ones(3), ROWS)
    return Outcome(truth, scores.argmax(axis=1).astype(float), scores, True, weights)


def repeated(outcome: Outcome) -> Outcome:
    """Return the rows as often as they weigh, each with a weight of its own of 1."""
    return Outcome(**{**vars(outcome.take(np.repeat(np.arange(ROWS), WEIGHTS.astype(int)))), "weights": None})


@pytest.mark.parametrize("task", list(Task))
def test_each_metric_counts_a_row_by_its_weight(task: Task) -> None:
    found, expected = measure(task, answers(task)), measure(task, repeated(answers(task)))
    assert found == pytest.approx(expected)
    assert found != pytest.approx(measure(task, answers(task, None)))


@pytest.mark.parametrize("task", list(Task))
def test_calibration_is_of_the_rows_that_count(task: Task) -> None:
    some = np.flatnonzero(np.arange(ROWS) % 3)
    masked = answers(task, np.isin(np.arange(ROWS), some).astype(float))
    assert calibration(task, masked) == calibration(task, answers(task, None).take(some))
    heavy = answers(task, np.full(ROWS, 2.5))
    assert calibration(task, heavy).error == pytest.approx(calibration(task, answers(task, None)).error)  # type: ignore[union-attr]


def test_the_cheapest_threshold_and_its_cost_are_those_of_the_repeated_rows() -> None:
    costs, outcome = Costs(false_positive=1, false_negative=4), answers(Task.BINARY)
    assert cheapest_threshold(outcome, costs) == pytest.approx(cheapest_threshold(repeated(outcome), costs))
    assert mean_cost(outcome, costs)(np.ones(ROWS)) == pytest.approx(
        mean_cost(repeated(outcome), costs)(np.ones(int(WEIGHTS.sum())))
    )
    thresholds, along = cost_along(outcome, costs)
    assert along[thresholds == cheapest_threshold(outcome, costs)[0]] == pytest.approx(along.min())


def test_folds_keep_the_weights_of_their_rows() -> None:
    outcome = answers(Task.BINARY)
    halves = [outcome.take(np.arange(ROWS) < 100), outcome.take(np.arange(ROWS) >= 100)]
    assert np.array_equal(pooled(halves).weights, WEIGHTS)  # type: ignore[arg-type]
    assert pooled([answers(Task.BINARY, None)] * 2).weights is None


def test_an_interval_draws_rows_and_counts_each_by_its_weight() -> None:
    metric = METRICS["accuracy"]
    even = answers(Task.BINARY, np.full(ROWS, 7.0))
    plain = answers(Task.BINARY, None)
    assert bootstrap({"a": metric.prepare(even)}, ROWS, seed=1)["a"].low == pytest.approx(
        bootstrap({"a": metric.prepare(plain)}, ROWS, seed=1)["a"].low
    )
    few = answers(Task.BINARY, (np.arange(ROWS) < 40).astype(float))
    wide, narrow = (bootstrap({"a": metric.prepare(each)}, ROWS, seed=1)["a"] for each in (few, plain))
    assert wide.high - wide.low > narrow.high - narrow.low


def test_a_slice_without_a_row_that_counts_says_so() -> None:
    outcome = answers(Task.BINARY, (np.arange(ROWS) < 120).astype(float))
    port = pd.Series(np.where(np.arange(ROWS) < 120, "hill", "mill"))
    hill, mill = slices(outcome, {"port": port}, METRICS["roc_auc"], seed=0)
    assert hill.interval and mill.interval is None
    assert mill.reason == "no row with a weight above 0"


@pytest.mark.parametrize("task", list(Task))
def test_groups_are_measured_by_weight(task: Task) -> None:
    port = pd.Series(np.where(np.arange(ROWS) % 2, "hill", "mill"))
    names = ["a", "b", "c"] if task is Task.MULTICLASS else []
    (found,) = fairness(task, answers(task), {"port": port}, names)
    often = port.repeat(WEIGHTS.astype(int)).reset_index(drop=True)
    (expected,) = fairness(task, repeated(answers(task)), {"port": often}, names)
    assert found.differences == pytest.approx(expected.differences)
    for one, other in zip(found.groups, expected.groups, strict=True):
        assert one.measures == pytest.approx(other.measures)
