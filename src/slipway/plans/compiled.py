"""The plan of a model: encoding, program and head in one value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slipway.plans.columns import RowEncoder
from slipway.plans.head import Answer, Head
from slipway.plans.program import LeftToOriginal, Program
from slipway.plans.texts import Encoded

if TYPE_CHECKING:
    import pandas as pd

# Rows that are worked on at once, and numbers: registers stay in cache, and memory does not grow with the batch.
_BLOCK, _BLOCK_NUMBERS = 2048, 1 << 22


@dataclass(frozen=True)
class Compiled:
    """A fitted model as flat arrays, evaluated natively in one thread. A Compiled answers as the model answers, or not at all.

    Every method raises LeftToOriginal, a ValueError, on rows that the model refuses too, or reads in a way that the plan does
    not follow. Then the whole request has to go to the model. Rows have to fit the model's signature: a Compiled does not know
    which columns are whole numbers or truth values. A Compiled holds no state that changes, so several threads can use it.

    Attributes:
        inputs: the columns that the model was fitted on, in its order.
        classes: the labels of a classifier as Python's own types, in the order of predict_proba's columns, or None.
        encoder: turns raw rows into numbers.
        program: turns encoded rows into registers.
        head: turns registers into answers.
    """

    inputs: tuple[str, ...]
    classes: tuple[Any, ...] | None
    encoder: RowEncoder
    program: Program
    head: Head

    @property
    def width(self) -> int:
        """The number of values in an encoded row."""
        return self.encoder.width

    def encode(self, rows: Sequence[Sequence[object]]) -> Encoded:
        """Encode rows of JSON scalars (str, float, int, bool, None), in the order of `inputs`; returns (rows, width).

        None is a missing value. In a column of texts None is read as pandas reads it: as None where all rows of the column are
        null, else as NaN; some encoders of scikit-learn tell the two apart.
        """
        return self.encoder.encode(rows)

    def encode_frame(self, frame: "pd.DataFrame") -> Encoded:
        """Encode a frame with the columns of `inputs`, in any order; returns (rows, width).

        Numbers are int8 to int64, float64 or bool; texts are str, object or category.
        """
        from slipway.plans.frames import encode_frame

        return encode_frame(self.encoder, frame[list(self.inputs)])

    def predict(self, encoded: Encoded) -> NDArray[Any]:
        """Return the labels or values that the model's own `predict` returns, of the same type."""
        return self._answer(self.head.predict, encoded)

    def predict_proba(self, encoded: Encoded) -> NDArray[np.float64]:
        """Return the probabilities, (rows, classes). Raises AttributeError where the model has none."""
        if self.head.predict_proba is None:
            raise AttributeError("the model has no predict_proba")
        return self._answer(self.head.predict_proba, encoded)

    @property
    def has_probabilities(self) -> bool:
        """Whether the model has `predict_proba`."""
        return self.head.predict_proba is not None

    @property
    def texts(self) -> dict[str, tuple[str, ...]]:
        """The texts that the model knows, by column."""
        return self.encoder.texts

    def refused(self, encoded: Encoded) -> NDArray[np.bool_]:
        """Return for each row whether `predict` or `predict_proba` leaves the row to the original model."""
        with np.errstate(all="ignore"):
            refused: NDArray[np.bool_] = self.program.try_registers(encoded)[1] != 0
        for answer in filter(None, (self.head.predict, self.head.predict_proba)):
            while True:
                remaining = np.flatnonzero(~refused)
                try:
                    self._answer(answer, encoded[remaining])
                    break
                except LeftToOriginal as left:
                    refused[remaining[left.row]] = True
        return refused

    def _answer(self, answer: Answer, encoded: Encoded) -> NDArray[Any]:
        block = max(1, min(_BLOCK, _BLOCK_NUMBERS // self.program.width))
        if len(encoded) <= block:
            return _finished(answer, self.program, encoded, 0)
        starts = range(0, len(encoded), block)
        return np.concatenate([_finished(answer, self.program, encoded[at : at + block], at) for at in starts])


def _finished(answer: Answer, program: Program, encoded: Encoded, at: int) -> NDArray[Any]:
    try:
        with np.errstate(all="ignore"):  # overflows are answered, as by the model, without a warning for each request
            return answer(program.registers(encoded))
    except LeftToOriginal as left:
        raise LeftToOriginal(at + left.row, left.why) from None
