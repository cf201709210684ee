"""The head of a plan, which answers from registers; and the functions of scores that a stored plan may name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.plans.program import Registers

Answer = Callable[[Registers], NDArray[Any]]
"""A function of registers, (rows, registers), that returns one value for each row, or one for each row and class."""

Function = Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True)
class Head:
    """The answers of an estimator, under the names of its methods; None where the estimator has no such method.

    Attributes:
        predict: labels or values.
        predict_proba: probabilities, (rows, classes).
        decision_function: scores, (rows,) for two classes.
        classes: labels in the order of predict_proba's columns; None for a regressor.
    """

    predict: Answer
    predict_proba: Answer | None = None
    decision_function: Answer | None = None
    classes: NDArray[Any] | None = None


def expit(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return scipy's own logistic function of the scores."""
    return _expit()(scores)


@cache
def _expit() -> Function:
    from scipy.special import expit as of_scipy  # a tenth of a second, which plans without it do not pay

    function: Function = of_scipy
    return function


def two_columns(positive: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities of both classes, (rows, 2), from those of the second."""
    both = np.empty((len(positive), 2))
    both[:, 1] = positive
    both[:, 0] = 1 - positive
    return both


def logistic(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities of two classes from the score of the second, by the same function as scikit-learn."""
    return two_columns(expit(scores))


def half_logistic(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities of two classes from half the score of the second."""
    return two_columns(expit(2 * scores))


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities by the same steps as `sklearn.utils.extmath.softmax`, so that the last bit is the same."""
    shifted: NDArray[np.float64] = scores - np.max(scores, axis=1).reshape((-1, 1))
    np.exp(shifted, out=shifted)
    shifted /= np.sum(shifted, axis=1).reshape((-1, 1))
    return shifted


def one_against_rest(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logistic function of each score, divided so that each row sums to one."""
    return _normalised(expit(scores))


def modified_huber(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities that scikit-learn derives from scores of the loss `modified_huber`."""
    probabilities = (np.clip(scores, -1, 1) + 1.0) / 2.0
    if scores.ndim == 1:
        return np.stack([1.0 - probabilities, probabilities], axis=1)
    return _normalised(probabilities)


def _normalised(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide by the sum over classes; where all scores are zero, all classes are equally probable."""
    total: NDArray[np.float64] = probabilities.sum(axis=1)
    nothing = total == 0
    probabilities[nothing, :] = 1
    total[nothing] = probabilities.shape[1]
    return np.divide(probabilities, total.reshape((-1, 1)))


FUNCTIONS: tuple[Function, ...] = (logistic, half_logistic, softmax, one_against_rest, modified_huber)
"""The functions that a stored plan may name."""
