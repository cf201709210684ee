"""Calibrated probabilities: the scores of one or several classifiers, each through its curve, and the mean of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.plans.head import Answer, expit
from slipway.plans.program import LeftToOriginal, Registers


@dataclass(frozen=True)
class Sigmoid:
    """A logistic curve."""

    slope: Any
    offset: Any

    def __call__(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a probability for each score."""
        return expit(-(self.slope * scores + self.offset))


@dataclass(frozen=True)
class Isotonic:
    """Isotonic calibration: interpolation by numpy's function, to which the calibrator's own interpolation comes down.

    Attributes:
        x: the scores of the curve's points.
        y: the probabilities of the curve's points.
        low: the lowest score; lower ones are raised to it.
        high: the highest score; higher ones are cut to it.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    low: Any
    high: Any

    def __call__(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a probability for each score. Raises LeftToOriginal for a score that is not finite."""
        if not np.isfinite(scores).all():
            row = int(np.flatnonzero(~np.isfinite(scores))[0])
            raise LeftToOriginal(row, "a score that is not finite, which isotonic calibration does not take")
        if len(self.y) == 1:
            return np.repeat(self.y, len(scores))
        return np.interp(np.clip(scores, self.low, self.high), self.x, self.y)


@dataclass(frozen=True)
class Calibrated:
    """One classifier and its curves, as in scikit-learn's `_CalibratedClassifier.predict_proba`.

    Attributes:
        scores: the answer of the classifier.
        by_probability: whether the scores are probabilities.
        several: whether there are more than two classes.
        count: the number of classes.
        targets: the class of each curve.
        curves: one for each class, or a single one for two classes.
    """

    scores: Answer
    by_probability: bool
    several: bool
    count: int
    targets: tuple[int, ...]
    curves: tuple[Sigmoid | Isotonic, ...]

    def __call__(self, registers: Registers) -> NDArray[np.float64]:
        """Return (rows, classes)."""
        scores = self.scores(registers)
        if not self.several:
            scores = (scores[:, 1] if self.by_probability else scores).reshape(-1, 1)
        out = np.zeros((len(registers), self.count))
        for target, values, curve in zip(self.targets, scores.T, self.curves, strict=False):
            out[:, target if self.several else target + 1] = curve(values)
        if self.several:
            total = out.sum(axis=1)[:, np.newaxis]
            out = np.divide(out, total, out=np.full_like(out, 1 / self.count), where=total != 0)
        else:
            out[:, 0] = 1.0 - out[:, 1]
        out[(out > 1.0) & (out <= 1.0 + 1e-5)] = 1.0
        return out


@dataclass(frozen=True)
class Mean:
    """The mean of several Calibrated; `count` is the number of classes."""

    parts: tuple[Calibrated, ...]
    count: int

    def __call__(self, registers: Registers) -> NDArray[np.float64]:
        """Return (rows, classes)."""
        total = np.zeros((len(registers), self.count))
        for part in self.parts:
            total += part(registers)
        return total / len(self.parts)
