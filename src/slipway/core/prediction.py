"""From a fitted model and rows to an Outcome that metrics can be taken of."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from slipway.core.statistics.metrics import Array, Outcome
from slipway.core.tasks import Task

_SAMPLE = 2000


class Predictor(Protocol):
    """What every fitted scikit-learn pipeline can do."""

    def predict(self, rows: pd.DataFrame) -> Any: ...


def classes_of(target: pd.Series, task: Task, positive: Any = None) -> tuple[Any, ...]:
    """Return the classes in the order of their codes: sorted, with the positive class of a binary task last.

    Returns an empty tuple for a regression. Raises ValueError when a binary task has not two classes, or no such positive.
    """
    if not task.is_classification:
        return ()
    classes = sorted(target.unique().tolist())
    if task.traits.has_positive and len(classes) != 2:
        raise ValueError(f"a {task} task needs two classes in its target; found {len(classes)}: {classes[:10]}")
    if positive is not None:
        if positive not in classes:
            raise ValueError(f"the positive class {positive!r} is not among the classes {classes}")
        classes.sort(key=lambda value: value == positive)
    return tuple(classes)


def encode(target: Any, classes: Sequence[Any]) -> Array:
    """Return class codes 0..k-1, or the values as they are where there are no classes.

    target: (rows,) of labels or values; a Series, array or list. What is no known class becomes -1. Shape (rows,), float64.
    """
    if not classes:
        return np.asarray(target, dtype=np.float64)
    codes: Array = pd.Index(classes).get_indexer(np.asarray(target, dtype=object)).astype(np.float64)
    return codes


def scores_of(task: Task, each: Array) -> Array:
    """Return the scores of an Outcome from those of each class, (rows, classes): where one is positive, its own alone."""
    return each[:, 1] if task.traits.has_positive else each


def predict(model: Predictor, rows: pd.DataFrame, truth: pd.Series, task: Task, classes: Sequence[Any]) -> Outcome:
    """Predict rows and set the answer beside the truth.

    rows: (rows, features); truth: (rows,) labels or values. Scores are `predict_proba` where the model has it, else
    `decision_function`, else the outcome carries labels only.
    """
    predicted = encode(np.asarray(model.predict(rows)).ravel(), classes)
    scores, probabilistic = _scores(model, rows, task, classes)
    return Outcome(encode(truth, classes), predicted, scores, probabilistic)


def predict_once(model: Any, rows: Any, truth: pd.Series, task: Task, classes: Sequence[Any]) -> Outcome:
    """Predict as `predict` does, asking for the probabilities only: a search has no time for asking twice.

    Labels are those of the largest probability, if they are on a sample of the rows. They are not for every classifier (the
    probabilities of an SVC are fitted apart from its labels), and then `predict` is asked after all.
    """
    scores, probabilistic = _scores(model, rows, task, classes)
    if scores is None or not probabilistic:
        return predict(model, rows, truth, task, classes)
    largest = scores.argmax(axis=1) if scores.ndim > 1 else scores > 0.5
    predicted: Array = largest.astype(np.float64)
    sample = np.unique(np.linspace(0, len(predicted) - 1, _SAMPLE).astype(int))
    asked = rows.iloc[sample] if hasattr(rows, "iloc") else rows[sample]
    if not np.array_equal(encode(np.asarray(model.predict(asked)).ravel(), classes), predicted[sample]):
        return predict(model, rows, truth, task, classes)
    return Outcome(encode(truth, classes), predicted, scores, probabilistic)


def _scores(model: Any, rows: pd.DataFrame, task: Task, classes: Sequence[Any]) -> tuple[Array | None, bool]:
    if not task.is_classification:
        return None, False
    if hasattr(model, "predict_proba"):
        # A model trained on rows without some class has no column for it: its score there is 0.
        known = {value: column for column, value in enumerate(model.classes_.tolist())}
        proba = np.asarray(model.predict_proba(rows), dtype=np.float64)
        scores = np.column_stack([proba[:, known[c]] if c in known else np.zeros(len(proba)) for c in classes])
        return scores_of(task, scores), True
    if hasattr(model, "decision_function"):
        scores = np.asarray(model.decision_function(rows), dtype=np.float64)
        known = model.classes_.tolist()
        if task.traits.has_positive:
            return (scores if known == list(classes) else -scores), False
        # A margin cannot be made up for a class that the model was trained without: the labels are all there is.
        return (scores, False) if known == list(classes) else (None, False)
    return None, False
