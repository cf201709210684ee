"""Two models on the same rows: how often their answers differ, and where they differ most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slipway.core.statistics.metrics import Array, Outcome
from slipway.core.tasks import Task

MOST = 20


class Gap(StrEnum):
    """What the gap between two answers to one row is."""

    SCORE = "difference of the positive class's score"
    DISTANCE = "total variation distance of the classes' scores"
    LABEL = "1 where the labels differ"
    VALUE = "absolute difference"


@dataclass(frozen=True)
class Disagreement:
    """How two outcomes of the same rows differ.

    rate: share of the rows with different answers, 0 to 1. mean: of the gaps of all rows, in the unit of `measured`.
    positions: of the rows with the widest gaps, the widest first; rows without a gap are not among them.
    gaps: (positions,) of those rows.
    """

    measured: Gap
    rate: float
    mean: float
    positions: NDArray[np.intp]
    gaps: Array


@dataclass(frozen=True)
class OneAnswer:
    """What one model says of one row.

    label: a class, or the value of a regression; None where it is no class of these rows.
    score: of the positive class in a binary task, of the answered class among several; None where there is none.
    """

    label: Any
    score: float | None = None


@dataclass(frozen=True)
class DisputedRow:
    """One row on which two models differ. position: its place among the rows. values: the columns asked for, by name."""

    position: int
    values: Mapping[str, Any]
    truth: Any
    left: OneAnswer
    right: OneAnswer
    gap: float


def disagreement(task: Task, left: Outcome, right: Outcome, most: int = MOST) -> Disagreement:
    """Compare two outcomes row by row and find the `most` rows that they differ most on; equal gaps in order of row.

    Scores are subtracted only where both are probabilities: two margins have no common unit, and then labels decide.
    Raises ValueError when the outcomes are not of the same rows.
    """
    if not np.array_equal(left.truth, right.truth):
        raise ValueError("the two outcomes are not of the same rows")
    measured, gaps = _gaps(task, left, right)
    order = np.argsort(-gaps, kind="stable")[:most]
    widest = order[gaps[order] > 0]
    rate = float(np.mean(left.predicted != right.predicted)) if left.rows else 0.0
    return Disagreement(measured, rate, float(gaps.mean()) if left.rows else 0.0, widest, gaps[widest])


def disputed_rows(
    found: Disagreement,
    rows: pd.DataFrame,
    columns: Sequence[str],
    classes: Sequence[Any],
    left: Outcome,
    right: Outcome,
) -> tuple[DisputedRow, ...]:
    """Return the rows of a disagreement with their values, the truth and both answers, the widest gap first.

    rows: (rows, any columns) in the order of the outcomes. columns: those that are shown. classes: empty for a regression.
    """
    shown = rows[list(columns)].iloc[found.positions].to_dict("records")
    return tuple(
        DisputedRow(
            position=int(i),
            values={str(name): _plain(value) for name, value in values.items()},
            truth=_label(left.truth[i], classes),
            left=_answer(left, int(i), classes),
            right=_answer(right, int(i), classes),
            gap=float(gap),
        )
        for i, values, gap in zip(found.positions, shown, found.gaps, strict=True)
    )


def _gaps(task: Task, left: Outcome, right: Outcome) -> tuple[Gap, Array]:
    if not task.is_classification:
        return Gap.VALUE, np.abs(left.predicted - right.predicted)
    if left.scores is None or right.scores is None or not (left.probabilistic and right.probabilistic):
        return Gap.LABEL, (left.predicted != right.predicted).astype(np.float64)
    apart: Array = np.abs(left.scores - right.scores)
    return (Gap.SCORE, apart) if apart.ndim == 1 else (Gap.DISTANCE, apart.sum(axis=1) / 2)


def _answer(outcome: Outcome, row: int, classes: Sequence[Any]) -> OneAnswer:
    code = outcome.predicted[row]
    if outcome.scores is None or (outcome.scores.ndim == 2 and code < 0):
        return OneAnswer(_label(code, classes))
    score = outcome.scores[row] if outcome.scores.ndim == 1 else outcome.scores[row, int(code)]
    return OneAnswer(_label(code, classes), float(score))


def _label(code: float, classes: Sequence[Any]) -> Any:
    if not classes:
        return float(code)
    return classes[int(code)] if code >= 0 else None


def _plain(value: Any) -> Any:
    """The value as JSON can hold it: a number, text, truth value, or None where it is missing."""
    if value is None or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat(sep=" ")
    return value.item() if isinstance(value, np.generic) else value
