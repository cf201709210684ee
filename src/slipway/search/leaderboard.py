"""The leaderboard: the table of a search's trials."""

from collections.abc import Sequence

import pandas as pd

from slipway.core.choice import contenders, noise
from slipway.core.trials import Trial, ranked


def leaderboard(trials: Sequence[Trial], metric: str) -> pd.DataFrame:
    """Return a table of the trials, best first: rank, trial, candidate, status, metrics and cost, params, error.

    The status is finished, failed, or stopped early: halving stops a trial on `share` of the rows, without a rank. `noise` is
    the standard error of the score, `within_noise` whether the trial is not worse than the best beyond the noise of their
    difference, `predict_ms` the time of answering 1000 rows.
    """
    equals = {(trial.candidate, trial.number) for trial in contenders(trials, metric)}
    rows = [
        {
            "rank": rank if trial.complete else None,
            "trial": None if trial.members else trial.number,
            "candidate": trial.candidate,
            "status": _status(trial),
            metric: trial.score,
            "noise": noise(trial),
            "within_noise": (trial.candidate, trial.number) in equals,
            **{name: value for name, value in trial.metrics.items() if name != metric},
            "share": trial.share,
            "duration_s": round(trial.duration_s, 3),
            "predict_ms": round(trial.predict_ms, 3),
            "size_kb": round(trial.size_bytes / 1000, 1),
            "params": _params(trial),
            "error": trial.error,
        }
        for rank, trial in enumerate(ranked(trials, metric), start=1)
    ]
    return pd.DataFrame(rows)


def _params(trial: Trial) -> str:
    if trial.members:
        return " + ".join(f"{each.weight:.3f} × trial {each.trial} ({each.candidate})" for each in trial.members)
    return ", ".join(f"{key}={value}" for key, value in trial.params.items())


def _status(trial: Trial) -> str:
    return "failed" if trial.failed else "finished" if trial.complete else "stopped early"
