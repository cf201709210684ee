"""What a compiled estimator is: functions from registers to answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from slipway.compile._program import Registers

Answer = Callable[[Registers], NDArray[Any]]
"""(rows, registers) → one value a row, or for several classes one a row and class."""


@dataclass(frozen=True)
class Head:
    """The answers of an estimator under the names that it has them by; None where it has no such method.

    classes: in the order of predict_proba's columns; None for a regressor.
    """

    predict: Answer
    predict_proba: Answer | None = None
    decision_function: Answer | None = None
    classes: NDArray[Any] | None = None


def two_columns(positive: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities of both classes."""
    both = np.empty((len(positive), 2))
    both[:, 1] = positive
    both[:, 0] = 1 - positive
    return both


def logistic(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities of two classes from the score of the second, by the same function as scikit-learn."""
    return two_columns(expit(scores))


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities, in the very steps of `sklearn.utils.extmath.softmax`."""
    shifted: NDArray[np.float64] = scores - np.max(scores, axis=1).reshape((-1, 1))
    np.exp(shifted, out=shifted)
    shifted /= np.sum(shifted, axis=1).reshape((-1, 1))
    return shifted
