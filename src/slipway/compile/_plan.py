"""A fitted model → a plan, and what a plan answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from slipway.compile._columns import RowEncoder
from slipway.compile._draft import Draft, Features, Raw
from slipway.compile._estimators import estimate
from slipway.compile._head import Answer, Head
from slipway.compile._left import LeftToOriginal
from slipway.compile._program import Program
from slipway.errors import NotCompilable

# Rows that are worked on at once: their registers stay in cache, and memory does not grow with the batch.
_BLOCK = 2048


@dataclass(frozen=True)
class Compiled:
    """A fitted model as flat arrays, evaluated natively in one thread. It answers what the model answers, or not at all.

    inputs: the columns that the model was fitted on, in its order. classes: of a classifier, in the order of predict_proba's
    columns, as Python's own types. width: of an encoded row.

    Every method raises LeftToOriginal, a ValueError, on rows for which only the model itself can be asked: it refuses them too,
    or reads them in a way that the plan does not follow. Then the whole request has to go to the model. Rows are expected to be
    of the model's signature: which columns are whole numbers or truth values is not known here. Instances hold no state that
    changes, and can be used by several threads.
    """

    inputs: tuple[str, ...]
    classes: tuple[Any, ...] | None
    width: int
    _encoder: RowEncoder
    _program: Program
    _head: Head

    def encode(self, rows: Sequence[Sequence[object]]) -> NDArray[np.float64]:
        """Encode rows of JSON scalars (str, float, int, bool, None), in the order of `inputs`; returns (rows, width).

        None is a missing value. In a column of texts it is what pandas makes of it: None where all rows of the column are null,
        NaN otherwise; some encoders tell them apart.
        """
        return self._encoder.encode(rows)

    def encode_frame(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Encode a frame with the columns of `inputs`, in any order; returns (rows, width).

        Numbers are int8 to int64, float64 or bool; texts are str, object or category.
        """
        return self._encoder.encode_frame(frame[list(self.inputs)])

    def predict(self, encoded: NDArray[np.float64]) -> NDArray[Any]:
        """Return the labels or values that the model's own `predict` returns, of the same type."""
        return self._answer(self._head.predict, encoded)

    def predict_proba(self, encoded: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probabilities, (rows, classes). Raises AttributeError where the model has none."""
        if self._head.predict_proba is None:
            raise AttributeError("the model has no predict_proba")
        return self._answer(self._head.predict_proba, encoded)

    @property
    def has_probabilities(self) -> bool:
        """Whether the model has `predict_proba`."""
        return self._head.predict_proba is not None

    @property
    def texts(self) -> dict[str, tuple[str, ...]]:
        """The texts that the model knows, by column."""
        return self._encoder.texts

    def refused(self, encoded: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return for each row whether it is left to the original, be it by `predict` or by `predict_proba`."""
        with np.errstate(all="ignore"):
            refused: NDArray[np.bool_] = self._program.try_registers(encoded)[1] != 0
        for answer in filter(None, (self._head.predict, self._head.predict_proba)):
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
            return _finished(answer, self._program, encoded, 0)
        starts = range(0, len(encoded), _BLOCK)
        return np.concatenate([_finished(answer, self._program, encoded[at : at + _BLOCK], at) for at in starts])


def _finished(
    answer: Callable[..., NDArray[Any]], program: Program, encoded: NDArray[np.float64], at: int
) -> NDArray[Any]:
    try:
        with np.errstate(all="ignore"):  # overflows are answered, as by the model, without a warning for each request
            return answer(program.registers(encoded))
    except LeftToOriginal as left:
        raise LeftToOriginal(at + left.row, left.why) from None


def compile_model(model: Any) -> Compiled:
    """Make a plan of a fitted scikit-learn model. Raises NotCompilable, naming the step and why.

    The native code is made when the first plan is, and kept for the next process; see `_kernels/_native.py`.
    """
    try:
        check_is_fitted(model)
    except (NotFittedError, TypeError) as error:
        raise NotCompilable(type(model).__name__, str(error)) from None
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        raise NotCompilable(type(model).__name__, "it was not fitted on a table with named columns")
    draft = Draft(tuple(map(str, names)))
    try:
        head = estimate(draft, model, Features(tuple(map(Raw, range(len(names))))))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # Much is read from attributes that scikit-learn keeps for itself and other versions may not have.
        raise NotCompilable(draft.where, f"it does not look as expected: {type(error).__name__}: {error}") from error
    encoder = RowEncoder(draft.names, draft.number_columns(), list(draft.texts))
    classes = None if head.classes is None else tuple(head.classes.tolist())
    compiled = Compiled(draft.names, classes, encoder.width, encoder, draft.program(), head)
    compiled.predict(np.zeros((0, encoder.width)))  # the native code is loaded now, and not by the first request
    return compiled
