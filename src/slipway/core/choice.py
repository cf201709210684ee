"""The choice of a trial: the best one, or a faster or simpler one that is not worse beyond the noise of the scores.

A search scores every trial under the same bootstrap resamples, so two trials can be compared in pairs: the noise of the
difference is much smaller than the noise of either score.
"""

from collections.abc import Callable, Sequence

import numpy as np

from slipway.core.statistics.metrics import METRICS
from slipway.core.trials import Trial, ranked

# The 97.5 % quantile of a normal distribution: a smaller difference, in standard errors, cannot be told from none at 95 %.
_STANDARD_ERRORS = 1.96

_PREFERENCES: dict[str, Callable[[Trial], float]] = {
    "best": lambda _trial: 0.0,
    "fastest": lambda trial: trial.predict_ms,
    "simplest": lambda trial: trial.size_bytes or float("inf"),
}


def noise(trial: Trial) -> float:
    """Return the standard error of a trial's score over resamples of the validation rows; NaN without resamples."""
    return float(np.std(trial.resamples, ddof=1)) if len(trial.resamples) > 1 else float("nan")


def contenders(trials: Sequence[Trial], metric: str) -> list[Trial]:
    """Return the complete trials that are not worse than the best trial beyond the noise, the best first.

    On other validation rows any of these trials could have come first.
    """
    complete = [trial for trial in ranked(trials, metric) if trial.complete]
    return [trial for trial in complete if trial is complete[0] or _within_noise(trial, complete[0], metric)]


def better_beyond_noise(trial: Trial, other: Trial, metric: str) -> bool:
    """Return whether a trial is better than another one by more than a standard error of the difference of both.

    One standard error is the rule of Breiman et al., Classification and Regression Trees (1984). An ensemble
    needs no more: a gain is likely beforehand, and at 95 % most ensembles that were better on test rows were refused.
    """
    if trial.score is None or other.score is None or METRICS[metric].better(trial.score, other.score) <= 0:
        return False
    return not _within_noise(other, trial, metric, standard_errors=1.0)


def choose(trials: Sequence[Trial], metric: str, prefer: str = "best") -> Trial:
    """Return the trial to take among the contenders: the best, the fastest to answer, or the smallest model.

    Among equally fast or small contenders the better one is taken. Raises ValueError when no trial is complete.
    """
    return min(contenders(trials, metric), key=_PREFERENCES[prefer])


def _within_noise(trial: Trial, best: Trial, metric: str, standard_errors: float = _STANDARD_ERRORS) -> bool:
    assert trial.score is not None and best.score is not None
    behind = METRICS[metric].better(best.score, trial.score)
    if len(trial.resamples) != len(best.resamples) or len(trial.resamples) < 2:
        return behind == 0
    differences = np.asarray(best.resamples) - np.asarray(trial.resamples)
    return bool(behind <= standard_errors * np.std(differences, ddof=1))
