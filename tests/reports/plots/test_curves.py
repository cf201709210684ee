import numpy as np
import pytest
from sklearn.metrics import (
    auc,
    average_precision_score,
    confusion_matrix,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from slipway.core.statistics.metrics import Outcome
from slipway.reports.plots import _curves as curves


@pytest.fixture
def ranking() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = rng.random(5000) < 0.3
    return truth, np.round(truth * 0.4 + rng.random(5000), 2)  # rounded: many ties


def test_the_roc_curve_passes_through_the_points_of_scikit_learn(ranking):
    truth, scores = ranking
    x, y, _ = roc_curve(truth, scores, drop_intermediate=False)
    mine = curves.roc(truth, scores)
    np.testing.assert_allclose(mine[0], x)
    np.testing.assert_allclose(mine[1], y)


def test_the_precision_recall_curve_passes_through_the_points_of_scikit_learn(ranking):
    truth, scores = ranking
    precision, recall, _ = precision_recall_curve(truth, scores)
    mine = curves.precision_recall(truth, scores)
    np.testing.assert_allclose(mine[0], recall[:-1][::-1])
    np.testing.assert_allclose(mine[1], precision[:-1][::-1])


def test_a_thinned_curve_is_short_and_keeps_its_ends_and_its_area():
    rng = np.random.default_rng(4)
    truth = rng.random(200_000) < 0.1
    scores = truth * 0.5 + rng.normal(size=200_000)
    x, y = curves.roc(truth, scores)
    assert len(x) < 1100
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert auc(x, y) == pytest.approx(roc_auc_score(truth, scores), abs=1e-4)
    recall, precision = curves.precision_recall(truth, scores)
    area = np.sum(np.diff(recall, prepend=0) * precision)
    assert area == pytest.approx(average_precision_score(truth, scores), abs=5e-3)


def test_a_hard_prediction_is_one_point():
    truth, said = np.array([1, 1, 1, 0, 0, 0, 0]) == 1, np.array([1, 1, 0, 1, 0, 0, 0]) == 1
    assert curves.hard_point(truth, said) == pytest.approx((0.25, 2 / 3, 2 / 3))
    assert curves.hard_point(truth, ~(truth | ~truth)) == (0, 0, 0)


def test_reliability_bins_hold_every_row_once_and_their_interval_holds_the_share():
    rng = np.random.default_rng(5)
    scores = rng.beta(1, 8, 10_000)
    truth = (rng.random(10_000) < scores).astype(float)
    mean, share, low, high, rows = curves.reliability(truth, scores)
    assert rows.sum() == 10_000 and rows.min() > 800
    assert (np.diff(mean) > 0).all() and (low <= share).all() and (share <= high).all()
    assert np.dot(share, rows) == pytest.approx(truth.sum())
    assert (low < mean).mean() > 0.8, "well calibrated scores lie in most of their intervals"


@pytest.mark.parametrize("scores", [np.full(50, 0.3), np.r_[np.zeros(49), 1.0], np.array([0.4])])
def test_reliability_of_few_distinct_scores_has_few_bins(scores):
    truth = np.zeros(len(scores))
    mean, share, low, high, rows = curves.reliability(truth, scores)
    assert rows.sum() == len(scores) and len(rows) <= 2
    assert np.isfinite([*mean, *share, *low, *high]).all()


def test_medians_lie_along_x():
    x = np.arange(1000.0)
    middle, median = curves.medians_along(x, 2 * x, bins=10)
    assert len(middle) == 10
    np.testing.assert_allclose(median, 2 * middle)


def test_confusion_counts_as_scikit_learn_and_keeps_classes_that_never_came():
    rng = np.random.default_rng(6)
    truth, predicted = rng.integers(0, 3, 500), rng.integers(0, 3, 500)
    expected = confusion_matrix(truth, predicted, labels=range(5))
    np.testing.assert_array_equal(curves.confusion(truth.astype(float), predicted.astype(float), 5), expected)


def test_rows_that_are_not_finite_are_dropped_from_every_array():
    outcome = Outcome(
        np.array([0.0, 1.0, np.nan, 1.0]),
        np.array([0.0, np.inf, 1.0, 1.0]),
        np.array([[0.5, 0.5], [0.1, 0.9], [0.1, 0.9], [0.2, 0.8]]),
    )
    kept = curves.finite(outcome)
    assert kept.rows == 2 and kept.scores is not None
    np.testing.assert_array_equal(kept.scores, [[0.5, 0.5], [0.2, 0.8]])
    whole = Outcome(np.zeros(2), np.zeros(2))
    assert curves.finite(whole) is whole
