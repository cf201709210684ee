"""The points of the curves that reports draw, from arrays to arrays."""

import numpy as np
from numpy.typing import NDArray

from slipway.core.statistics.calibration import BINS, bins_of
from slipway.core.statistics.metrics import METRICS, Array, Outcome

Mask = NDArray[np.bool_]
MOST_POINTS = 800


def finite(outcome: Outcome) -> Outcome:
    """Return the rows whose truth, prediction and scores are all finite."""
    keep = np.isfinite(outcome.truth) & np.isfinite(outcome.predicted)
    if outcome.scores is not None:
        whole = np.isfinite(outcome.scores)
        keep &= whole if whole.ndim == 1 else whole.all(axis=1)
    return outcome if keep.all() else outcome.take(keep)


def metric_of(name: str, outcome: Outcome) -> float:
    """Return the value of one of core's metrics, every row counted once."""
    return METRICS[name].prepare(outcome)(np.ones(outcome.rows))


def roc(positive: Mask, scores: Array) -> tuple[Array, Array]:
    """Return (false positive rate, true positive rate) from the strictest threshold to the loosest, thinned."""
    hits, alarms = _cumulated(positive, scores)
    chosen = _thin(len(hits))
    return alarms[chosen] / alarms[-1], hits[chosen] / hits[-1]


def precision_recall(positive: Mask, scores: Array) -> tuple[Array, Array]:
    """Return (recall, precision) from the strictest threshold to the loosest, thinned."""
    hits, alarms = (counts[1:] for counts in _cumulated(positive, scores))
    chosen = _thin(len(hits))
    return hits[chosen] / hits[-1], hits[chosen] / (hits + alarms)[chosen]


def hard_point(positive: Mask, predicted: Mask) -> tuple[float, float, float]:
    """Return (false positive rate, recall, precision) of a yes-or-no prediction; the precision is 0 without a yes."""
    hits, alarms = float((positive & predicted).sum()), float(predicted.sum())
    return float((alarms - hits) / (~positive).sum()), float(hits / positive.sum()), hits / alarms if alarms else 0.0


def reliability(truth: Array, scores: Array, bins: int = BINS) -> tuple[Array, Array, Array, Array, Array]:
    """Return for each bin of equally many rows: mean score, share of positives, both ends of its interval, rows.

    The interval of the share is Wilson's at 95 % (Journal of the American Statistical Association 22, 1927).
    """
    which = bins_of(scores, bins)
    rows = np.bincount(which).astype(float)
    filled = rows > 0
    rows, mean, share = rows[filled], np.bincount(which, scores)[filled], np.bincount(which, truth)[filled]
    mean, share, z = mean / rows, share / rows, 1.96
    middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return mean, share, np.maximum(middle - half, 0), np.minimum(middle + half, 1), rows


def medians_along(x: Array, y: Array, bins: int = 24) -> tuple[Array, Array]:
    """Return the median of x and of y in bins of equally many rows along x."""
    edges = np.unique(np.quantile(x, np.linspace(0, 1, bins + 1)))
    which = np.searchsorted(edges[1:-1], x, side="right")
    groups = [which == group for group in np.unique(which)]
    return np.array([np.median(x[group]) for group in groups]), np.array([np.median(y[group]) for group in groups])


def confusion(truth: Array, predicted: Array, classes: int) -> NDArray[np.int64]:
    """Return counts of shape (classes, classes): true class by predicted class."""
    codes = truth.astype(int) * classes + predicted.astype(int)
    return np.bincount(codes, minlength=classes * classes).reshape(classes, classes)


def _cumulated(positive: Mask, scores: Array) -> tuple[Array, Array]:
    """Return the positives and negatives at or above each distinct score, highest first, with a zero in front."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    hits = np.cumsum(positive[order])[ends].astype(float)
    return np.append(0.0, hits), np.append(0.0, ends + 1 - hits)


def _thin(points: int) -> NDArray[np.intp]:
    """Return about MOST_POINTS positions at most, with both ends, denser at the start, where curves turn sharply."""
    if points <= MOST_POINTS:
        return np.arange(points)
    even, early = np.linspace(0, points - 1, MOST_POINTS), np.geomspace(1, points, MOST_POINTS // 4) - 1
    return np.unique(np.concatenate([even, early]).astype(np.intp))
