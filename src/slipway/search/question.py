"""The Question that each trial answers, and the run of one trial from its parameters to its score."""

import pickle
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slipway.core.prediction import encode, predict_once, weighted, weights_of
from slipway.core.spec import Experiment
from slipway.core.statistics.costs import cheapest_threshold, pooled
from slipway.core.statistics.intervals import resampled
from slipway.core.statistics.metrics import Array, Outcome, measure
from slipway.core.trials import Answers, Trial
from slipway.errors import CodeInvalid
from slipway.search.boosters import over_folds
from slipway.search.candidates import build_pipeline
from slipway.search.fitting import fit_trial
from slipway.search.own_metrics import own_metrics, search_metric
from slipway.search.proposals import Proposal

Positions = NDArray[np.intp]

_SAMPLE = 200


@dataclass(frozen=True)
class Question:
    """The question to each trial: fit on the training rows of each fold, and score on its validation rows.

    Attributes:
        folder: The folder of the experiment.
        experiment: The experiment.
        classes: The classes in the order of their codes; empty for a regression.
        rows: All development rows with their target.
        folds: Positions of training and validation rows, as scikit-learn's `cv` takes them.
    """

    folder: Path
    experiment: Experiment
    classes: Sequence[Any]
    rows: pd.DataFrame
    folds: Sequence[tuple[Positions, Positions]]

    def parts(self, share: float) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
        """Yield the training rows, cut to the share, and the validation rows of each fold; the same share has the same rows."""
        for train, validation in self.folds:
            if share < 1:
                rng = np.random.default_rng(self.experiment.search.seed)
                train = np.sort(rng.permutation(train)[: max(1, round(share * len(train)))])
            yield self.rows.iloc[train], self.rows.iloc[validation]

    def truths(self) -> list[Array]:
        """Return the true class codes or values of the validation rows of each fold."""
        target = self.rows[self.experiment.data.target]
        return [encode(target.iloc[validation], self.classes) for _, validation in self.folds]

    def weights(self) -> list[Array] | None:
        """Return how much each validation row of each fold counts; None where every row counts once."""
        each = weights_of(self.rows, self.experiment.data)
        return None if each is None else [each[validation] for _, validation in self.folds]


def run_trial(question: Question, proposal: Proposal) -> Trial:
    """Fit and score one pipeline on every fold; an exception becomes the error of the trial."""
    metric = question.experiment.search.metric
    started_ms, clock = int(time.time() * 1000), time.perf_counter()
    answer, error = _Answer(question), ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            for train, validation in question.parts(proposal.share):
                answer.take_in(proposal, train, validation)
        except Exception as failure:  # noqa: BLE001 - an estimator may raise anything; the search goes on
            error = f"{type(failure).__name__}: {failure}"
    metrics: Mapping[str, float] = {}
    drawn: tuple[float, ...] = ()
    score = None
    if not error:
        try:
            metrics = scored(question, answer.outcomes)
            score = metrics.get(metric)
            if score is None or not np.isfinite(score):
                error, score = f"{metric} could not be computed (got {score})", None
            else:
                drawn = under_resamples(question, answer.outcomes)
        except CodeInvalid as failure:  # of a metric of the experiment's own
            error, score = str(failure), None
    messages = tuple(dict.fromkeys(f"{w.category.__name__}: {str(w.message).splitlines()[0]}" for w in caught))
    return Trial(
        number=proposal.number,
        candidate=proposal.candidate,
        score=score,
        params={**proposal.params, **({} if error else answer.found())},
        resamples=drawn,
        predict_ms=answer.predict_ms,
        size_bytes=answer.size_bytes,
        duration_s=time.perf_counter() - clock,
        error=error,
        metrics=metrics,
        warnings=messages[:10],
        started_ms=started_ms,
        share=proposal.share,
        answers=answer.answers() if score is not None and proposal.share >= 1 else Answers(),
    )


def failed_trial(proposal: Proposal, reason: str, took_s: float) -> Trial:
    """Return the failed trial of a proposal that was stopped, or lost with its worker, after `took_s` seconds."""
    started_ms = int((time.time() - took_s) * 1000)
    params, share = dict(proposal.params), proposal.share
    return Trial(proposal.number, proposal.candidate, None, params, took_s, reason, started_ms=started_ms, share=share)


def mean_over_folds(each: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each metric over the folds."""
    return {name: float(np.mean([values[name] for values in each])) for name in each[0]}


def scored(question: Question, outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return each metric as the mean over the folds, and with declared costs the cheapest threshold and its cost."""
    experiment = question.experiment
    own = own_metrics(question.folder, experiment, question.classes)
    means = mean_over_folds([measure(experiment.task, each, own) for each in outcomes])
    return {**means, **_decision(experiment, outcomes)}


def under_resamples(question: Question, outcomes: Sequence[Outcome]) -> tuple[float, ...]:
    """Return the search metric under resamples of each fold's validation rows, as the mean over the folds."""
    seed = question.experiment.search.seed
    prepare = search_metric(question.folder, question.experiment, question.classes).prepare
    drawn = [resampled(prepare(outcome), outcome.rows, seed=seed) for outcome in outcomes]
    return tuple(np.mean(drawn, axis=0).tolist())


def _decision(experiment: Experiment, outcomes: Sequence[Outcome]) -> Mapping[str, float]:
    costs = experiment.scope.costs
    if costs is None or not all(outcome.probabilistic for outcome in outcomes):
        return {}
    threshold, cost = cheapest_threshold(pooled(outcomes), costs)
    return {"threshold": threshold, "cost": cost}


def _margins(model: Any, rows: Any, positive: Array, classes: Sequence[Any]) -> Array:
    """Return the decision function of a binary classifier from the probability of its positive class, (rows,).

    Mostly it is the logit of the probability, which spares another pass over all rows; a sample of them says whether it is.
    """
    sign = 1.0 if model.classes_.tolist() == list(classes) else -1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        logit: Array = sign * (np.log(positive) - np.log1p(-positive))
    at = np.unique(np.linspace(0, len(logit) - 1, _SAMPLE).astype(int))
    sample = rows.iloc[at] if hasattr(rows, "iloc") else rows[at]
    if np.isfinite(logit).all() and np.allclose(model.decision_function(sample), logit[at], rtol=1e-6, atol=1e-6):
        return logit
    return np.asarray(model.decision_function(rows), dtype=np.float64)


class _Answer:
    """The answers of a pipeline on the folds so far."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self.outcomes: list[Outcome] = []
        self._found: list[Mapping[str, Any]] = []
        self._margins: list[NDArray[np.float32]] = []
        self._predicting_s = 0.0
        self.size_bytes = 0

    def take_in(self, proposal: Proposal, train: pd.DataFrame, validation: pd.DataFrame) -> None:
        question, experiment = self._question, self._question.experiment
        features, target = list(experiment.data.features), experiment.data.target
        pipeline = build_pipeline(question.folder, experiment, proposal.candidate, proposal.params, train)
        self._found.append(fit_trial(experiment, proposal.candidate, pipeline, train, validation))
        clock = time.perf_counter()
        # The preprocessing runs once, not once for labels and once for probabilities.
        rows = pipeline[:-1].transform(validation[features]) if len(pipeline) > 1 else validation[features]
        outcome = predict_once(pipeline[-1], rows, validation[target], experiment.task, question.classes)
        self._predicting_s += time.perf_counter() - clock
        self.outcomes.append(weighted(outcome, validation, experiment.data))
        if experiment.scope.costs and hasattr(pipeline[-1], "decision_function") and outcome.scores is not None:
            self._margins.append(_margins(pipeline[-1], rows, outcome.scores, question.classes).astype(np.float32))
        with suppress(Exception):  # skops may still store a pipeline that cannot be pickled
            self.size_bytes = len(pickle.dumps(pipeline, protocol=pickle.HIGHEST_PROTOCOL))

    @property
    def predict_ms(self) -> float:
        """Wall time of answering 1000 rows, in milliseconds."""
        rows = sum(outcome.rows for outcome in self.outcomes)
        return 1e6 * self._predicting_s / rows if rows else 0.0

    def found(self) -> dict[str, Any]:
        """Return the parameters that early stopping found."""
        return over_folds(self._found)

    def answers(self) -> Answers:
        """Return the answers where an ensemble or a curve may be learned on them; nothing without probabilities."""
        experiment = self._question.experiment
        if experiment.search.ensemble != "auto" and not experiment.scope.costs:
            return Answers()
        if not experiment.task.is_classification:
            return Answers(tuple(each.predicted.astype(np.float32) for each in self.outcomes))
        if not all(each.probabilistic and each.scores is not None for each in self.outcomes):
            return Answers()
        scores = tuple(each.scores.astype(np.float32) for each in self.outcomes if each.scores is not None)
        return Answers(scores, tuple(self._margins))
