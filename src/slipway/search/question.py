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

from slipway.core.prediction import predict_once
from slipway.core.spec import Experiment
from slipway.core.statistics.costs import cheapest_threshold, pooled
from slipway.core.statistics.intervals import resampled
from slipway.core.statistics.metrics import Outcome, measure
from slipway.core.trials import Trial
from slipway.core.weights import weighted
from slipway.errors import CodeInvalid
from slipway.search.boosters import over_folds
from slipway.search.candidates import build_pipeline
from slipway.search.fitting import fit_trial
from slipway.search.own_metrics import own_metrics, search_metric
from slipway.search.proposals import Proposal

Positions = NDArray[np.intp]


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
            metrics = answer.metrics()
            score = metrics.get(metric)
            if score is None or not np.isfinite(score):
                error, score = f"{metric} could not be computed (got {score})", None
            else:
                drawn = answer.resamples()
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
    )


def failed_trial(proposal: Proposal, reason: str, took_s: float) -> Trial:
    """Return the failed trial of a proposal that was stopped, or lost with its worker, after `took_s` seconds."""
    started_ms = int((time.time() - took_s) * 1000)
    params, share = dict(proposal.params), proposal.share
    return Trial(proposal.number, proposal.candidate, None, params, took_s, reason, started_ms=started_ms, share=share)


def mean_over_folds(each: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each metric over the folds."""
    return {name: float(np.mean([values[name] for values in each])) for name in each[0]}


class _Answer:
    """The answers of a pipeline on the folds so far."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._outcomes: list[Outcome] = []
        self._found: list[Mapping[str, Any]] = []
        self._predicting_s = 0.0
        self.size_bytes = 0

    def take_in(self, proposal: Proposal, train: pd.DataFrame, validation: pd.DataFrame) -> None:
        question, experiment = self._question, self._question.experiment
        features, target = list(experiment.inputs_of(proposal.candidate)), experiment.data.target
        pipeline = build_pipeline(question.folder, experiment, proposal.candidate, proposal.params, train)
        self._found.append(fit_trial(experiment, proposal.candidate, pipeline, train, validation))
        clock = time.perf_counter()
        # The preprocessing runs once, not once for labels and once for probabilities.
        rows = pipeline[:-1].transform(validation[features]) if len(pipeline) > 1 else validation[features]
        outcome = predict_once(pipeline[-1], rows, validation[target], experiment.task, question.classes)
        self._predicting_s += time.perf_counter() - clock
        self._outcomes.append(weighted(outcome, validation, experiment.data))
        with suppress(Exception):  # skops may still store a pipeline that cannot be pickled
            self.size_bytes = len(pickle.dumps(pipeline, protocol=pickle.HIGHEST_PROTOCOL))

    @property
    def predict_ms(self) -> float:
        """Wall time of answering 1000 rows, in milliseconds."""
        rows = sum(outcome.rows for outcome in self._outcomes)
        return 1e6 * self._predicting_s / rows if rows else 0.0

    def metrics(self) -> dict[str, float]:
        """Return the mean of each metric over the folds, and with declared costs the cheapest threshold and its cost."""
        experiment = self._question.experiment
        own = own_metrics(self._question.folder, experiment, self._question.classes)
        each = [measure(experiment.task, outcome, own) for outcome in self._outcomes]
        return {**mean_over_folds(each), **self._decision()}

    def resamples(self) -> tuple[float, ...]:
        """Return the search metric under resamples of each fold's validation rows, as the mean over the folds."""
        search = self._question.experiment.search
        prepare = search_metric(self._question.folder, self._question.experiment, self._question.classes).prepare
        drawn = [resampled(prepare(outcome), outcome.rows, seed=search.seed) for outcome in self._outcomes]
        return tuple(np.mean(drawn, axis=0).tolist())

    def found(self) -> dict[str, Any]:
        """Return the parameters that early stopping found."""
        return over_folds(self._found)

    def _decision(self) -> Mapping[str, float]:
        costs = self._question.experiment.scope.costs
        if costs is None or not all(outcome.probabilistic for outcome in self._outcomes):
            return {}
        threshold, cost = cheapest_threshold(pooled(self._outcomes), costs)
        return {"threshold": threshold, "cost": cost}
