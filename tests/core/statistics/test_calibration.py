import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.core.statistics.calibration import BINS, bins_of, calibration, miscalibrated
from slipway.core.statistics.metrics import Outcome
from slipway.core.tasks import Task

shares = st.floats(0, 1)
rows = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), shares), min_size=1, max_size=80)


def binary(truth, scores) -> Outcome:
    scores = np.asarray(scores, float)
    return Outcome(np.asarray(truth, float), (scores >= 0.5).astype(float), scores, probabilistic=True)


@given(drawn=rows)
def test_every_row_is_in_one_bin_and_the_error_is_between_the_bias_and_the_worst_bin(drawn):
    truth, scores = (np.array(part) for part in zip(*drawn, strict=True))
    found = calibration(Task.BINARY, binary(truth, scores))
    assert sum(part.rows for part in found.bins) == len(truth)
    assert len(found.bins) <= BINS
    assert abs(truth.mean() - scores.mean()) - 1e-9 <= found.error <= abs(found.worst.off) + 1e-9 <= 1 + 2e-9


@given(drawn=rows)
def test_bins_rise_and_hold_what_was_predicted_and_what_came(drawn):
    truth, scores = (np.array(part) for part in zip(*drawn, strict=True))
    bins = calibration(Task.BINARY, binary(truth, scores)).bins
    assert [part.predicted for part in bins] == sorted(part.predicted for part in bins)
    assert sum(part.rows * part.predicted for part in bins) == pytest.approx(scores.sum(), abs=1e-9)
    assert sum(part.rows * part.observed for part in bins) == pytest.approx(truth.sum(), abs=1e-9)


@given(drawn=rows)
def test_the_order_of_the_rows_does_not_matter(drawn):
    forth, back = (calibration(Task.BINARY, binary(*zip(*some, strict=True))) for some in (drawn, drawn[::-1]))
    assert forth.error == pytest.approx(back.error)


@given(drawn=rows)
def test_the_positive_class_and_the_other_are_as_far_off(drawn):
    """Of rows with different scores: equal ones may fall on the other side of an edge."""
    truth, scores = (np.array(part) for part in zip(*{score: (t, score) for t, score in drawn}.values(), strict=True))
    one = calibration(Task.BINARY, binary(truth, scores), bins=1)
    other = calibration(Task.BINARY, binary(1 - truth, 1 - scores), bins=1)
    assert one.error == pytest.approx(other.error)


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(10, 3000))
def test_different_predictions_are_in_bins_of_equally_many_rows(seed, rows):
    counts = np.bincount(bins_of(np.random.default_rng(seed).random(rows)))
    assert len(counts) == BINS and counts.max() - counts.min() <= 2


def test_probabilities_that_are_right_have_no_error_but_noise():
    rng = np.random.default_rng(0)
    scores = rng.random(200_000)
    truth = rng.random(200_000) < scores
    assert calibration(Task.BINARY, binary(truth, scores)).error < 0.005


def test_probabilities_that_are_off_by_a_tenth_have_an_error_of_a_tenth():
    rng = np.random.default_rng(0)
    scores = 0.2 + 0.5 * rng.random(200_000)
    found = calibration(Task.BINARY, binary(rng.random(200_000) < scores + 0.1, scores))
    assert found.error == pytest.approx(0.1, abs=0.005)
    assert all(part.off == pytest.approx(0.1, abs=0.02) for part in found.bins)


def test_among_several_classes_that_of_the_predicted_class_counts():
    scores = np.array([[0.7, 0.2, 0.1]] * 10)
    truth = np.array([0.0] * 6 + [1.0] * 4)
    (part,) = calibration(Task.MULTICLASS, Outcome(truth, np.zeros(10), scores, True)).bins
    assert (part.predicted, part.observed, part.rows) == (pytest.approx(0.7), pytest.approx(0.6), 10)


def test_a_regression_is_off_by_its_mean_error_in_each_part_of_its_predictions():
    predicted = np.arange(1000.0)
    found = calibration(Task.REGRESSION, Outcome(predicted + np.where(predicted < 500, -2, 4), predicted))
    assert [round(part.off, 9) for part in found.bins] == [-2] * 5 + [4] * 5
    assert found.error == pytest.approx(3) and found.worst.off == pytest.approx(4)


def test_scores_that_are_no_probabilities_have_no_calibration():
    truth = np.array([0.0, 1.0])
    assert calibration(Task.BINARY, Outcome(truth, truth, np.array([-3.0, 3.0]), probabilistic=False)) is None
    assert calibration(Task.BINARY, Outcome(truth, truth)) is None


def test_rows_that_are_not_finite_are_left_out():
    found = calibration(Task.REGRESSION, Outcome(np.array([1.0, np.nan, 3.0]), np.array([1.0, 2.0, np.inf])))
    assert [part.rows for part in found.bins] == [1]
    assert calibration(Task.REGRESSION, Outcome(np.array([]), np.array([]))) is None


@pytest.mark.parametrize(
    ("rows", "off", "warned"), [(5000, 0.35, True), (5000, 0.0, False), (5000, 0.05, False), (30, 0.0, False)]
)
def test_what_is_off_by_much_and_not_by_chance_is_warned_of(rows, off, warned):
    rng = np.random.default_rng(1)
    scores = 0.4 + 0.2 * rng.random(rows)
    said = miscalibrated(Task.BINARY, calibration(Task.BINARY, binary(rng.random(rows) < scores - off, scores)))
    assert bool(said) is warned
    assert not warned or "they are 0.35 off on average" in said


def test_nothing_is_warned_of_where_nothing_is_said_of_probabilities():
    assert miscalibrated(Task.BINARY, None) == ""
    truth = np.arange(100.0)
    assert miscalibrated(Task.REGRESSION, calibration(Task.REGRESSION, Outcome(truth, truth + 50))) == ""
