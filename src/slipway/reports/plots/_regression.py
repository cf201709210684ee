"""The figures of a regression's errors. Many rows are counted in cells, so a figure stays small for any number of rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from slipway.core.statistics.metrics import Array, Outcome
from slipway.reports.plots import _curves as curves
from slipway.reports.plots._style import (
    ACCENT,
    BASELINE,
    DENSITY,
    INK,
    MUTED,
    WINNER,
    canvas,
    cut,
    dashed,
    decimals,
    head,
    label,
    legend,
    notice,
    plain,
)

SHOWN = (0.002, 0.998)  # far tails would squeeze the rest; the figure states how many rows are left out
MOST_DOTS, ROWS_A_MEDIAN = 2000, 20
Range = tuple[float, float]


def residuals(outcome: Outcome, target: str, unit: str, baselines: Mapping[str, Outcome]) -> Figure:
    """Draw truth minus prediction along the prediction, and its distribution beside that of the baselines."""
    if not outcome.rows:
        return notice("Residuals: none", "There are no rows.")
    off = outcome.truth - outcome.predicted
    figure, (axes, beside) = canvas(width=8.4, ncols=2, sharey=True, width_ratios=(3, 1))
    across, up = _range(outcome.predicted), _range(off)
    _density(axes, outcome.predicted, off, across, up)
    axes.axhline(0, color=INK, linewidth=0.9)
    _medians(axes, outcome.predicted, off, "median residual", color=ACCENT, linewidth=2.2, marker="o", markersize=3.5)
    half = f"{float(np.median(np.abs(off))):,.3g}"
    head(
        axes,
        f"Residuals: half of all rows within ±{half}{_behind(unit)}",
        f"Actual minus predicted; a good model has its medians at 0 · {_rows(off, up)}",
    )
    label(axes, f"Predicted {_named(target, unit)}", f"Actual minus predicted{_bracket(unit)}")
    _distribution(beside, off, up, baselines)
    legend(axes, "upper left", beside)
    return figure


def _distribution(axes: Axes, off: Array, up: Range, baselines: Mapping[str, Outcome]) -> None:
    bins = np.linspace(*up, int(np.clip(2 * np.sqrt(len(off)), 12, 60)) + 1).tolist()
    axes.hist(off, bins=bins, density=True, orientation="horizontal", color=WINNER, alpha=0.8)
    for style, name, baseline in dashed(baselines):
        if baseline.rows:
            axes.hist(
                baseline.truth - baseline.predicted,
                bins=bins,
                density=True,
                orientation="horizontal",
                histtype="step",
                color=BASELINE,
                linestyle=style,
                linewidth=1.4,
                label=f"{plain(name, 28)}, residuals",
            )
    axes.axhline(0, color=INK, linewidth=0.9)
    axes.set_xticks([])
    label(axes, "Share of rows")


def predicted_vs_actual(outcome: Outcome, target: str, unit: str, baselines: Mapping[str, Outcome]) -> Figure:
    """Draw the predictions of the rows against their truth.

    Two kinds of lines run through them: the median of the model, and that of each baseline, in bins of equally many rows.
    """
    if not outcome.rows:
        return notice("Predicted and actual: none", "There are no rows.")
    figure, (axes,) = canvas()
    shown = _range(np.concatenate([outcome.truth, outcome.predicted]))
    _density(axes, outcome.truth, outcome.predicted, shown, shown)
    axes.plot(shown, shown, color=INK, linewidth=0.9, label="perfect")
    for style, name, baseline in dashed(baselines):
        if baseline.rows:
            _medians(
                axes,
                baseline.truth,
                baseline.predicted,
                f"{plain(name, 32)}, median",
                color=BASELINE,
                linewidth=1.6,
                linestyle=style,
            )
    _medians(
        axes, outcome.truth, outcome.predicted, "model, median", color=ACCENT, linewidth=2.2, marker="o", markersize=3.5
    )
    r2 = decimals(curves.metric_of("r2", outcome))
    head(
        axes,
        f"Predicted and actual: R² {r2}",
        f"The nearer to the diagonal, the better · {_rows(outcome.truth, shown)}",
    )
    label(axes, f"Actual {_named(target, unit)}", f"Predicted {_named(target, unit)}")
    legend(axes, "upper left", reverse=True)
    return figure


def _density(axes: Axes, x: Array, y: Array, across: Range, up: Range) -> None:
    """Draw few rows as points; count many in hexagons, with a scale that says what a colour means."""
    axes.set(xlim=across, ylim=up)
    if len(x) <= MOST_DOTS:
        axes.plot(x, y, "o", color=WINNER, markersize=4.5, alpha=0.5, markeredgewidth=0)
        return
    wide = int(np.clip(np.sqrt(len(x)) / 2, 24, 56))
    cells = axes.hexbin(
        x,
        y,
        gridsize=(wide, int(wide * 0.42)),
        extent=(*across, *up),
        bins="log",
        mincnt=1,
        cmap=DENSITY,
        linewidths=0.1,
        edgecolors="face",
    )
    bar = axes.figure.colorbar(cells, ax=axes, orientation="vertical", aspect=40, pad=0.015, shrink=0.7)
    bar.set_label("rows in a cell", color=MUTED, fontsize=8)
    bar.ax.tick_params(labelsize=7, colors=MUTED, length=2, which="both")
    bar.formatter = StrMethodFormatter("{x:,.0f}")
    bar.update_ticks()
    bar.outline.set_visible(False)


def _medians(axes: Axes, x: Array, y: Array, name: str, **style: Any) -> None:
    """Draw a line through medians along x, unless there are too few bins of ROWS_A_MEDIAN rows for a line."""
    bins = min(len(x) // ROWS_A_MEDIAN, 24)
    if bins >= 3:
        axes.plot(*curves.medians_along(x, y, bins), label=name, **style)


def _range(values: Array) -> Range:
    low, high = (float(end) for end in np.quantile(values, SHOWN if len(values) > MOST_DOTS else (0, 1)))
    room = 0.04 * (high - low) or max(abs(low) * 0.1, 0.5)
    return low - room, high + room


def _rows(values: Array, shown: Range) -> str:
    outside = int(((values < shown[0]) | (values > shown[1])).sum())
    return f"{len(values):,} rows" + (f", {outside:,} beyond the frame" if outside else "")


def _named(target: str, unit: str) -> str:
    return cut(target, 40) + _bracket(unit)


def _bracket(unit: str) -> str:
    return f" ({cut(unit, 20)})" if unit else ""


def _behind(unit: str) -> str:
    return f" {cut(unit, 20)}" if unit else ""
