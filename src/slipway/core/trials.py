"""One trial of a search, and which trial is better."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from slipway.core.statistics.metrics import METRICS


@dataclass(frozen=True)
class Trial:
    """What one set of parameters gave on the validation rows.

    number: its place in the search, from 1. params: as named in the space.
    score: value of the search metric, the mean over the folds; None when the trial failed, and then `error` says why.
    duration_s: wall time of fitting and scoring. started_ms: Unix time in milliseconds.
    share: of the training rows it was fitted on; below 1 where halving let it go for better ones.
    rungs: the shares below that one and the score at each, where halving was asked for.
    resamples: the score under each of the bootstrap resamples that all trials of a search share.
    predict_ms: wall time of answering 1000 rows. size_bytes: of the fitted pipeline.
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

    @property
    def failed(self) -> bool:
        return self.score is None or not isfinite(self.score)

    @property
    def complete(self) -> bool:
        """Whether it was fitted on all training rows; only then it may win."""
        return not self.failed and self.share >= 1


def ranked(trials: Sequence[Trial], metric: str) -> list[Trial]:
    """Return the trials best first by the metric's direction, equal ones in order of trial.

    Those of fewer rows come after those of more, whatever they scored, and the failed ones last.
    """
    sign = -1 if METRICS[metric].greater_is_better else 1
    return sorted(trials, key=lambda trial: (trial.failed, -trial.share, _score(trial) * sign, trial.number))


def best_so_far(trials: Sequence[Trial], metric: str) -> list[tuple[int, float]]:
    """Return (trial number, best score up to and with it) for each complete trial, in order of trial."""
    pick = max if METRICS[metric].greater_is_better else min
    steps: list[tuple[int, float]] = []
    for trial in sorted((trial for trial in trials if trial.complete), key=lambda trial: trial.number):
        score = _score(trial)
        steps.append((trial.number, pick(score, steps[-1][1]) if steps else score))
    return steps


def _score(trial: Trial) -> float:
    return trial.score if trial.score is not None and not trial.failed else 0.0
