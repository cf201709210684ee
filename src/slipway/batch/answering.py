"""What answers the rows of a file: a plan of the model where it is worth making and equal, and the model itself."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slipway.compile import Compiled, LeftToOriginal, NotCompilable, compile_model, verify

PLANNED_FROM = 50_000
"""Rows of a first chunk from which on a plan is made: for fewer, the model has answered before the plan is there."""

PIECE_ROWS = 4096
"""Rows that a thread answers at a time, and of which one that is left to the model takes all with it."""

_VERIFIED_ROWS = 200


@dataclass(frozen=True)
class BatchAnswers:
    """predictions: one a row. probabilities: (rows, classes); None where the model has none."""

    predictions: NDArray[Any]
    probabilities: NDArray[Any] | None


class Answering:
    """Answers one file's rows, chunk by chunk, with what the model's own `predict` and `predict_proba` return.

    The first chunk decides: a plan is compared with the model on its first rows, and on odd ones made of these, and has to take
    less of the processor. Whatever a plan leaves to the original is asked of the model, and stands in its place.

    why_not: why there is no plan; "" while there is. left: rows that were asked of the model although there is one.
    """

    def __init__(self, model: Any):
        self._model = model
        self._plan: Compiled | None = None
        self._begun = False
        self.why_not = ""
        self.left = 0

    @property
    def compiled(self) -> bool:
        return self._plan is not None

    def __call__(self, rows: pd.DataFrame) -> BatchAnswers:
        """Answer rows of the model's signature. Raises what the model raises."""
        if not self._begun:
            self._begun = True
            self._plan, self.why_not = _checked_plan(self._model, rows)
        if self._plan is None:
            return _asked(self._model, rows)
        try:
            return self._planned(self._plan, rows)
        except LeftToOriginal:  # of a type that the plan does not read
            self.left += len(rows)
            return _asked(self._model, rows)

    def _planned(self, plan: Compiled, rows: pd.DataFrame) -> BatchAnswers:
        encoded = plan.encode_frame(rows)
        starts = range(0, len(rows), PIECE_ROWS)
        with ThreadPoolExecutor(
            len(os.sched_getaffinity(0))
        ) as pool:  # native code runs without the interpreter's lock
            found = list(pool.map(partial(_tried, plan), (encoded[at : at + PIECE_ROWS] for at in starts)))
        answers = [each or self._left(rows.iloc[at : at + PIECE_ROWS]) for each, at in zip(found, starts, strict=True)]
        probabilities = [each.probabilities for each in answers if each.probabilities is not None]
        return BatchAnswers(
            np.concatenate([each.predictions for each in answers]),
            np.concatenate(probabilities) if probabilities else None,
        )

    def _left(self, rows: pd.DataFrame) -> BatchAnswers:
        self.left += len(rows)
        return _asked(self._model, rows)


def _asked(model: Any, rows: pd.DataFrame) -> BatchAnswers:
    predictions = np.asarray(model.predict(rows)).ravel()
    return BatchAnswers(predictions, np.asarray(model.predict_proba(rows)) if hasattr(model, "predict_proba") else None)


def _tried(plan: Compiled, encoded: NDArray[np.float64]) -> BatchAnswers | None:
    """The plan's answers; None where a row is left to the model."""
    try:
        return BatchAnswers(plan.predict(encoded), plan.predict_proba(encoded) if plan.has_probabilities else None)
    except LeftToOriginal:
        return None


def _checked_plan(model: Any, rows: pd.DataFrame) -> tuple[Compiled | None, str]:
    """Compile and compare; the plan, or why there is none."""
    if len(rows) < PLANNED_FROM:
        return None, f"for fewer than {PLANNED_FROM:,} rows it is not worth the making"
    first = rows.head(PIECE_ROWS)
    try:
        plan = compile_model(model)
        agreement = verify(model, plan, rows.head(_VERIFIED_ROWS))
        if not agreement.equal:
            found = next(iter(agreement.problems), "nothing could be compared")
            return None, f"compiled, it answers otherwise: {found}"
        # As where thousands of categories are one-hot: scikit-learn has them sparse, a plan does not.
        if _cpu_s(lambda: _tried(plan, plan.encode_frame(first))) >= _cpu_s(lambda: _asked(model, first)):
            return None, "compiled, it takes no less of the processor"
    except NotCompilable as error:
        return None, str(error)
    except Exception as error:  # the model answers all the same  # noqa: BLE001
        return None, f"it could not be compiled and compared: {type(error).__name__}: {str(error)[:300]}"
    return plan, ""


def _cpu_s(call: Callable[[], object]) -> float:
    """The seconds that all cores together work on it; unlike those that pass, they are few where others work too."""
    took = []
    for _ in range(2):
        clock = time.process_time()
        call()
        took.append(time.process_time() - clock)
    return min(took)
