"""One trial of a search as reports show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from slipway.core.metrics import METRICS


@dataclass(frozen=True)
class TrialRow:
    """One trial.

    number: its place in the search, from 0.
    candidate: the name of the candidate pipeline that was tried.
    value: the search's metric on the validation rows; None where the trial failed.
    parameters: as named in the space.
    duration_s: wall time of the trial.
    error: why it failed, in one line; empty where it did not.
    """

    number: int
    candidate: str
    value: float | None
    parameters: Mapping[str, object] = field(default_factory=dict)
    duration_s: float | None = None
    error: str = ""
    run_id: str = ""

    @property
    def failed(self) -> bool:
        return self.value is None or not isfinite(self.value)


def ranked(trials: Sequence[TrialRow], metric: str) -> list[TrialRow]:
    """Return the trials best first by the metric's direction, equal ones in order of trial, the failed ones last."""
    sign = -1 if METRICS[metric].greater_is_better else 1
    return sorted(trials, key=lambda trial: (trial.failed, _value(trial) * sign, trial.number))


def best_so_far(trials: Sequence[TrialRow], metric: str) -> list[tuple[int, float]]:
    """Return (trial number, best value up to and with it) for each trial that did not fail, in order of trial."""
    pick = max if METRICS[metric].greater_is_better else min
    steps: list[tuple[int, float]] = []
    for trial in sorted((trial for trial in trials if not trial.failed), key=lambda trial: trial.number):
        value = _value(trial)
        steps.append((trial.number, pick(value, steps[-1][1]) if steps else value))
    return steps


def _value(trial: TrialRow) -> float:
    return trial.value if trial.value is not None and not trial.failed else 0.0
