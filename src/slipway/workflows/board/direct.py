"""Two versions that wait for the same stage, compared with one another by the answers that their judgements keep."""

import numpy as np

from slipway.core.release.decision import MeasuredDifference
from slipway.core.statistics.intervals import paired_differences
from slipway.core.statistics.metrics import METRICS
from slipway.workflows.board.answers import JudgedAnswers

MOST_ROWS = 20_000
"""So many rows are compared at most: 400 resamples of them take about a second, once."""
_SEED = 0


def direct_difference(ours: JudgedAnswers, theirs: JudgedAnswers) -> MeasuredDifference | None:
    """Return by how much one version is better than another in the search metric; None where they answered other rows."""
    one, other = ours.challenger, theirs.challenger
    same = ours.task is theirs.task and ours.metric == theirs.metric and one.rows == other.rows
    if not same or not np.array_equal(one.truth, other.truth, equal_nan=True) or not ours.rows.equals(theirs.rows):
        return None
    metric = METRICS.get(ours.metric)
    if metric is None or not all(metric.fits(ours.task, each) for each in (one, other)):
        return None
    if one.rows > MOST_ROWS:
        chosen = np.zeros(one.rows, dtype=bool)
        chosen[np.random.default_rng(_SEED).choice(one.rows, MOST_ROWS, replace=False)] = True
        one, other = one.take(chosen), other.take(chosen)
    sign = 1.0 if metric.greater_is_better else -1.0
    prepared = {"other": metric.prepare(other)}
    by = paired_differences(metric.prepare(one), prepared, one.rows, seed=_SEED, sign=sign)["other"]
    return MeasuredDifference(by, metric.name, one.rows)
