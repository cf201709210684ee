"""Scores of answers with bootstrap intervals, and paired differences of two systems on the same rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tabular.answers import Answers
from tabular.catalogue import Task

RESAMPLES, RESAMPLES_OF_RANKS = 1000, 200
LEVEL = 0.95
_LEAST = np.finfo(float).eps  # as scikit-learn's log_loss has it: a class with no probability costs 36, not infinity

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    score: float
    low: float
    high: float


def read_truth(path: Path, task: Task) -> pd.Series:
    """The target of the test rows: numbers of a regression, text otherwise."""
    column = pd.read_csv(path, dtype=float if task == "regression" else str, keep_default_na=False).iloc[:, 0]
    return column


def losses(task: Task, truth: pd.Series, answers: Answers) -> Floats:
    """The loss of each row, (rows,): squared errors of a regression, negative log-likelihoods otherwise."""
    if len(truth) != len(answers.values):
        raise ValueError(f"{len(answers.values)} rows are answered, and {len(truth)} were asked")
    if not np.isfinite(answers.values).all():
        raise ValueError("some answers are no finite numbers")
    if task == "regression":
        return np.square(truth.to_numpy() - answers.values)
    place = {label: i for i, label in enumerate(answers.labels)}
    at = np.array([place.get(label, -1) for label in truth])
    total = answers.values.sum(axis=1)
    own = np.where(at < 0, 0.0, answers.values[np.arange(len(at)), at] / np.where(total > 0, total, 1.0))
    return -np.log(np.clip(own, _LEAST, 1.0))


def score(task: Task, of_rows: Floats) -> Score:
    """Log loss, or the root of the mean squared error, with its interval."""
    return Score(_finished(task, of_rows.mean()), *_between(resampled(task, of_rows)))


def minus(task: Task, of_rows: Floats, others: Floats) -> Score:
    """The score less another system's on the same rows; below 0 it is better."""
    difference = _finished(task, of_rows.mean()) - _finished(task, others.mean())
    return Score(difference, *_between(resampled(task, of_rows) - resampled(task, others)))


def resampled(task: Task, of_rows: Floats, seed: int = 0) -> Floats:
    """The scores of resamples of the rows; the same rows are drawn for every system."""
    return _each(len(of_rows), RESAMPLES, seed, lambda drawn: _finished(task, of_rows[drawn].mean()))


def roc_auc(truth: pd.Series, answers: Answers) -> Score:
    """The area under the ROC curve of a binary task, of the second label. Resamples without one of the classes are left out."""
    from sklearn.metrics import roc_auc_score

    positive = (truth == answers.labels[1]).to_numpy()
    given = answers.values[:, 1]

    def of(drawn: NDArray[np.int64]) -> float:
        both = 0 < positive[drawn].sum() < len(drawn)
        return float(roc_auc_score(positive[drawn], given[drawn])) if both else float("nan")

    found = _each(len(positive), RESAMPLES_OF_RANKS, 0, of)
    return Score(float(roc_auc_score(positive, given)), *_between(found[~np.isnan(found)]))


def _each(rows: int, times: int, seed: int, of: Callable[[NDArray[np.int64]], float]) -> Floats:
    rng = np.random.default_rng(seed)
    return np.array([of(rng.integers(0, rows, rows)) for _ in range(times)])


def _finished(task: Task, mean: float) -> float:
    return float(np.sqrt(mean)) if task == "regression" else float(mean)


def _between(found: Floats) -> Sequence[float]:
    return [float(edge) for edge in np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])]
