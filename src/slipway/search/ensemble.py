"""The ensemble of a search: the answers that its trials gave are kept, some of the trials are chosen, and vote as one model."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.preprocessing import LabelEncoder

from slipway.core.choice import better_beyond_noise
from slipway.core.ensembles import mean_answer, outcome_of, select
from slipway.core.spec import ENSEMBLE
from slipway.core.trials import Answers, EnsembleMember, Trial, ranked
from slipway.search.question import Question, scored, under_resamples

_MOST_BYTES = 512 * 2**20


class KeptAnswers:
    """The validation answers of the best trials, in at most `most_bytes` of memory; the weakest trials lose theirs first."""

    def __init__(self, metric: str, most_bytes: int = _MOST_BYTES) -> None:
        self._metric, self._most = metric, most_bytes
        self._trials: list[Trial] = []

    def take(self, trial: Trial) -> Trial:
        """Keep the answers of a complete trial, if it has any, and return the trial without them."""
        bare = replace(trial, answers=Answers())
        if not trial.complete or not trial.answers.scores:
            return bare
        self._trials = ranked([*self._trials, trial], self._metric)
        while self._trials and sum(each.answers.size_bytes for each in self._trials) > self._most:
            self._trials.pop()
        return bare

    def of(self, number: int) -> Answers | None:
        """Return the answers of a trial; None where they are not kept: the trial was weak, or ran in a search before."""
        return next((trial.answers for trial in self._trials if trial.number == number), None)

    def best_first(self) -> list[Trial]:
        """Return the trials whose answers are kept, the best first."""
        return list(self._trials)


def find_ensemble(question: Question, trials: Sequence[Trial], kept: KeptAnswers) -> Trial | None:
    """Return the ensemble of these trials as a Trial with members, where it is better than the best single trial.

    Returns None where the experiment wants none, where fewer than two trials have their answers kept, and where the ensemble is
    better by no more than the noise of the difference to the best of `trials`.
    """
    search, library = question.experiment.search, kept.best_first()
    if search.ensemble != "auto" or search.prefer != "best" or len(library) < 2:
        return None
    started_ms, clock = int(time.time() * 1000), time.perf_counter()
    answers = {trial.number: trial.answers.scores for trial in library}
    counts = select(question.experiment.task, search.metric, question.truths(), answers)
    if len(counts) < 2:
        return None
    by_number = {trial.number: trial for trial in library}
    together = combine(question, [by_number[number] for number in counts], list(counts.values()))
    together = replace(together, started_ms=started_ms, duration_s=time.perf_counter() - clock)
    best = ranked(trials, search.metric)[0]
    return together if better_beyond_noise(together, best, search.metric) else None


def answers_of(members: Sequence[EnsembleMember], kept: KeptAnswers) -> list[Any] | None:
    """Return the mean answer of the members to the validation rows of each fold; None where one is not kept."""
    found = [kept.of(member.trial) for member in members]
    there = [each.scores for each in found if each is not None]
    if len(there) < len(members):
        return None
    return [mean_answer(fold, [member.weight for member in members]) for fold in zip(*there, strict=True)]


def combine(question: Question, trials: Sequence[Trial], counts: Sequence[int]) -> Trial:
    """Return trials with their answers as one Trial with members, the heaviest first; `counts` are their weights."""
    experiment = question.experiment
    order = np.argsort([-count for count in counts], kind="stable").tolist()
    trials, weights = [trials[i] for i in order], [counts[i] / sum(counts) for i in order]
    folds: Any = zip(*(trial.answers.scores for trial in trials), strict=True)
    means = [mean_answer(fold, weights) for fold in folds]
    outcomes = [outcome_of(experiment.task, truth, mean) for truth, mean in zip(question.truths(), means, strict=True)]
    metrics = scored(experiment, outcomes)
    return Trial(
        number=trials[0].number,
        candidate=ENSEMBLE,
        score=metrics[experiment.search.metric],
        metrics=metrics,
        resamples=under_resamples(experiment, outcomes),
        predict_ms=sum(trial.predict_ms for trial in trials),
        size_bytes=sum(trial.size_bytes for trial in trials),
        members=tuple(
            EnsembleMember(trial.number, trial.candidate, dict(trial.params), weight)
            for trial, weight in zip(trials, weights, strict=True)
        ),
    )


def vote(
    fitted: Mapping[str, BaseEstimator], weights: Sequence[float], inputs: Sequence[str], labels: NDArray[Any] | None
) -> BaseEstimator:
    """Return fitted models as one model that answers their weighted mean: a VotingClassifier, or a VotingRegressor.

    The models are fitted apart, as every candidate is, and joined as if the voting model had fitted them.

    Args:
        fitted: The models by a name for each; classifiers know every one of the labels.
        weights: The weight of each model.
        inputs: The columns that the voting model is given; a model may be fitted on some of them.
        labels: The labels that the models were fitted on, (rows,); None for a regression.
    """
    templates = [(name, clone(model)) for name, model in fitted.items()]
    if labels is None:
        voting: Any = VotingRegressor(templates, weights=list(weights))
    else:
        voting = VotingClassifier(templates, voting="soft", weights=list(weights))
        voting.le_ = LabelEncoder().fit(labels)
        voting.classes_ = voting.le_.classes_
    voting.estimators_ = list(fitted.values())
    voting.feature_names_in_ = np.array(list(inputs), dtype=object)
    return voting
