"""One trial of a search, and which trial is better."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.core.statistics.metrics import METRICS


@dataclass(frozen=True)
class EnsembleMember:
    """A trial as a part of an ensemble; the weights of all members sum to 1."""

    trial: int
    candidate: str
    params: Mapping[str, Any]
    weight: float


@dataclass(frozen=True)
class Answers:
    """The answers of a trial to the validation rows of each fold, as float32.

    Attributes:
        scores: The scores of an Outcome, or the values of a regression, one array a fold; empty without probabilities.
        margins: The decision function of a binary task, one array a fold; empty where nothing asks for it.
    """

    scores: tuple[NDArray[np.float32], ...] = ()
    margins: tuple[NDArray[np.float32], ...] = ()

    @property
    def size_bytes(self) -> int:
        return sum(array.nbytes for array in (*self.scores, *self.margins))


@dataclass(frozen=True)
class Trial:
    """The result of one set of parameters on the validation rows, or of an ensemble of such results.

    Attributes:
        number: The place of the trial in the search, from 1.
        candidate: The name of the candidate.
        score: The search metric as the mean over the folds; None for a failed trial.
        params: The parameters, named as in the space.
        duration_s: Wall time of fitting and scoring.
        error: The reason why the trial failed; empty for any other.
        metrics: Every metric of the task, as the mean over the folds.
        warnings: The warnings that fitting and scoring raised.
        started_ms: Unix time of the start in milliseconds.
        share: The share of the training rows that the trial was fitted on; below 1 where halving stopped the trial early.
        rungs: The smaller shares that the trial went through and the score at each, with halving.
        resamples: The score under each of the bootstrap resamples that all trials of a search share.
        predict_ms: Wall time of answering 1000 rows.
        size_bytes: Size of the fitted pipeline.
        answers: The answers to the validation rows, on the way from the trial to whoever keeps them.
        members: The trials that answer together in an ensemble, which has the number of its heaviest member.
    """

    number: int
    candidate: str
    score: float | None
    params: Mapping[str, Any] = field(default_factory=dict)
    duration_s: float = 0.0
    error: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    started_ms: int = 0
    share: float = 1.0
    rungs: tuple[tuple[float, float], ...] = ()
    resamples: tuple[float, ...] = ()
    predict_ms: float = 0.0
    size_bytes: int = 0
    answers: Answers = field(default=Answers(), repr=False, compare=False)
    members: tuple[EnsembleMember, ...] = ()

    @property
    def candidates(self) -> tuple[str, ...]:
        """The names of the candidates that the answers come from."""
        return tuple(dict.fromkeys(member.candidate for member in self.members)) or (self.candidate,)

    @property
    def title(self) -> str:
        """The trial in words: its candidate and number, or the numbers of the members of an ensemble."""
        if not self.members:
            return f"{self.candidate} (trial {self.number})"
        numbers = ", ".join(str(member.trial) for member in self.members)
        return f"{self.candidate} of {len(self.members)} (trials {numbers})"

    @property
    def failed(self) -> bool:
        return self.score is None or not isfinite(self.score)

    @property
    def complete(self) -> bool:
        """Whether the trial was fitted on all training rows; only a complete trial may win."""
        return not self.failed and self.share >= 1


def ranked(trials: Sequence[Trial], metric: str) -> list[Trial]:
    """Return the trials with the best first by the metric's direction, equal ones in order of trial.

    Trials on fewer rows come after trials on more rows, whatever the scores; failed trials come last.
    """
    sign = -1 if METRICS[metric].greater_is_better else 1
    return sorted(trials, key=lambda trial: (trial.failed, -trial.share, _score(trial) * sign, trial.number))


def best_so_far(trials: Sequence[Trial], metric: str) -> list[tuple[int, float]]:
    """Return (trial number, best score so far) for each complete trial, in order of trial."""
    pick = max if METRICS[metric].greater_is_better else min
    steps: list[tuple[int, float]] = []
    for trial in sorted((trial for trial in trials if trial.complete), key=lambda trial: trial.number):
        score = _score(trial)
        steps.append((trial.number, pick(score, steps[-1][1]) if steps else score))
    return steps


def _score(trial: Trial) -> float:
    return trial.score if trial.score is not None and not trial.failed else 0.0
