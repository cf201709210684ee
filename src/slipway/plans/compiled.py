"""What a plan answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slipway.plans.columns import RowEncoder
from slipway.plans.head import Answer, Head
from slipway.plans.program import LeftToOriginal, Program

if TYPE_CHECKING:
    import pandas as pd

# Rows that are worked on at once: their registers stay in cache, and memory does not grow with the batch.
_BLOCK = 2048


@dataclass(frozen=True)
class Compiled:
    """A fitted model as flat arrays, evaluated natively in one thread. It answers what the model answers, or not at all.

    inputs: the columns that the model was fitted on, in its order. classes: of a classifier, in the order of predict_proba's
    columns, as Python's own types.

    Every method raises LeftToOriginal, a ValueError, on rows for which only the model itself can be asked: it refuses them too,
    or reads them in a way that the plan does not follow. Then the whole request has to go to the model. Rows are expected to be
    of the model's signature: which columns are whole numbers or truth values is not known here. Instances hold no state that
    changes, and can be used by several threads.
    """

    inputs: tuple[str, ...]
    classes: tuple[Any, ...] | None
    encoder: RowEncoder
    program: Program
    head: Head

    @property
    def width(self) -> int:
        """Of an encoded row."""
        return self.encoder.width

    def encode(self, rows: Sequence[Sequence[object]]) -> NDArray[np.float64]:
        """Encode rows of JSON scalars (str, float, int, bool, None), in the order of `inputs`; returns (rows, width).

        None is a missing value. In a column of texts it is what pandas makes of it: None where all rows of the column are null,
        NaN otherwise; some encoders tell them apart.
        """
        return self.encoder.encode(rows)

    def encode_frame(self, frame: "pd.DataFrame") -> NDArray[np.float64]:
        """Encode a frame with the columns of `inputs`, in any order; returns (rows, width).

        Numbers are int8 to int64, float64 or bool; texts are str, object or category.
        """
        from slipway.plans.frames import encode_frame

        return encode_frame(self.encoder, frame[list(self.inputs)])

    def predict(self, encoded: NDArray[np.float64]) -> NDArray[Any]:
        """Return the labels or values that the model's own `predict` returns, of the same type."""
        return self._answer(self.head.predict, encoded)

    def predict_proba(self, encoded: NDArray[np.float64]) -> NDArray[np.float64]:
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

    def refused(self, encoded: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return for each row whether it is left to the original, be it by `predict` or by `predict_proba`."""
        with np.errstate(all="ignore"):
            refused: NDArray[np.bool_] = self.program.try_registers(encoded)[1] != 0
        for answer in filter(None, (self.head.predict, self.head.predict_proba)):
            while True:
                kept = np.flatnonzero(~refused)
                try:
                    self._answer(answer, encoded[kept])
                    break
                except LeftToOriginal as left:
                    refused[kept[left.row]] = True
        return refused

    def _answer(self, answer: Answer, encoded: NDArray[np.float64]) -> NDArray[Any]:
        if len(encoded) <= _BLOCK:
            return _finished(answer, self.program, encoded, 0)
        starts = range(0, len(encoded), _BLOCK)
        return np.concatenate([_finished(answer, self.program, encoded[at : at + _BLOCK], at) for at in starts])


def _finished(answer: Answer, program: Program, encoded: NDArray[np.float64], at: int) -> NDArray[Any]:
    try:
        with np.errstate(all="ignore"):  # overflows are answered, as by the model, without a warning for each request
            return answer(program.registers(encoded))
    except LeftToOriginal as left:
        raise LeftToOriginal(at + left.row, left.why) from None
