"""Predictions of a fitted model as an Outcome, the form from which metrics are computed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from slipway.core.spec import Data
from slipway.core.statistics.metrics import Array, Outcome
from slipway.core.tasks import Task

_SAMPLE = 2000


class Predictor(Protocol):
    """A fitted scikit-learn pipeline, or anything else that predicts as one."""

    def predict(self, rows: pd.DataFrame) -> Any: ...


def classes_of(target: pd.Series, task: Task, positive: Any = None) -> tuple[Any, ...]:
    """Return the classes in the order of their codes: sorted, with the positive class of a binary task last.

    Returns an empty tuple for a regression. Raises ValueError when a binary task does not have exactly two classes, or when
    the positive class is not one of them.
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
    """Return class codes 0..k-1, or the values as they are where there are no classes, as float64 of shape (rows,).

    The target is a Series, array or list of labels or values, (rows,). A label that is not one of the classes becomes -1.
    """
    if not classes:
        return np.asarray(target, dtype=np.float64)
    codes: Array = pd.Index(classes).get_indexer(np.asarray(target, dtype=object)).astype(np.float64)
    return codes


def scores_of(task: Task, each: Array) -> Array:
    """Return the scores of an Outcome from the scores of each class, (rows, classes).

    A task with a positive class gets the scores of that class alone, (rows,).
    """
    return each[:, 1] if task.traits.has_positive else each


def predict(model: Predictor, rows: pd.DataFrame, truth: pd.Series, task: Task, classes: Sequence[Any]) -> Outcome:
    """Predict rows and return the answers with the truth as an Outcome.

    Scores come from `predict_proba` where the model has it, else from `decision_function`, else the Outcome has labels only.

    Args:
        model: The fitted model.
        rows: The features, (rows, features).
        truth: The true labels or values, (rows,).
        task: The task of the model.
        classes: The classes in the order of their codes; empty for a regression.
    """
    predicted = encode(np.asarray(model.predict(rows)).ravel(), classes)
    scores, probabilistic = _scores(model, rows, task, classes)
    return Outcome(encode(truth, classes), predicted, scores, probabilistic)


def predict_once(model: Any, rows: Any, truth: pd.Series, task: Task, classes: Sequence[Any]) -> Outcome:
    """Predict as `predict` does, but ask the model for probabilities only: a search has no time to ask twice.

    The label of a row is the class with the largest probability. A sample of the rows is checked against the model's own
    labels, because some classifiers differ (an SVC fits its probabilities apart from its labels); the model's `predict` gives
    the labels then.
    """
    scores, probabilistic = _scores(model, rows, task, classes)
    if scores is None or not probabilistic:
        return predict(model, rows, truth, task, classes)
    predicted = _likeliest(scores)
    sample = np.unique(np.linspace(0, len(predicted) - 1, _SAMPLE).astype(int))
    sampled = rows.iloc[sample] if hasattr(rows, "iloc") else rows[sample]
    if not np.array_equal(encode(np.asarray(model.predict(sampled)).ravel(), classes), predicted[sample]):
        return predict(model, rows, truth, task, classes)
    return Outcome(encode(truth, classes), predicted, scores, probabilistic)


def predict_as_before(
    model: Any, rows: pd.DataFrame, truth: pd.Series, task: Task, classes: Sequence[Any], before: Outcome
) -> Outcome:
    """Predict as `predict` does, but ask for probabilities only where these gave every label of an earlier Outcome.

    before: what `predict` returned for the same model and other rows.
    """
    scores = before.scores
    if scores is None or not before.probabilistic or not np.array_equal(_likeliest(scores), before.predicted):
        return predict(model, rows, truth, task, classes)
    found, _ = _scores(model, rows, task, classes)
    assert found is not None  # the model gave some before
    return Outcome(encode(truth, classes), _likeliest(found), found, True)


def _likeliest(probabilities: Array) -> Array:
    largest = probabilities.argmax(axis=1) if probabilities.ndim > 1 else probabilities > 0.5
    return largest.astype(np.float64)


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
        # A margin cannot be made up for a class that the model was trained without: the Outcome has labels only.
        return (scores, False) if known == list(classes) else (None, False)
    return None, False


def weights_of(rows: pd.DataFrame, data: Data) -> Array | None:
    """Return how much each row counts, (rows,); None where no weight is declared, and every row counts once."""
    return rows[data.weight].to_numpy(dtype="float64") if data.weight else None


def weighted(outcome: Outcome, rows: pd.DataFrame, data: Data) -> Outcome:
    """Return an Outcome in which each row counts as `data.weight` says; `rows` are those of the Outcome, in its order."""
    return replace(outcome, weights=weights_of(rows, data))
