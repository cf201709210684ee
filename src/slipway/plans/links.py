"""The links of boosting libraries, from the sums of trees to answers, equal to the libraries' own to the last bit."""

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.plans.head import Function
from slipway.plans.kernels import NATIVE_LINKS_32, NATIVE_LINKS_64, links32, links64, native
from slipway.plans.kernels._links import EXP, SIGMOID, SOFTMAX

_STEPS = 2048 / math.log(2.0)
_LEAST, _MOST = -708.39641853226408, 709.78271289338397

Floats = NDArray[np.float32]


def logistic32(scores: Floats) -> Floats:
    """Return XGBoost's probabilities of two classes, (rows, 2), from the score of the second."""
    positive = _linked(SIGMOID, scores)
    both = np.empty((len(positive), 2), dtype=np.float32)
    both[:, 1] = positive
    both[:, 0] = np.float32(1) - positive
    return both


def softmax32(scores: Floats) -> Floats:
    """Return XGBoost's probabilities of several classes."""
    return _linked(SOFTMAX, scores)


def exp32(scores: Floats) -> Floats:
    """Return XGBoost's exponential of each score, as its counts are."""
    return _linked(EXP, scores)


def softmax_in_order(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return LightGBM's probabilities of several classes."""
    return _linked(SOFTMAX, scores, np.float64)


def exp_of_each(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return LightGBM's exponential of each score, as its counts are."""
    return _linked(EXP, scores, np.float64)


def fast_exp(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return CatBoost's exponential of each score: a table of 2,048 powers of two and a polynomial.

    The function is `fmath::expd` of S. Mitsunari's fmath, which CatBoost brings as `library/cpp/fast_exp`.
    """
    limited = np.clip(scores, _LEAST, _MOST)
    shifted = limited * _STEPS + float(3 << 51)
    places = shifted.view(np.uint64).astype(np.uint32).view(np.int32).astype(np.int64)
    below = (shifted - float(3 << 51)) * (1 / _STEPS) - limited
    exponents = ((places + ((1 << 21) - (1 << 11))) >> 11 << 52).view(np.uint64)
    powers = (exponents | _powers()[places & 2047]).view(np.float64)
    values: NDArray[np.float64] = (
        (3.0000000027955394 - below) * (below * below) * 0.16666666685227835064 - below + 1.0
    ) * powers
    return values


def fast_softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return CatBoost's probabilities of several classes, added up one after the other."""
    values = fast_exp(scores - scores.max(axis=1, keepdims=True))
    total = np.zeros(len(values))
    for k in range(values.shape[1]):
        total += values[:, k]
    probabilities: NDArray[np.float64] = values / total[:, None]
    return probabilities


@cache
def _powers() -> NDArray[np.uint64]:
    """Return the fractions of 2 ** (i / 2048), as the bits of a float64."""
    # By the C library's pow: numpy's is off by a bit in some places.
    return np.array([2.0 ** (i / 2048) for i in range(2048)]).view(np.uint64) & np.uint64((1 << 52) - 1)


def _linked(kind: int, scores: NDArray[Any], dtype: type = np.float32) -> NDArray[Any]:
    values: NDArray[Any] = np.array(scores, dtype=dtype, order="C")
    table = values.reshape(len(values), values.shape[1] if values.ndim > 1 else 1)
    if dtype is np.float32:
        native(links32, NATIVE_LINKS_32)(kind, table)
    else:
        native(links64, NATIVE_LINKS_64)(kind, table)
    return values


LINKS: tuple[Function, ...] = (logistic32, softmax32, exp32, softmax_in_order, exp_of_each, fast_exp, fast_softmax)
"""The links that a stored plan may name."""
