"""How far what is predicted can be taken at its word: when 0.3 is said, does it come three times in ten?

The expected calibration error of Naeini, Cooper and Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian
Binning (AAAI 2015), over bins of equally many rows as Nguyen and O'Connor, Posterior Calibration and Exploratory Analysis
for Natural Language Processing Models (EMNLP 2015), take them; among several classes that of the predicted class, as Guo
et al., On Calibration of Modern Neural Networks (ICML 2017). The error of few rows is never 0: noise alone makes some.
"""

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

from slipway.core.statistics.metrics import Array, Outcome
from slipway.core.tasks import Task

BINS = 10
# Probabilities that are further off than this decide otherwise than whoever reads them expects; 0.1 of 0.3 is a third.
_LARGE = 0.1


@dataclass(frozen=True)
class CalibrationBin:
    """Rows with about the same prediction: the means of what was predicted and of what came."""

    predicted: float
    observed: float
    rows: int

    @property
    def off(self) -> float:
        """By how much less was predicted than came; negative where more was."""
        return self.observed - self.predicted


@dataclass(frozen=True)
class Calibration:
    """error: the mean distance of predicted and observed over the bins, by their rows. bins: by rising prediction."""

    error: float
    bins: tuple[CalibrationBin, ...]

    @property
    def worst(self) -> CalibrationBin:
        return max(self.bins, key=lambda part: abs(part.off))

    @property
    def noise(self) -> float:
        """The error that right probabilities would have on as many rows: the mean distance of a share from its expectation."""
        spread = (part.rows * sqrt(part.predicted * (1 - part.predicted) / part.rows) for part in self.bins)
        return sqrt(2 / pi) * sum(spread) / sum(part.rows for part in self.bins)

    @property
    def misleads(self) -> bool:
        """Whether probabilities are off by much, and by more than twice what noise makes."""
        return self.error > _LARGE and self.error > 2 * self.noise


def calibration(task: Task, outcome: Outcome, bins: int = BINS) -> Calibration | None:
    """Compare predictions with what came, in bins of equally many rows; None without rows, or scores that are probabilities.

    binary: the positive class's probability with its share. multiclass: the predicted class's with the share that is right.
    regression: the predicted value with the true one. Equal predictions are in one bin, so there may be fewer bins; rows that
    are not finite are left out.
    """
    if task.is_classification and (outcome.scores is None or not outcome.probabilistic):
        return None
    predicted, observed = _compared(outcome)
    keep = np.isfinite(predicted) & np.isfinite(observed)
    predicted, observed = predicted[keep], observed[keep]
    if not len(predicted):
        return None
    which = bins_of(predicted, bins)
    rows = np.bincount(which)
    filled = rows > 0
    means = [np.bincount(which, values)[filled] / rows[filled] for values in (predicted, observed)]
    parts = tuple(CalibrationBin(float(p), float(o), int(n)) for p, o, n in zip(*means, rows[filled], strict=True))
    return Calibration(sum(part.rows * abs(part.off) for part in parts) / len(predicted), parts)


def miscalibrated(task: Task, found: Calibration | None) -> str:
    """Return a warning where probabilities cannot be taken at their word; empty where they can, and for a regression."""
    if found is None or not task.is_classification or not found.misleads:
        return ""
    worst = found.worst
    return (
        f"The probabilities cannot be taken at their word: they are {found.error:.2f} off on average, most where "
        f"{worst.predicted:.2f} was predicted and {worst.observed:.2f} came; a threshold on them, and what it costs, hold only "
        "where the rows to come are like the validation rows."
    )


def bins_of(predicted: Array, bins: int = BINS) -> NDArray[np.intp]:
    """Return the bin of each row, from 0; bins hold about equally many rows, and equal predictions are in one."""
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
