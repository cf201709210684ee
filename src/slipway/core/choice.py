"""Which trial to take: the best, or, since scores are noisy, a faster or simpler one that is not worse beyond the noise.

Every trial of a search is scored under the same bootstrap resamples, so that two trials can be compared in pairs: the
noise of their difference is much smaller than that of either score.
"""

from collections.abc import Callable, Sequence

import numpy as np

from slipway.core.statistics.metrics import METRICS
from slipway.core.trials import Trial, ranked

# Of a normal distribution: a difference of less than this many standard errors is not told from none at 95 %.
_STANDARD_ERRORS = 1.96

_PREFERENCES: dict[str, Callable[[Trial], float]] = {
    "best": lambda _trial: 0.0,
    "fastest": lambda trial: trial.predict_ms,
    "simplest": lambda trial: trial.size_bytes or float("inf"),
}


def noise(trial: Trial) -> float:
    """Return the standard error of a trial's score over resamples of the validation rows; NaN where it is not known."""
    return float(np.std(trial.resamples, ddof=1)) if len(trial.resamples) > 1 else float("nan")


def contenders(trials: Sequence[Trial], metric: str) -> list[Trial]:
    """Return the complete trials that are not worse than the best beyond the noise, the best first.

    Whichever of them is taken, the next rows could have put another one first.
    """
    complete = [trial for trial in ranked(trials, metric) if trial.complete]
    return [trial for trial in complete if trial is complete[0] or _within_noise(trial, complete[0], metric)]


def choose(trials: Sequence[Trial], metric: str, prefer: str = "best") -> Trial:
    """Return the trial to take: of the contenders the best, the fastest to answer, or the smallest model.

    Of equals, the better. Raises ValueError when no trial is complete.
    """
    wanted = _PREFERENCES[prefer]
    return min(contenders(trials, metric), key=wanted)


def _within_noise(trial: Trial, best: Trial, metric: str) -> bool:
    assert trial.score is not None and best.score is not None
    behind = METRICS[metric].better(best.score, trial.score)
    if len(trial.resamples) != len(best.resamples) or len(trial.resamples) < 2:
        return behind == 0
    differences = np.asarray(best.resamples) - np.asarray(trial.resamples)
    return bool(behind <= _STANDARD_ERRORS * np.std(differences, ddof=1))
