"""The baselines that a model has to beat: the class prior or the mean, and the experiment's own rule."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from slipway.code import load_function
from slipway.core.prediction import encode, scores_of, weighted, weights_of
from slipway.core.spec import Experiment
from slipway.core.statistics.metrics import Array, Outcome, measure
from slipway.core.tasks import Task
from slipway.errors import CodeInvalid
from slipway.search.own_metrics import own_metrics
from slipway.search.question import Question, mean_over_folds

Rule = Callable[[pd.DataFrame, pd.DataFrame], Any]
"""A rule(train, rows) gets `train` with its target and `rows` without, and returns scores of the positive class, labels, or
values."""


@dataclass(frozen=True)
class FittedBaseline:
    """A baseline by its name, learned from training rows; `predict(rows, truth)` gives the Outcome of its answers."""

    name: str
    predict: Callable[[pd.DataFrame, pd.Series], Outcome]


def fit_baselines(
    folder: Path, experiment: Experiment, train: pd.DataFrame, classes: Sequence[Any]
) -> list[FittedBaseline]:
    """Return the experiment's baselines, learned from `train`: the prior or mean first, then the experiment's own rule.

    Raises CodeInvalid when the rule cannot be imported. The baseline of a rule raises CodeInvalid when the rule fails.
    """
    target = experiment.data.target
    truth, weights = encode(train[target], classes), weights_of(train, experiment.data)
    constant = _prior(truth, weights, experiment.task, len(classes)) if classes else _mean(truth, weights)
    name, _ = experiment.task.traits.constant
    baselines = [FittedBaseline(name, lambda rows, y: constant(len(rows), encode(y, classes)))]
    if ref := experiment.baseline.rule:
        rule: Rule = load_function(folder, ref)
        name = ref.partition(":")[2]
        baselines.append(
            FittedBaseline(name, lambda rows, y: _ruled(rule, ref, train, rows, y, experiment.task, classes))
        )
    return baselines


@dataclass(frozen=True)
class ScoredBaseline:
    """The scores of a baseline on the validation rows.

    Attributes:
        name: The name of the baseline.
        metrics: Each metric as the mean over the folds.
        started_ms: Unix time of the start in milliseconds.
        duration_s: Wall time of learning and scoring.
    """

    name: str
    metrics: Mapping[str, float]
    started_ms: int
    duration_s: float


def score_baselines(question: Question) -> list[ScoredBaseline]:
    """Learn and score each baseline on the same folds as the trials. Raises CodeInvalid for a rule that fails."""
    experiment = question.experiment
    features, target = list(experiment.data.features), experiment.data.target
    values: dict[str, list[dict[str, float]]] = {}
    started_ms, clock = int(time.time() * 1000), time.perf_counter()
    own = own_metrics(question.folder, experiment, question.classes)
    for train, validation in question.parts(share=1.0):
        for baseline in fit_baselines(question.folder, experiment, train, question.classes):
            answers = baseline.predict(validation[features], validation[target])
            outcome = weighted(answers, validation, experiment.data)
            values.setdefault(baseline.name, []).append(measure(experiment.task, outcome, own))
    took_s = (time.perf_counter() - clock) / len(values)
    return [ScoredBaseline(name, mean_over_folds(each), started_ms, took_s) for name, each in values.items()]


def _prior(truth: Array, weights: Array | None, task: Task, classes: int) -> Callable[[int, Array], Outcome]:
    counted = np.bincount(truth.astype(int), weights, minlength=classes)
    shares = counted / counted.sum()

    def outcome(rows: int, y: Array) -> Outcome:
        predicted = np.full(rows, float(shares.argmax()))
        return Outcome(y, predicted, scores_of(task, np.tile(shares, (rows, 1))), probabilistic=True)

    return outcome


def _mean(truth: Array, weights: Array | None) -> Callable[[int, Array], Outcome]:
    value = float(np.average(truth, weights=weights))
    return lambda rows, y: Outcome(y, np.full(rows, value))


def _ruled(
    rule: Rule, ref: str, train: pd.DataFrame, rows: pd.DataFrame, truth: pd.Series, task: Task, classes: Sequence[Any]
) -> Outcome:
    try:
        answer = np.asarray(rule(train, rows)).ravel()
    except Exception as error:  # the experiment's own code may raise anything
        raise CodeInvalid(f"the baseline {ref} failed: {type(error).__name__}: {error}") from error
    if len(answer) != len(rows):
        raise CodeInvalid(
            f"the baseline {ref} has to answer each row; {len(rows)} rows were given, {len(answer)} came back"
        )
    y = encode(truth, classes)
    if task.traits.has_positive and np.issubdtype(answer.dtype, np.floating):
        if not np.isfinite(answer).all() or answer.min() < 0 or answer.max() > 1:
            raise CodeInvalid(f"the baseline {ref} has to answer probabilities from 0 to 1, or labels")
        return Outcome(y, (answer >= 0.5).astype(float), answer.astype(float), probabilistic=True)
    try:
        predicted = encode(answer, classes)
    except (TypeError, ValueError):  # words where numbers are due
        predicted = np.full(len(answer), np.nan)
    if not np.isfinite(predicted).all() or (len(classes) and (predicted < 0).any()):
        raise CodeInvalid(
            f"the baseline {ref} answered something that is not a {'class' if classes else 'finite number'}"
        )
    # Labels alone still rank rows: a label is a score of 0 or 1.
    hard = scores_of(task, np.eye(len(classes))[predicted.astype(int)]) if len(classes) else None
    return Outcome(y, predicted, hard)
