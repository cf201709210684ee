"""Calibration: does an event that is predicted with 0.3 happen three times in ten?

The measure is the expected calibration error of Naeini, Cooper and Hauskrecht, Obtaining Well Calibrated Probabilities Using
Bayesian Binning (AAAI 2015). Bins hold equally many rows, as in Nguyen and O'Connor, Posterior Calibration and Exploratory
Analysis for Natural Language Processing Models (EMNLP 2015). A multiclass task is measured by the probability of the predicted
class, as in Guo et al., On Calibration of Modern Neural Networks (ICML 2017). Noise alone keeps the error of few rows above 0.
"""

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

from slipway.core.statistics.metrics import Array, Outcome
from slipway.core.tasks import Task

BINS = 10
# An error above this misleads a reader of the probabilities: 0.1 off at 0.3 is a third of it.
_LARGE = 0.1


@dataclass(frozen=True)
class CalibrationBin:
    """Rows with about the same prediction: the mean prediction, the mean truth, and the number of rows."""

    predicted: float
    observed: float
    rows: int

    @property
    def off(self) -> float:
        """The mean truth minus the mean prediction."""
        return self.observed - self.predicted


@dataclass(frozen=True)
class Calibration:
    """The calibration of a model on some rows.

    Attributes:
        error: The mean distance of prediction and truth over the bins, weighted by their rows, or by the weights of these.
        bins: The bins by rising prediction.
    """

    error: float
    bins: tuple[CalibrationBin, ...]

    @property
    def worst(self) -> CalibrationBin:
        return max(self.bins, key=lambda part: abs(part.off))

    @property
    def noise(self) -> float:
        """The error of perfect probabilities by chance: the mean distance of a bin's share from its expectation."""
        # A mean of probabilities may be above 1 by a rounding.
        spread = (part.rows * sqrt(max(part.predicted * (1 - part.predicted), 0.0) / part.rows) for part in self.bins)
        return sqrt(2 / pi) * sum(spread) / sum(part.rows for part in self.bins)

    @property
    def misleads(self) -> bool:
        """Whether the error is large, and more than twice the error by chance."""
        return self.error > _LARGE and self.error > 2 * self.noise


def calibration(task: Task, outcome: Outcome, bins: int = BINS) -> Calibration | None:
    """Compare predictions with the truth in bins of equally many rows.

    A binary task compares the probability of the positive class with the share of that class, a multiclass task the probability
    of the predicted class with the share of right answers, a regression the predicted with the true value. Equal predictions
    are in one bin, so there may be fewer bins. Rows that are not finite, or of weight 0, are left out; the other rows count by
    their weight. Returns None without rows, and for a
    classification without probabilities.
    """
    if task.is_classification and (outcome.scores is None or not outcome.probabilistic):
        return None
    predicted, observed = _compared(outcome)
    keep = np.isfinite(predicted) & np.isfinite(observed) & (outcome.counted > 0)
    predicted, observed, weights = predicted[keep], observed[keep], outcome.counted[keep]
    if not len(predicted):
        return None
    which = bins_of(predicted, bins)
    rows, total = np.bincount(which), np.bincount(which, weights)
    filled = rows > 0
    means = [np.bincount(which, weights * values)[filled] / total[filled] for values in (predicted, observed)]
    parts = tuple(CalibrationBin(float(p), float(o), int(n)) for p, o, n in zip(*means, rows[filled], strict=True))
    off = sum(weight * abs(part.off) for weight, part in zip(total[filled], parts, strict=True))
    return Calibration(float(off / weights.sum()), parts)


def miscalibrated(task: Task, found: Calibration | None) -> str:
    """Return a warning where probabilities mislead; empty where they do not, and for a regression."""
    if found is None or not task.is_classification or not found.misleads:
        return ""
    worst = found.worst
    return (
        f"The probabilities cannot be taken at their word: they are {found.error:.2f} off on average, most where "
        f"{worst.predicted:.2f} was predicted and {worst.observed:.2f} came; a threshold on them, and what it costs, hold only "
        "where the rows to come are like the validation rows."
    )


def bins_of(predicted: Array, bins: int = BINS) -> NDArray[np.intp]:
    """Return the bin of each row, from 0; bins hold about equally many rows, and equal predictions share a bin."""
    values = np.unique(predicted)
    if len(values) <= bins:  # quantiles would put a model that says only 0 and 1 into one bin
        return np.searchsorted(values, predicted)
    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, bins + 1)))
    return np.searchsorted(edges[1:-1], predicted, side="right")


def _compared(outcome: Outcome) -> tuple[Array, Array]:
    if outcome.scores is None:
        return outcome.predicted, outcome.truth
    if outcome.scores.ndim == 1:
        return outcome.scores, outcome.truth
    return outcome.scores.max(axis=1), (outcome.scores.argmax(axis=1) == outcome.truth).astype(np.float64)
