"""The decision threshold of a binary task that costs least.

For calibrated probabilities the cheapest threshold is fp / (fp + fn) (Elkan, The Foundations of Cost-Sensitive Learning,
2001). Models are rarely that well calibrated, so the threshold is searched on validation rows.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from slipway.core.spec import Costs
from slipway.core.statistics.metrics import Array, Outcome, Weighted


def cheapest_threshold(outcome: Outcome, costs: Costs) -> tuple[float, float]:
    """Return the threshold, from 0 to 1, on the positive class's probability that costs least, and its mean cost a row.

    A row is positive where its probability is at least the threshold. The threshold lies in the middle between two
    probabilities. Among equally cheap thresholds the one nearest to fp / (fp + fn) is taken.
    """
    cuts, total = _every_decision(outcome, costs)
    cheapest = np.flatnonzero(total == total.min())
    expected = costs.false_positive / (costs.false_positive + costs.false_negative)
    best = cheapest[np.argmin(np.abs(cuts[cheapest] - expected))]
    return float(cuts[best]), float(total[best] / outcome.counted.sum())


def cost_along(outcome: Outcome, costs: Costs) -> tuple[Array, Array]:
    """Return the thresholds with different decisions, rising from 0, and the mean cost a row at each.

    The first threshold answers yes to all rows, the last one to no row.
    """
    cuts, total = _every_decision(outcome, costs)
    return cuts[::-1], total[::-1] / outcome.counted.sum()


def answered_from(outcome: Outcome, threshold: float) -> Outcome:
    """Return the Outcome with the labels of another threshold on the positive class's score."""
    assert outcome.scores is not None and outcome.scores.ndim == 1
    return replace(outcome, predicted=(outcome.scores >= threshold).astype(np.float64))


def _every_decision(outcome: Outcome, costs: Costs) -> tuple[Array, Array]:
    """Return the thresholds between different scores, falling to 0 from above all scores, and the cost of all rows at each."""
    assert outcome.scores is not None and outcome.scores.ndim == 1
    order = np.argsort(-outcome.scores, kind="stable")
    scores, positive, weights = outcome.scores[order], outcome.truth[order] == 1, outcome.counted[order]
    # After the first k rows are called positive: the negatives among them, and the positives that are missed.
    false_positives = np.concatenate(([0], np.cumsum(weights * ~positive)))
    found = np.concatenate(([0], np.cumsum(weights * positive)))
    missed = found[-1] - found
    total: Array = costs.false_positive * false_positives + costs.false_negative * missed
    possible = np.concatenate(([True], np.diff(scores) != 0, [True]))  # equal scores are on one side
    middle = (scores[:-1] + scores[1:]) / 2
    above_all = 1.0 if scores[0] < 1 else np.nextafter(1.0, 2.0)
    cuts = np.concatenate(([above_all], np.where(middle > scores[1:], middle, scores[:-1]), [0.0]))
    return cuts[possible], total[possible]


def mean_cost(outcome: Outcome, costs: Costs) -> Weighted:
    """Return the mean cost a row of the predicted labels, as a metric under row weights."""
    wrong = outcome.truth != outcome.predicted
    per_row: Array = np.where(wrong, np.where(outcome.truth == 1, costs.false_negative, costs.false_positive), 0.0)
    return outcome.weighing(lambda weights: float(np.dot(weights, per_row) / weights.sum()))


def pooled(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the Outcomes of several folds as one Outcome."""
    if len(outcomes) == 1:
        return outcomes[0]
    scores = [outcome.scores for outcome in outcomes if outcome.scores is not None]
    weighted = any(outcome.weights is not None for outcome in outcomes)
    return Outcome(
        np.concatenate([outcome.truth for outcome in outcomes]),
        np.concatenate([outcome.predicted for outcome in outcomes]),
        np.concatenate(scores) if len(scores) == len(outcomes) else None,
        all(outcome.probabilistic for outcome in outcomes),
        np.concatenate([outcome.counted for outcome in outcomes]) if weighted else None,
    )
