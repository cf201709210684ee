"""The selection of an ensemble: never worse than the best trial on the rows it is chosen on, the same each time, and small."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.core.ensembles import MOST_MEMBERS, mean_answer, outcome_of, select
from slipway.core.statistics.metrics import METRICS
from slipway.core.tasks import Task

ROWS = 60
METRIC_OF = {
    Task.BINARY: ("roc_auc", "log_loss", "accuracy"),
    Task.MULTICLASS: ("log_loss",),
    Task.REGRESSION: ("rmse",),
}


def library(task, seed, count, folds=2):
    """Truths and the answers of trials that know the truth more or less, by number, in no order."""
    rng = np.random.default_rng(seed)
    truths = [
        rng.normal(size=ROWS) if task is Task.REGRESSION else rng.permutation(np.arange(ROWS) % 3) * 1.0
        for _ in range(folds)
    ]
    if task is Task.BINARY:
        truths = [np.minimum(truth, 1.0) for truth in truths]
    return truths, {n: [answer(task, truth, rng) for truth in truths] for n in range(1, count + 1)}


def answer(task, truth, rng):
    if task is Task.REGRESSION:
        return np.float32(truth + rng.normal(scale=rng.uniform(0.3, 2), size=ROWS))
    sure = rng.uniform(0, 3) * np.eye(3)[truth.astype(int)] + rng.normal(size=(ROWS, 3))
    each = np.exp(sure) / np.exp(sure).sum(axis=1, keepdims=True)
    return np.float32(each[:, 1] / (each[:, 0] + each[:, 1]) if task is Task.BINARY else each)


def score(task, metric, truths, folds):
    measured = METRICS[metric]
    sign = 1 if measured.greater_is_better else -1
    outcomes = [outcome_of(task, truth, fold) for truth, fold in zip(truths, folds, strict=True)]
    return sign * np.mean([measured.prepare(outcome)(np.ones(outcome.rows)) for outcome in outcomes])


def best_first(task, metric, truths, answers):
    return dict(sorted(answers.items(), key=lambda item: -score(task, metric, truths, item[1])))


@given(
    st.sampled_from([(task, metric) for task, metrics in METRIC_OF.items() for metric in metrics]),
    st.integers(0, 10**6),
    st.integers(1, 12),
)
@settings(deadline=None, max_examples=40)
def test_an_ensemble_is_never_worse_than_its_best_member_and_is_the_same_each_time(what, seed, count):
    task, metric = what
    truths, answers = library(task, seed, count)
    answers = best_first(task, metric, truths, answers)
    counts = select(task, METRICS[metric], truths, answers)
    assert counts == select(task, METRICS[metric], truths, answers)
    assert 1 <= len(counts) <= MOST_MEMBERS
    assert set(counts) <= set(answers)
    weights = [count / sum(counts.values()) for count in counts.values()]
    assert sum(weights) == pytest.approx(1)
    together = [mean_answer(fold, weights) for fold in zip(*(answers[n] for n in counts), strict=True)]
    assert score(task, metric, truths, together) >= score(task, metric, truths, answers[next(iter(answers))]) - 1e-6


def test_errors_that_differ_cancel_out():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=4000)
    answers = {n: [np.float32(truth + rng.normal(size=4000))] for n in range(1, 4)}
    answers[9] = [np.float32(truth + rng.normal(scale=30, size=4000))]
    counts = select(Task.REGRESSION, METRICS["rmse"], [truth], answers)
    assert set(counts) == {1, 2, 3}


def test_among_equal_trials_the_best_stays_alone():
    truth = np.arange(50.0)
    same = np.float32(truth + np.tile([1, -1], 25))
    assert select(Task.REGRESSION, METRICS["rmse"], [truth], {4: [same], 5: [same], 6: [same]}) == {4: 1}


def test_many_rows_are_ranked_on_fewer_rows_of_the_whole_length():
    truth = np.arange(200_000.0) % 7
    good = {1: [np.float32(truth + 1)], 2: [np.float32(truth - 1)]}
    assert select(Task.REGRESSION, METRICS["rmse"], [truth], good) == {1: 1, 2: 1}


def test_the_mean_answer_weighs():
    assert mean_answer([np.array([0.0, 1.0]), np.array([4.0, 1.0])], [0.75, 0.25]).tolist() == [1.0, 1.0]
    assert all(a <= b for a, b in pairwise(mean_answer([np.arange(3.0), np.arange(3.0)], [1, 3])))
