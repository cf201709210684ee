"""Two answers to one request: on how many rows they differ, and how far apart they are."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 0.5
"""Values differ from this share of the standard deviation of the first version's answers on."""

_EQUAL = 1e-9


@dataclass(frozen=True)
class Difference:
    """disagreements: rows whose labels differ, whose most probable class does, or whose values are too far apart.

    distances: of values, absolute; of probabilities, half the sum of their differences, 0 to 1. None of labels.
    """

    rows: int
    disagreements: int
    distances: Sequence[float] = ()


class Spread:
    """The standard deviation of values, added up as they come (Chan, Golub and LeVeque, The American Statistician 37, 1983)."""

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
    """Compare the bodies of two answers. spread: of the first version's values; None where it answers with classes."""
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
    said = json.loads(body)
    found = said.get("predictions") if isinstance(said, dict) else said
    return found if isinstance(found, list) else [found]


def _array(predictions: list[Any]) -> NDArray[np.float64] | None:
    """Numbers as an array; None for what is none."""
    try:
        found = np.asarray(predictions, dtype=np.float64)
    except (ValueError, TypeError):
        return None
    return found if found.ndim in (1, 2) else None
