"""What answers from registers: values that hold arrays and other answers, and can be written down (`stored`)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.plans.forests import ValueForest
from slipway.plans.head import Answer, Function
from slipway.plans.kernels import NATIVE_SUMS, native, sums
from slipway.plans.program import Registers


@dataclass(frozen=True)
class Sums:
    """Weighted sums of the registers `first` to `last`, by the very product of numpy that scikit-learn takes."""

    first: int
    last: int
    weights: NDArray[np.float64]
    intercept: Any

    def __call__(self, registers: Registers) -> NDArray[Any]:
        """Return (rows, sums); of one sum, a flat array."""
        # The transposed view, as there: BLAS adds up in another order for another layout.
        transposed = self.weights.T if self.weights.ndim == 2 else self.weights
        return _flat(registers[:, self.first : self.last] @ transposed + self.intercept)


@dataclass(frozen=True)
class SparseSums:
    """Weighted sums, one register after the other, as scikit-learn's product with a sparse matrix has them.

    weights: (sums, registers). single: whether scikit-learn has the coefficients without a dimension for the sums.
    """

    registers: NDArray[np.int64]
    weights: NDArray[np.float64]
    single: bool
    intercept: Any

    def __call__(self, registers: Registers) -> NDArray[Any]:
        """Return (rows, sums); of one sum, a flat array."""
        out = np.zeros((len(registers), len(self.weights)))
        native(sums, NATIVE_SUMS)(registers, self.registers, self.weights, out)
        return _flat((out[:, 0] if self.single else out) + self.intercept)


def _flat(scores: NDArray[Any]) -> NDArray[Any]:
    return scores.reshape(-1) if scores.ndim > 1 and scores.shape[1] == 1 else scores


@dataclass(frozen=True)
class FirstSum:
    """Of trees with one output, the value of each row; divided: by how many trees, where it is their mean."""

    walk: ValueForest
    divided: int | None = None

    def __call__(self, registers: Registers) -> NDArray[np.float64]:
        """Return (rows,)."""
        values: NDArray[np.float64] = self.walk(registers)[0]
        return values if self.divided is None else values / self.divided


@dataclass(frozen=True)
class Turned:
    """Of trees with several outputs, (rows, outputs); copied: into the usual order of memory, on which that of sums depends."""

    walk: ValueForest
    copied: bool

    def __call__(self, registers: Registers) -> NDArray[np.float64]:
        """Return (rows, outputs)."""
        values = self.walk(registers).T
        return np.ascontiguousarray(values) if self.copied else values


@dataclass(frozen=True)
class Divided:
    """Answers divided by a number."""

    answer: Answer
    by: int

    def __call__(self, registers: Registers) -> NDArray[Any]:
        """Return what the answer returns."""
        values: NDArray[Any] = self.answer(registers) / self.by
        return values


@dataclass(frozen=True)
class Through:
    """Answers through a function that is known (`head.FUNCTIONS`), or one of numpy's."""

    function: Function
    answer: Answer

    def __call__(self, registers: Registers) -> NDArray[Any]:
        """Return what the function returns."""
        values: NDArray[Any] = self.function(self.answer(registers))
        return values


@dataclass(frozen=True)
class Best:
    """The class with the highest score, or of one score a row, the second above zero; zero: or at it."""

    scores: Answer
    classes: NDArray[Any]
    zero: bool = False

    def __call__(self, registers: Registers) -> NDArray[Any]:
        """Return a class a row."""
        scores = self.scores(registers)
        best = scores.argmax(axis=1) if scores.ndim > 1 else scores >= 0 if self.zero else scores > 0
        labels: NDArray[Any] = self.classes.take(best)
        return labels


@dataclass(frozen=True)
class Always:
    """The same answer for every row; answer: of one row."""

    answer: NDArray[Any]

    def __call__(self, registers: Registers) -> NDArray[Any]:
        """Return it once a row."""
        return np.repeat(self.answer, len(registers), axis=0)


@dataclass(frozen=True)
class Inverse:
    """A transformed target, transformed back as a column, as scikit-learn has it."""

    function: Function
    answer: Answer

    def __call__(self, registers: Registers) -> NDArray[Any]:
        """Return (rows,)."""
        values: NDArray[Any] = self.function(self.answer(registers).reshape(-1, 1))
        return values.squeeze(axis=1)


@dataclass(frozen=True)
class Threshold:
    """The positive class from a limit of its score on.

    scores: of both classes when by_probability. labels: below the limit, and from it on.
    """

    scores: Answer
    by_probability: bool
    position: int
    limit: float
    labels: NDArray[Any]

    def __call__(self, registers: Registers) -> NDArray[Any]:
        """Return a label a row."""
        scores = self.scores(registers)
        if self.by_probability:
            scores = scores[:, self.position]
        elif self.position == 0:
            scores = -scores
        return np.take(self.labels, np.asarray(scores >= self.limit).astype(int))
