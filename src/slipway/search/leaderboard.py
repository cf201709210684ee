"""The table of a search's trials."""

from collections.abc import Sequence

import pandas as pd

from slipway.core.trials import Trial, ranked


def leaderboard(trials: Sequence[Trial], metric: str) -> pd.DataFrame:
    """Return a table of the trials, best first: rank, trial, candidate, status, metrics, duration_s, params, error."""
    rows = [
        {
            "rank": None if trial.failed else rank,
            "trial": trial.number,
            "candidate": trial.candidate,
            "status": "failed" if trial.failed else "finished",
            metric: trial.score,
            **{name: value for name, value in trial.metrics.items() if name != metric},
            "duration_s": round(trial.duration_s, 3),
            "params": ", ".join(f"{key}={value}" for key, value in trial.params.items()),
            "error": trial.error,
        }
        for rank, trial in enumerate(ranked(trials, metric), start=1)
    ]
    return pd.DataFrame(rows)
