"""The choice of the trials that answer together: greedy selection with replacement on their validation answers.

After Caruana et al., Ensemble Selection from Libraries of Models (2004). The first member is the best trial, then
whichever trial improves the score of the mean answer most is added, again and again; a trial that is added several times weighs
more. The best ensemble on the way is taken, so no ensemble is worse than its first member on the rows that it was chosen on.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from slipway.core.statistics.metrics import METRICS, Array, Outcome
from slipway.core.tasks import Task

MOST_MEMBERS = 6
"""Each member answers every request, and is stored: more members win less than they cost."""

_STEPS = 24
_IN_VAIN = 6
_TRIED = 40
# The metric is computed some thousand times; so many rows rank ensembles well enough.
_ROWS = 30_000

Truths = Sequence[Array]
"""The true class codes or values of the validation rows, one array a fold."""


def outcome_of(task: Task, truth: Array, scores: NDArray[np.floating]) -> Outcome:
    """Return probabilities, (rows,) or (rows, classes), or the values of a regression, (rows,), as an Outcome."""
    exact = np.asarray(scores, dtype=np.float64)
    if not task.is_classification:
        return Outcome(truth, exact)
    largest = exact.argmax(axis=1) if exact.ndim > 1 else exact > 0.5
    return Outcome(truth, largest.astype(np.float64), exact, probabilistic=True)


def mean_answer(answers: Sequence[NDArray[np.floating]], weights: Sequence[float]) -> Array:
    """Return the weighted mean of the answers of several trials to the same rows."""
    total = np.zeros(answers[0].shape)
    for each, weight in zip(answers, weights, strict=True):
        total += weight * each
    mean: Array = total / sum(weights)
    return mean


def select(
    task: Task, metric: str, truths: Truths, answers: Mapping[int, Sequence[NDArray[np.floating]]]
) -> dict[int, int]:
    """Return how often each chosen trial answers, by the trial's number; equal scores prefer the earlier of `answers`.

    Args:
        task: The task.
        metric: The search metric.
        truths: The true answers.
        answers: The answers of each trial, one array a fold, the best trial first.
    """
    kept = [_evenly(len(truth), _ROWS // len(truths)) for truth in truths]
    few = [truth[rows] for truth, rows in zip(truths, kept, strict=True)]
    tried = list(answers)[:_TRIED]
    parts = {
        number: [a[rows].astype(np.float64) for a, rows in zip(answers[number], kept, strict=True)] for number in tried
    }
    score = _scorer(task, metric, few)
    chosen, sums = [tried[0]], parts[tried[0]]
    best, taken = score(sums), 1
    while len(chosen) < _STEPS and len(chosen) - taken < _IN_VAIN:
        full = len(set(chosen)) >= MOST_MEMBERS
        options = [number for number in tried if number in chosen or not full]
        scores = [score([(a + b) / (len(chosen) + 1) for a, b in zip(sums, parts[n], strict=True)]) for n in options]
        at = int(np.argmax(scores))
        chosen.append(options[at])
        sums = [a + b for a, b in zip(sums, parts[options[at]], strict=True)]
        if scores[at] > best:
            best, taken = scores[at], len(chosen)
    return dict(Counter(chosen[:taken]))


def _scorer(task: Task, metric: str, truths: Truths) -> Callable[[Sequence[Array]], float]:
    """Return the score of answers, one array a fold: the mean of the metric over the folds, greater is better."""
    measured = METRICS[metric]
    sign, ones = (1.0 if measured.greater_is_better else -1.0), [np.ones(len(truth)) for truth in truths]

    def score(answers: Sequence[Array]) -> float:
        folds = zip(truths, answers, ones, strict=True)
        return sign * float(np.mean([measured.prepare(outcome_of(task, t, a))(w) for t, a, w in folds]))

    return score


def _evenly(rows: int, most: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).astype(np.intp))
