"""The answers to the rows of a file: from a plan where the plan is equal and faster, otherwise from the model."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slipway.compile import Compiled, LeftToOriginal, NotCompilable, compile_model, verify
from slipway.plans import Encoded

PLANNED_FROM = 50_000
"""Rows of a first chunk from which on a plan is made: the model answers fewer rows before a plan would be ready."""

PIECE_ROWS = 4096
"""Rows that a thread answers at a time. The model answers a whole piece where the plan leaves one of its rows."""

_VERIFIED_ROWS = 200


@dataclass(frozen=True)
class BatchAnswers:
    """The predictions, (rows,), and probabilities, (rows, classes), of some rows; None where the model has no probabilities."""

    predictions: NDArray[Any]
    probabilities: NDArray[Any] | None


class Answering:
    """Answers the rows of one file, chunk by chunk, exactly as the model's own `predict` and `predict_proba` do.

    The first chunk decides between plan and model: the plan has to give the model's answers to the first rows and to unusual
    rows made of these, and has to take less processor time. The model answers the rows that a plan leaves to the original.

    Attributes:
        why_not: Why there is no plan; empty with a plan.
        left: The number of rows that the model answered although there is a plan.
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
        except LeftToOriginal:  # a column has a type that the plan does not read
            self.left += len(rows)
            return _asked(self._model, rows)

    def _planned(self, plan: Compiled, rows: pd.DataFrame) -> BatchAnswers:
        starts = range(0, len(rows), PIECE_ROWS)
        with ThreadPoolExecutor(
            len(os.sched_getaffinity(0))
        ) as pool:  # native code runs without the interpreter's lock
            pieces = list(pool.map(partial(_tried, plan), _pieces(plan, rows, starts)))
        answers = [each or self._left(rows.iloc[at : at + PIECE_ROWS]) for each, at in zip(pieces, starts, strict=True)]
        probabilities = [each.probabilities for each in answers if each.probabilities is not None]
        return BatchAnswers(
            np.concatenate([each.predictions for each in answers]),
            np.concatenate(probabilities) if probabilities else None,
        )

    def _left(self, rows: pd.DataFrame) -> BatchAnswers:
        self.left += len(rows)
        return _asked(self._model, rows)


def _pieces(plan: Compiled, rows: pd.DataFrame, starts: range) -> Iterator[Encoded]:
    """Yield the encoded rows, a piece at a time. Counts of terms take more memory than texts: no more than needed are there."""
    if plan.encoder.terms:
        yield from (plan.encode_frame(rows.iloc[at : at + PIECE_ROWS]) for at in starts)
    else:
        encoded = plan.encode_frame(rows)  # each category of the chunk is looked up once
        yield from (encoded[at : at + PIECE_ROWS] for at in starts)


def _asked(model: Any, rows: pd.DataFrame) -> BatchAnswers:
    predictions = np.asarray(model.predict(rows)).ravel()
    return BatchAnswers(predictions, np.asarray(model.predict_proba(rows)) if hasattr(model, "predict_proba") else None)


def _tried(plan: Compiled, encoded: Encoded) -> BatchAnswers | None:
    """Return the plan's answers; None where the plan leaves a row to the model."""
    try:
        return BatchAnswers(plan.predict(encoded), plan.predict_proba(encoded) if plan.has_probabilities else None)
    except LeftToOriginal:
        return None


def _checked_plan(model: Any, rows: pd.DataFrame) -> tuple[Compiled | None, str]:
    """Compile the model and compare the plan with it; return the plan, or None and why there is none."""
    if len(rows) < PLANNED_FROM:
        return None, f"a plan is not worth making for fewer than {PLANNED_FROM:,} rows"
    first = rows.head(PIECE_ROWS)
    try:
        plan = compile_model(model)
        agreement = verify(model, plan, rows.head(_VERIFIED_ROWS))
        if not agreement.equal:
            problem = next(iter(agreement.problems), "nothing could be compared")
            return None, f"the plan answers otherwise: {problem}"
        # A plan is slower with thousands of one-hot categories: scikit-learn keeps them sparse, a plan does not.
        if _cpu_s(lambda: _tried(plan, plan.encode_frame(first))) >= _cpu_s(lambda: _asked(model, first)):
            return None, "the plan takes no less processor time"
    except NotCompilable as error:
        return None, str(error)
    except Exception as error:  # the model answers all the same  # noqa: BLE001
        return None, f"the model could not be compiled and compared: {type(error).__name__}: {str(error)[:300]}"
    return plan, ""


def _cpu_s(call: Callable[[], object]) -> float:
    """Return the processor time of a call over all cores; unlike wall time, a busy machine does not change it much."""
    took = []
    for _ in range(2):
        clock = time.process_time()
        call()
        took.append(time.process_time() - clock)
    return min(took)
