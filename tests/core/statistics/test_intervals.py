import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.core.statistics.intervals import RESAMPLES, bootstrap, paired_differences
from slipway.core.statistics.metrics import METRICS, Outcome, prepare_all
from slipway.core.tasks import Task

seeds = st.integers(0, 2**32 - 1)


def answered(seed: int, rows: int, skill: float = 1.0) -> Outcome:
    """A binary outcome whose scores know the truth up to noise."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(rows) < 0.4).astype(float)
    scores = 1 / (1 + np.exp(-(skill * (truth - 0.5) + rng.normal(size=rows))))
    return Outcome(truth, (scores > 0.5).astype(float), scores, True)


@given(seed=seeds, rows=st.integers(30, 150))
def test_an_interval_contains_its_value_and_has_its_ends_in_order(seed: int, rows: int) -> None:
    outcome = answered(seed, rows)
    for name, interval in bootstrap(prepare_all(Task.BINARY, outcome), rows, seed=seed, resamples=100).items():
        assert interval.low - 1e-9 <= interval.value <= interval.high + 1e-9, name


@given(seed=seeds)
def test_the_same_seed_gives_the_same_interval_and_another_seed_another(seed: int) -> None:
    metrics = prepare_all(Task.BINARY, answered(1, 60))
    once, again = (bootstrap(metrics, 60, seed=seed, resamples=30) for _ in range(2))
    assert once == again
    assert bootstrap(metrics, 60, seed=seed + 1, resamples=30) != once


def test_more_rows_make_a_narrower_interval() -> None:
    def width(rows: int) -> float:
        metrics = {"accuracy": METRICS["accuracy"].prepare(answered(3, rows))}
        interval = bootstrap(metrics, rows, seed=0)["accuracy"]
        return interval.high - interval.low

    assert width(6400) == pytest.approx(width(400) / 4, rel=0.25)


def test_the_interval_of_a_mean_is_that_of_the_normal_approximation() -> None:
    values = np.random.default_rng(5).normal(size=2000)
    mean = {"mae": METRICS["mae"].prepare(Outcome(np.zeros(2000), np.abs(values)))}
    interval = bootstrap(mean, 2000, seed=0, resamples=2000)["mae"]
    error = 1.96 * np.abs(values).std() / math.sqrt(2000)
    assert (interval.high - interval.value, interval.value - interval.low) == pytest.approx((error, error), rel=0.1)


def test_resamples_in_which_a_metric_is_undefined_are_left_out() -> None:
    outcome = Outcome(np.eye(1, 12)[0], np.zeros(12), np.arange(12.0)[::-1])  # one positive: every third misses it
    interval = bootstrap({"roc_auc": METRICS["roc_auc"].prepare(outcome)}, 12, seed=0)["roc_auc"]
    assert (interval.value, interval.low, interval.high) == (1.0, 1.0, 1.0)


def test_a_metric_that_is_undefined_everywhere_has_no_ends() -> None:
    outcome = Outcome(np.zeros(10), np.zeros(10), np.arange(10.0))
    interval = bootstrap({"roc_auc": METRICS["roc_auc"].prepare(outcome)}, 10, seed=0)["roc_auc"]
    assert all(math.isnan(end) for end in (interval.value, interval.low, interval.high))


@given(seed=seeds, name=st.sampled_from(["roc_auc", "log_loss", "accuracy", "f1"]))
def test_paired_differences_are_antisymmetric(seed: int, name: str) -> None:
    truth = answered(seed, 80).truth
    first, second = (METRICS[name].prepare(Outcome(truth, a.predicted, a.scores, True)) for a in (
        answered(seed, 80), answered(seed + 1, 80)))  # fmt: skip
    forth = paired_differences(first, {"x": second}, 80, seed=seed, resamples=60)["x"]
    back = paired_differences(second, {"x": first}, 80, seed=seed, resamples=60)["x"]
    turned = paired_differences(first, {"x": second}, 80, seed=seed, sign=-1.0, resamples=60)["x"]
    assert (forth.value, forth.low, forth.high) == pytest.approx((-back.value, -back.high, -back.low), abs=1e-12)
    assert (turned.value, turned.low, turned.high) == pytest.approx((back.value, back.low, back.high), abs=1e-12)


@given(seed=seeds)
def test_nothing_differs_from_itself(seed: int) -> None:
    metric = METRICS["roc_auc"].prepare(answered(seed, 50))
    itself = paired_differences(metric, {"x": metric}, 50, seed=seed, resamples=40)["x"]
    assert (itself.value, itself.low, itself.high) == (0.0, 0.0, 0.0)


def test_pairing_is_narrower_than_two_intervals_of_their_own() -> None:
    one = answered(7, 400, skill=2.0)
    noise = np.random.default_rng(8).normal(scale=0.02, size=400)
    like_it = Outcome(one.truth, one.predicted, one.scores + noise, True)
    auc = METRICS["roc_auc"].prepare
    alone = bootstrap({"roc_auc": auc(one)}, 400, seed=0)["roc_auc"]
    pair = paired_differences(auc(one), {"x": auc(like_it)}, 400, seed=0)["x"]
    assert pair.high - pair.low < (alone.high - alone.low) / 3


def test_several_others_are_compared_on_the_same_resamples_as_one_alone() -> None:
    metrics = [METRICS["accuracy"].prepare(answered(seed, 70)) for seed in range(3)]
    both = paired_differences(metrics[0], {"a": metrics[1], "b": metrics[2]}, 70, seed=4)
    assert both["b"] == paired_differences(metrics[0], {"b": metrics[2]}, 70, seed=4)["b"]


def test_without_others_there_is_nothing_to_compare() -> None:
    assert paired_differences(METRICS["accuracy"].prepare(answered(0, 10)), {}, 10, seed=0) == {}


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """200 pairs of models that are equally good: their intervals hold 0 in about 95 of 100, and miss it on both sides alike."""
    rng, above, below = np.random.default_rng(11), 0, 0
    for pair in range(200):
        truth = (rng.random(150) < 0.5).astype(float)
        first, second = ((rng.random(150) < 0.7) == truth for _ in range(2))
        ours, other = (METRICS["accuracy"].prepare(Outcome(truth, answer.astype(float))) for answer in (first, second))
        interval = paired_differences(ours, {"x": other}, 150, seed=pair, resamples=RESAMPLES // 4)["x"]
        above, below = above + (interval.low > 0), below + (interval.high < 0)
    # Of 200 draws at 5 %, 4 to 18 lie within the central 99 %; the percentile interval itself runs a little narrow.
    assert 3 <= above + below <= 20
    assert above >= 1 and below >= 1 and abs(above - below) <= 10
