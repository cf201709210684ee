"""The figures of classes: the calibration of probabilities, and the confusion matrix."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from slipway.core.statistics.calibration import calibration as measured
from slipway.core.statistics.metrics import Array, Outcome
from slipway.core.tasks import Task
from slipway.reports.plots import _curves as curves
from slipway.reports.plots._style import (
    BASELINE,
    INK,
    MUTED,
    SHARE,
    WINNER,
    canvas,
    cut,
    dashed,
    head,
    label,
    legend,
    notice,
    plain,
    short,
)

MOST_NUMBERS = 12  # cells of a larger matrix are too small for their numbers
MOST_NAMES = 40


def calibration(outcome: Outcome, positive: str, baselines: Mapping[str, Outcome]) -> Figure:
    """Draw the share of the positive class at each predicted probability, and below the distribution of probabilities."""
    assert outcome.scores is not None
    if not outcome.rows:
        return notice("Calibration: not defined", "There are no rows.")
    points = curves.reliability(outcome.truth, outcome.scores)
    mean, _, _, high, _ = points
    calibrated = measured(Task.BINARY, outcome)
    assert calibrated is not None
    figure, (axes, below) = canvas(height=5.6, nrows=2, sharex=True, height_ratios=(3.2, 1))
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=":", label="perfect")
    for style, name, baseline in dashed(baselines):
        _calibration_of(axes, baseline, name, style)
    _with_intervals(axes, *points[:4])
    shown = f"How often '{cut(positive, 32)}' came, for each predicted probability · {outcome.rows:,} rows"
    head(axes, f"Calibration: {calibrated.error:.3f} off on average", shown)
    label(axes, "", f"Share that is '{cut(positive, 24)}'")
    end = _zoomed(max(high.max(), mean.max(), np.quantile(outcome.scores, 0.999)))
    axes.set(xlim=(-0.01 * end, end * 1.01), ylim=(-0.01 * end, end * 1.02))
    legend(axes, "upper left", reverse=True)
    _counts(below, outcome.scores, end)
    return figure


def _with_intervals(axes: Axes, mean: Array, share: Array, low: Array, high: Array) -> None:
    bars = np.maximum([share - low, high - share], 0)  # rounding may put an end a hair beyond the point
    lines: dict[str, Any] = {"linewidth": 2.2, "elinewidth": 1.2, "capsize": 2.5, "marker": "o", "markersize": 5.5}
    axes.errorbar(mean, share, bars, color=WINNER, label="model, with 95 % intervals", zorder=5, **lines)


def _counts(axes: Axes, scores: Array, end: float) -> None:
    axes.hist(scores, bins=np.linspace(0, end, 41).tolist(), color=WINNER, alpha=0.85, edgecolor="white", linewidth=0.4)
    label(axes, "Predicted probability", "Rows")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.locator_params(axis="y", nbins=3)


def _calibration_of(axes: Axes, outcome: Outcome, name: str, style: Any) -> None:
    if outcome.scores is None or not outcome.probabilistic or not outcome.rows:
        return
    mean, share, *_ = curves.reliability(outcome.truth, outcome.scores)
    axes.plot(
        mean, share, color=BASELINE, linewidth=1.2, linestyle=style, marker="D", markersize=4, label=plain(name, 32)
    )


def _zoomed(highest: float) -> float:
    """Return the end of the axes: 1, or less where every value is small."""
    return next((end for end in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5) if highest * 1.05 <= end), 1.0)


def confusion_matrix(outcome: Outcome, classes: Sequence[str]) -> Figure:
    """Draw the counts and, as colour, the share of each true class; numbers only where they fit."""
    if not outcome.rows:
        return notice("Confusion matrix: empty", "There are no rows.")
    counts = curves.confusion(outcome.truth, outcome.predicted, len(classes))
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    side = float(np.clip(2.4 + 0.62 * len(classes), 4.2, 8.0))
    figure, (axes,) = canvas(width=side + 1.6, height=side + 0.4)
    image = axes.imshow(shares, cmap=SHARE, vmin=0, vmax=1, aspect="auto")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    right = float(np.trace(counts) / counts.sum())
    head(
        axes,
        f"Confusion matrix: {right:.1%} right",
        f"Each line adds up to 100 % of one true class · {outcome.rows:,} rows",
        wrap=62,
    )
    label(axes, "Predicted class", "True class")
    _name_classes(axes, classes)
    if len(classes) <= MOST_NUMBERS:
        _write_numbers(axes, counts, shares)
    else:
        bar = figure.colorbar(image, ax=axes, shrink=0.6, format="{x:.0%}", label="share of the true class")
        bar.outline.set_visible(False)
    return figure


def _name_classes(axes: Axes, classes: Sequence[str]) -> None:
    step = -(-len(classes) // MOST_NAMES)
    names, places = short([str(name) for name in classes][::step], 18), range(0, len(classes), step)
    tilted = len(classes) > 4 or max(map(len, names)) > 12
    axes.set_xticks(
        places, names, rotation=45 if tilted else 0, ha="right" if tilted else "center", rotation_mode="anchor"
    )
    axes.set_yticks(places, names)
    axes.tick_params(length=0, labelsize=9 if len(classes) <= 24 else 6)
    edges = np.arange(len(classes) + 1) - 0.5
    axes.hlines(edges, -0.5, len(classes) - 0.5, color="#dfe5eb", linewidth=0.8)
    axes.vlines(edges, -0.5, len(classes) - 0.5, color="#dfe5eb", linewidth=0.8)


def _write_numbers(axes: Axes, counts: NDArray[np.int64], shares: Array) -> None:
    small = len(counts) > 6
    for (row, column), count in np.ndenumerate(counts):
        share = float(shares[row, column])
        text = f"{share:.0%}" if share >= 0.995 or share < 0.0005 else f"{share:.1%}"
        middle: dict[str, Any] = {"ha": "center", "color": "white" if share > 0.5 else INK}
        axes.text(column, row, text, va="bottom", fontsize=7.5 if small else 13, fontweight="bold", **middle)
        axes.text(column, row, f"\n{count:,}", va="center", fontsize=6.5 if small else 9, linespacing=1.3, **middle)
