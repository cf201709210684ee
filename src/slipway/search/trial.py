"""One trial of a search, and the table of all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from slipway.core.metrics import METRICS


@dataclass(frozen=True)
class Trial:
    """What one set of parameters gave on the validation rows.

    score: value of the search metric; None when the trial failed, and then `error` says why.
    started_ms: Unix time in milliseconds. duration_s: wall time of fitting and scoring.
    """

    number: int
    candidate: str
    params: Mapping[str, Any]
    started_ms: int
    duration_s: float
    score: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        return self.score is not None

    @property
    def status(self) -> str:
        return "finished" if self.finished else "failed"


def ranked(trials: Sequence[Trial], metric: str) -> list[Trial]:
    """Return the finished trials, best first, then the failed ones in the order in which they ran."""
    sign = -1.0 if METRICS[metric].greater_is_better else 1.0
    finished = sorted((t for t in trials if t.score is not None), key=lambda t: (sign * (t.score or 0.0), t.number))
    return finished + [trial for trial in trials if not trial.finished]


def leaderboard(trials: Sequence[Trial], metric: str) -> pd.DataFrame:
    """Return a table of the trials, best first: rank, trial, candidate, status, metrics, duration_s, params, error."""
    rows = [
        {
            "rank": rank if trial.finished else None,
            "trial": trial.number,
            "candidate": trial.candidate,
            "status": trial.status,
            metric: trial.score,
            **{name: value for name, value in trial.metrics.items() if name != metric},
            "duration_s": round(trial.duration_s, 3),
            "params": ", ".join(f"{key}={value}" for key, value in trial.params.items()),
            "error": trial.error or "",
        }
        for rank, trial in enumerate(ranked(trials, metric), start=1)
    ]
    return pd.DataFrame(rows)
