"""The figure of costs along the threshold."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slipway.core.spec import Costs
from slipway.core.statistics.costs import answered_from, cost_along, mean_cost
from slipway.core.statistics.metrics import Array, Outcome
from slipway.reports.plots._style import (
    ACCENT,
    BASELINE,
    INK,
    WINNER,
    canvas,
    decimals,
    head,
    label,
    legend_below,
    notice,
)

MOST_POINTS = 1000


def cost(outcome: Outcome, costs: Costs, threshold: float) -> Figure:
    """Draw the mean cost of a row along the threshold, with the chosen threshold, 0.5 and the cheapest on these rows."""
    if outcome.scores is None or outcome.scores.ndim > 1 or not outcome.probabilistic or not outcome.rows:
        return notice("Cost: not defined", "There are no rows, or the model gives no probabilities to decide by.")
    thresholds, along = cost_along(outcome, costs)
    chosen, half = (_cost_at(outcome, costs, at) for at in (threshold, 0.5))
    figure, (axes,) = canvas()
    axes.plot(*_thinned(thresholds, along), color=WINNER, linewidth=2.2, label="on the test rows")
    for name, value, style in (("always yes", along[0], ":"), ("always no", along[-1], (0, (5, 2.5)))):
        axes.axhline(value, color=BASELINE, linewidth=1, linestyle=style, label=f"{name} ({decimals(value)})")
    end = _end(outcome.scores, threshold)
    _mark(axes, 0.5, half, end, INK, "at 0.5")
    _mark(axes, threshold, chosen, end, ACCENT, f"at the chosen {decimals(threshold)}")
    _bounds(axes, along, chosen, half)
    axes.set_xlim(-0.01 * end, 1.01 * end)
    head(axes, _title(chosen, half, threshold), _subtitle(outcome, costs, thresholds, along))
    label(axes, "Threshold: yes from this probability on", "Mean cost of a row")
    legend_below(axes, 2 if end < 0.5 else 3)
    return figure


def _cost_at(outcome: Outcome, costs: Costs, threshold: float) -> float:
    return mean_cost(answered_from(outcome, threshold), costs)(np.ones(outcome.rows))


def _end(scores: Array, threshold: float) -> float:
    """Return the end of the axis: 1, or less where nearly all probabilities are small."""
    reached = max(float(np.quantile(scores, 0.995)), threshold) * 1.15
    return next((end for end in (0.02, 0.05, 0.1, 0.2, 0.3) if reached <= end), 1.0)


def _mark(axes: Axes, threshold: float, cost: float, end: float, colour: str, name: str) -> None:
    """Mark a point with a dot, or with a triangle on the edge for a point beyond the frame."""
    if threshold <= end:
        axes.axvline(threshold, color=colour, linewidth=1, alpha=0.6)
    marker, beyond = ("o", "") if threshold <= end else (">", ", beyond the frame")
    dot: dict[str, Any] = {"marker": marker, "markersize": 8, "markeredgecolor": "white", "clip_on": False, "zorder": 5}
    axes.plot(
        [min(threshold, 1.01 * end)],
        [cost],
        linestyle="",
        color=colour,
        label=f"{name} ({decimals(cost)}){beyond}",
        **dot,
    )


def _bounds(axes: Axes, along: Array, chosen: float, half: float) -> None:
    """Frame the costs near sensible thresholds: where one error is dear, the costs at the far end would flatten the curve."""
    low, sensible = float(along.min()), max(min(along[0], along[-1]), chosen, half)
    high = min(float(along.max()), low + 3 * (sensible - low))
    room = 0.07 * (high - low) or max(high * 0.05, 1e-6)
    axes.set_ylim(low - room, high + room)


def _thinned(thresholds: Array, along: Array) -> tuple[Array, Array]:
    """Return about MOST_POINTS points at most, with both ends: half even along the threshold, half along the rows."""
    last = len(thresholds) - 1
    if last < MOST_POINTS:
        return thresholds, along
    even = np.searchsorted(thresholds, np.linspace(thresholds[0], thresholds[-1], MOST_POINTS // 2))
    chosen = np.unique(np.append(even, np.linspace(0, last, MOST_POINTS // 2).astype(np.intp)))
    return thresholds[chosen], along[chosen]


def _title(chosen: float, half: float, threshold: float) -> str:
    if not half or abs(chosen - half) < 0.0005 * half:
        return f"Cost: {decimals(chosen)} a row from {decimals(threshold)} on, as from 0.5 on"
    less = 1 - chosen / half
    saving = f"{less:.0%} less" if less > 0 else f"{-less:.0%} more"
    return f"Cost: {decimals(chosen)} a row, {saving} than with a threshold of 0.5"


def _subtitle(outcome: Outcome, costs: Costs, thresholds: Array, along: Array) -> str:
    best = int(along.argmin())
    return (
        f"A false alarm costs {costs.false_positive:g}, a miss {costs.false_negative:g} · cheapest on these "
        f"{outcome.rows:,} rows: {decimals(float(along[best]))} from {decimals(float(thresholds[best]))} on"
    )
