"""The disagreement of two models on the same rows: how often the answers differ, and where they differ most."""

import hashlib
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
    """The measure of the gap between two answers to one row."""

    SCORE = "difference of the positive class's score"
    DISTANCE = "total variation distance of the classes' scores"
    LABEL = "1 where the labels differ"
    VALUE = "absolute difference"


@dataclass(frozen=True)
class Disagreement:
    """The differences between two Outcomes of the same rows.

    Attributes:
        measured: The measure of the gaps.
        rate: The share of the rows with different answers, 0 to 1.
        mean: The mean gap over all rows, in the unit of `measured`.
        positions: The rows with the widest gaps, the widest first; rows without a gap are left out.
        gaps: The gaps of these rows, (positions,).
    """

    measured: Gap
    rate: float
    mean: float
    positions: NDArray[np.intp]
    gaps: Array


@dataclass(frozen=True)
class OneAnswer:
    """The answer of one model to one row.

    Attributes:
        label: The class, or the value of a regression; None for a class that these rows do not have.
        score: The score of the positive class in a binary task, of the answered class in a multiclass task; None without
            scores.
    """

    label: Any
    score: float | None = None


@dataclass(frozen=True)
class DisputedRow:
    """One row on which two models differ.

    Attributes:
        position: The place of the row among the rows.
        values: The values of the shown columns, by name.
        truth: The true class or value.
        left: The answer of the left model.
        right: The answer of the right model.
        gap: The gap between the two answers.
    """

    position: int
    values: Mapping[str, Any]
    truth: Any
    left: OneAnswer
    right: OneAnswer
    gap: float


def disagreement(task: Task, left: Outcome, right: Outcome, most: int = MOST) -> Disagreement:
    """Compare two Outcomes row by row and find the `most` rows with the widest gaps; equal gaps come in order of row.

    Scores are subtracted only where both are probabilities: two margins have no common unit, so the labels decide then.
    Raises ValueError when the Outcomes are not of the same rows.
    """
    if not np.array_equal(left.truth, right.truth):
        raise ValueError("the two outcomes are not of the same rows")
    measured, gaps = _gaps(task, left, right)
    order = np.argsort(-gaps, kind="stable")[:most]
    widest = order[gaps[order] > 0]
    rate = float(np.mean(left.predicted != right.predicted)) if left.rows else 0.0
    return Disagreement(measured, rate, float(gaps.mean()) if left.rows else 0.0, widest, gaps[widest])


def answers_digest(outcome: Outcome, rows: str) -> str:
    """Return the SHA-256 of all answers and scores of an Outcome. rows: the digest of its rows."""
    digest = hashlib.sha256(rows.encode())
    for values in (outcome.predicted, outcome.scores):
        if values is not None:
            digest.update(np.ascontiguousarray(values, dtype=np.float64).tobytes())
    return digest.hexdigest()


def different_answers(left: Outcome, right: Outcome) -> int:
    """Return on how many rows two Outcomes of the same rows differ: by the answer, or by a score."""
    differ = left.predicted != right.predicted
    if left.scores is not None and right.scores is not None and left.scores.shape == right.scores.shape:
        apart = left.scores != right.scores
        differ = differ | (apart if apart.ndim == 1 else apart.any(axis=1))
    elif (left.scores is None) is not (right.scores is None):
        return left.rows
    return int(differ.sum())


def disputed_rows(
    found: Disagreement,
    rows: pd.DataFrame,
    columns: Sequence[str],
    classes: Sequence[Any],
    left: Outcome,
    right: Outcome,
) -> tuple[DisputedRow, ...]:
    """Return the rows of a Disagreement with their values, the truth and both answers, the widest gap first.

    Args:
        found: The Disagreement of the two Outcomes.
        rows: The rows in the order of the Outcomes, (rows, any columns).
        columns: The columns to show.
        classes: The classes in the order of their codes; empty for a regression.
        left: The Outcome of the left model.
        right: The Outcome of the right model.
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
    """Return the value as JSON can hold it: a number, a text, a truth value, or None for a missing value."""
    if value is None or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat(sep=" ")
    return value.item() if isinstance(value, np.generic) else value
