"""Stages of a plan that compute registers from counts of terms: the weighed counts themselves, or sums of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from slipway.plans.kernels import (
    NATIVE_NORMALISE,
    NATIVE_PROJECT,
    NATIVE_SPREAD,
    native,
    normalise,
    project,
    spread,
)
from slipway.plans.texts import Counted, EncodedTexts


@dataclass(frozen=True)
class Weighing:
    """What a vectorizer makes of counts, in this order.

    Attributes:
        sublinear: whether a count becomes 1 + log(count).
        idf: the factor of each term; empty where there is none.
        norm: by what a row is divided: 1, the sum of its values; 2, their length; 0, nothing.
    """

    sublinear: bool
    idf: NDArray[np.float64]
    norm: int

    def __call__(self, values: NDArray[np.float64], counted: Counted) -> None:
        """Weigh the values of sparse rows, in place."""
        if self.sublinear:
            np.log(values, values)
            values += 1.0
        if len(self.idf):
            values *= self.idf[counted.indices]
        if self.norm:
            native(normalise, NATIVE_NORMALISE)(counted.starts, values, self.norm)


@dataclass(frozen=True)
class Terms:
    """A stage that writes the weighed counts of a column's terms into registers.

    Attributes:
        column: the number of the column among those that are read as counts of terms.
        weighings: one after the other.
        places: the register of each term; -1 for a term that nothing reads.
    """

    column: int
    weighings: tuple[Weighing, ...]
    places: NDArray[np.int64]

    @cached_property
    def _used(self) -> NDArray[np.int64]:
        return self.places[self.places >= 0]

    def __call__(self, encoded: EncodedTexts, registers: NDArray[np.float64]) -> None:
        """Write the registers of encoded rows."""
        counted = encoded.counted[self.column]
        values = _weighed(counted, self.weighings)
        native(spread, NATIVE_SPREAD)(counted.starts, counted.indices, values, self.places, self._used, registers)


@dataclass(frozen=True)
class TermSums:
    """A stage that writes weighted sums of the weighed counts of a column's terms into registers.

    Attributes:
        column: the number of the column among those that are read as counts of terms.
        weighings: one after the other.
        weights: (terms, sums).
        first: the register of the first sum; the others follow it.
    """

    column: int
    weighings: tuple[Weighing, ...]
    weights: NDArray[np.float64]
    first: int

    def __call__(self, encoded: EncodedTexts, registers: NDArray[np.float64]) -> None:
        """Write the registers of encoded rows."""
        counted = encoded.counted[self.column]
        values = _weighed(counted, self.weighings)
        native(project, NATIVE_PROJECT)(counted.starts, counted.indices, values, self.weights, self.first, registers)


def _weighed(counted: Counted, weighings: tuple[Weighing, ...]) -> NDArray[np.float64]:
    values = counted.counts.copy()
    for weighing in weighings:
        weighing(values, counted)
    return values
