"""Answers from registers, as values: each holds arrays and other answers, and can be written down (`stored`)."""

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
    """Weighted sums of the registers from `first` up to `last`, by the same product of numpy that scikit-learn uses.

    Attributes:
        first: the first register.
        last: the register after the last one.
        weights: (sums, registers), or (registers,) of one sum.
        intercept: added to the sums.
    """

    first: int
    last: int
    weights: NDArray[np.float64]
    intercept: Any

    def __call__(self, registers: Registers) -> NDArray[Any]:
        """Return (rows, sums); of one sum, a flat array."""
        # The transposed view, as in scikit-learn: BLAS adds up in another order for another layout.
        transposed = self.weights.T if self.weights.ndim == 2 else self.weights
        return _flat(registers[:, self.first : self.last] @ transposed + self.intercept)


@dataclass(frozen=True)
class SparseSums:
    """Weighted sums, added one register after the other, as scikit-learn's product with a sparse matrix does.

    Attributes:
        registers: the numbers of the registers.
        weights: (sums, registers).
        single: whether scikit-learn's coefficients have no dimension for the sums.
        intercept: added to the sums.
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
    """The value of each row by trees with one output.

    Attributes:
        walk: the trees.
        divided: the number of trees to divide by, where the value is their mean.
    """

    walk: ValueForest
    divided: int | None = None

    def __call__(self, registers: Registers) -> NDArray[np.floating]:
        """Return (rows,)."""
        values: NDArray[np.floating] = self.walk(registers)[0]
        return values if self.divided is None else values / self.divided


@dataclass(frozen=True)
class Turned:
    """The values of each row by trees with several outputs, turned from (outputs, rows) to (rows, outputs).

    Attributes:
        walk: the trees.
        copied: whether the result is copied into the usual order of memory, on which the order of later sums depends.
    """

    walk: ValueForest
    copied: bool

    def __call__(self, registers: Registers) -> NDArray[np.floating]:
        """Return (rows, outputs)."""
        values = self.walk(registers).T
        return np.ascontiguousarray(values) if self.copied else values


@dataclass(frozen=True)
class Divided:
    """Answers divided by a number."""

    answer: Answer
    by: int

    def __call__(self, registers: Registers) -> NDArray[Any]:
        """Return the divided values, in the shape of the answer."""
        values: NDArray[Any] = self.answer(registers) / self.by
        return values


@dataclass(frozen=True)
class Moved:
    """Answers times a scale and plus a bias, which come after the sum."""

    answer: Answer
    scale: float
    bias: NDArray[np.float64]

    def __call__(self, registers: Registers) -> NDArray[Any]:
        """Return the moved values, in the shape of the answer."""
        values: NDArray[Any] = self.answer(registers) * self.scale + self.bias
        return values


@dataclass(frozen=True)
class Through:
    """Answers through a function of `head.FUNCTIONS` or of numpy."""

    function: Function
    answer: Answer

    def __call__(self, registers: Registers) -> NDArray[Any]:
        """Return the function of the answer's values."""
        values: NDArray[Any] = self.function(self.answer(registers))
        return values


@dataclass(frozen=True)
class Best:
    """The class with the highest score; with one score a row, the second class where the score is above zero.

    Attributes:
        scores: (rows, classes), or (rows,) for two classes.
        classes: the labels.
        zero: whether a single score of exactly zero means the second class too.
    """

    scores: Answer
    classes: NDArray[Any]
    zero: bool = False

    def __call__(self, registers: Registers) -> NDArray[Any]:
        """Return a label for each row."""
        scores = self.scores(registers)
        best = scores.argmax(axis=1) if scores.ndim > 1 else scores >= 0 if self.zero else scores > 0
        labels: NDArray[Any] = self.classes.take(best)
        return labels


@dataclass(frozen=True)
class Always:
    """The same answer for every row; `answer` is that of one row."""

    answer: NDArray[Any]

    def __call__(self, registers: Registers) -> NDArray[Any]:
        """Return the answer, repeated for each row."""
        return np.repeat(self.answer, len(registers), axis=0)


@dataclass(frozen=True)
class Inverse:
    """Answers of a transformed target, transformed back as one column, as scikit-learn does."""

    function: Function
    answer: Answer

    def __call__(self, registers: Registers) -> NDArray[Any]:
        """Return (rows,)."""
        values: NDArray[Any] = self.function(self.answer(registers).reshape(-1, 1))
        return values.squeeze(axis=1)


@dataclass(frozen=True)
class Threshold:
    """The positive class where its score reaches a limit.

    Attributes:
        scores: probabilities of both classes when `by_probability`, else the decision function.
        by_probability: whether the scores are probabilities.
        position: the place of the positive class among the two.
        limit: the lowest score of the positive class.
        labels: the label below the limit, and the label from the limit on.
    """

    scores: Answer
    by_probability: bool
    position: int
    limit: float
    labels: NDArray[Any]

    def __call__(self, registers: Registers) -> NDArray[Any]:
        """Return a label for each row."""
        scores = self.scores(registers)
        if self.by_probability:
            scores = scores[:, self.position]
        elif self.position == 0:
            scores = -scores
        return np.take(self.labels, np.asarray(scores >= self.limit).astype(int))
