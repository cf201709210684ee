"""The difference between two answers to one request: the rows on which they disagree, and their distances."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 0.5
"""Two values disagree that are further apart than this share of the standard deviation of the primary's answers."""

_EQUAL = 1e-9


@dataclass(frozen=True)
class Difference:
    """The difference between the answers of the variant and of the primary to one request.

    Attributes:
        rows: The number of rows that were compared.
        disagreements: The number of rows whose labels or most probable classes differ, or whose values are too far apart.
        distances: The distances that are numbers: absolute differences of values; for probabilities of a row, half the sum of
            their absolute differences, 0 to 1. Empty for labels.
    """

    rows: int
    disagreements: int
    distances: Sequence[float] = ()


class Spread:
    """A running standard deviation of values (Chan, Golub and LeVeque, The American Statistician 37, 1983)."""

    def __init__(self) -> None:
        self._count, self._mean, self._squares = 0, 0.0, 0.0

    def add(self, values: NDArray[np.float64]) -> None:
        values = values[np.isfinite(values)]
        if not len(values):
            return
        mean, count = float(values.mean()), self._count + len(values)
        gap = mean - self._mean
        self._squares += float(((values - mean) ** 2).sum()) + gap**2 * self._count * len(values) / count
        self._mean += gap * len(values) / count
        self._count = count

    @property
    def deviation(self) -> float:
        return sqrt(self._squares / self._count) if self._count else 0.0


def difference(ours: bytes, theirs: bytes, spread: Spread | None) -> Difference:
    """Compare the bodies of two answers to one request.

    Args:
        ours: The answer of the variant.
        theirs: The answer of the primary.
        spread: The spread of the primary's values, to which those of this answer are added; None for a classifier.
    """
    one, other = _predictions(ours), _predictions(theirs)
    if len(one) != len(other):
        return Difference(len(one), len(one))
    arrays = _array(one), _array(other)
    if spread is not None and arrays[0] is not None and arrays[1] is not None and arrays[0].shape == arrays[1].shape:
        return _of_values(arrays[0], arrays[1], spread)
    if one and isinstance(one[0], list) and arrays[0] is not None and arrays[1] is not None:
        return _of_probabilities(arrays[0], arrays[1])
    return Difference(len(one), sum(a != b for a, b in zip(one, other, strict=True)))


def apart(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> list[float]:
    """Return the total variation distance of the probabilities of each row; shapes (rows, classes)."""
    distances: list[float] = (np.abs(ours - theirs).sum(axis=1) / 2).tolist()
    return distances


def _of_values(ours: NDArray[np.float64], theirs: NDArray[np.float64], spread: Spread) -> Difference:
    spread.add(theirs.ravel())
    least = max(TOLERANCE * spread.deviation, _EQUAL * float(np.abs(theirs).max(initial=0.0)))
    gaps = np.abs(ours - theirs)
    near = np.asarray((gaps <= least) | (np.isnan(ours) & np.isnan(theirs)))
    agree = near.all(axis=tuple(range(1, near.ndim)))
    return Difference(len(ours), int((~agree).sum()), gaps[np.isfinite(gaps)].tolist())


def _of_probabilities(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> Difference:
    if ours.shape != theirs.shape:  # other classes
        return Difference(len(ours), len(ours))
    differ = ours.argmax(axis=1) != theirs.argmax(axis=1)
    return Difference(len(ours), int(differ.sum()), apart(ours, theirs))


def _predictions(body: bytes) -> list[Any]:
    answer = json.loads(body)
    predictions = answer.get("predictions") if isinstance(answer, dict) else answer
    return predictions if isinstance(predictions, list) else [predictions]


def _array(predictions: list[Any]) -> NDArray[np.float64] | None:
    """Return predictions as an array; None where they are no numbers."""
    try:
        array = np.asarray(predictions, dtype=np.float64)
    except (ValueError, TypeError):
        return None
    return array if array.ndim in (1, 2) else None
