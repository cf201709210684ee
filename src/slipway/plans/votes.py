"""Weighted means of the answers of several models, by numpy's own average as in scikit-learn's voting models."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.plans.head import Answer
from slipway.plans.program import Registers


@dataclass(frozen=True)
class MeanProbabilities:
    """The weighted mean of the probabilities of several classifiers.

    Attributes:
        answers: the probabilities of each classifier, (rows, classes).
        weights: the weight of each; None where all weigh the same.
    """

    answers: tuple[Answer, ...]
    weights: NDArray[Any] | None

    def __call__(self, registers: Registers) -> NDArray[np.float64]:
        """Return (rows, classes)."""
        each = np.asarray([answer(registers) for answer in self.answers])
        if not each.size:  # no rows, of which numpy's average makes an error
            return np.asarray(each[0])
        mean: NDArray[np.float64] = np.average(each, axis=0, weights=self.weights)
        return mean


@dataclass(frozen=True)
class MeanValues:
    """The weighted mean of the values of several regressors.

    Attributes:
        answers: the values of each regressor, (rows,).
        weights: the weight of each; None where all weigh the same.
    """

    answers: tuple[Answer, ...]
    weights: NDArray[Any] | None

    def __call__(self, registers: Registers) -> NDArray[np.float64]:
        """Return (rows,)."""
        # Turned before the mean, as in scikit-learn: the order of memory decides the order of the sum.
        each = np.asarray([answer(registers) for answer in self.answers]).T
        if not each.size:
            return np.asarray(each[:, 0])
        mean: NDArray[np.float64] = np.average(each, axis=1, weights=self.weights)
        return mean
