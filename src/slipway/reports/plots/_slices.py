"""The figure of slices: the metric on each slice of the test rows, beside its value on all test rows."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slipway.core.statistics.metrics import named
from slipway.core.statistics.slices import Slice
from slipway.reports.plots._style import (
    ACCENT,
    BASELINE,
    INK,
    MUTED,
    WINNER,
    canvas,
    cut,
    decimals,
    head,
    label,
    legend_below,
    notice,
    plain,
)
from slipway.types import Interval

MOST_SLICES = 40
LINE, HEADING = 0.2, 1.35  # inches a slice; the name of a column takes HEADING lines


def slices_plot(slices: Sequence[Slice], whole: Interval, metric: str) -> Figure:
    """Draw the slices by column, each as a dot with its interval; of too many slices only the worst, in their order."""
    measured = [part for part in slices if part.interval]
    if not measured:
        return notice("Slices: none", "No column is sliced, or no slice has rows enough to be measured.")
    shown = _worst(measured)
    tall = LINE * (len(shown) + HEADING * len({part.column for part in shown}))
    figure, (axes,) = canvas(width=7.6, height=1.8 + tall)
    axes.axvspan(whole.low, whole.high, color=INK, alpha=0.09, linewidth=0)
    axes.axvline(whole.value, color=INK, linewidth=1.1, label=f"all rows ({decimals(whole.value)})")
    _dots(axes, shown)
    axes.set_xlim(*_frame(shown, whole))
    head(axes, _title(measured), _subtitle(slices, measured, shown, metric), wrap=82)
    label(axes, metric)
    legend_below(axes, 4)
    return figure


def _worst(measured: Sequence[Slice]) -> list[Slice]:
    """Return the slices furthest below the rest; a slice that cannot be compared counts as equal to the rest."""
    by_loss = sorted(range(len(measured)), key=lambda i: _lost(measured[i]))
    return [measured[i] for i in sorted(by_loss[:MOST_SLICES])]


def _lost(part: Slice) -> float:
    return part.difference.value if part.difference else 0.0


def _places(shown: Sequence[Slice]) -> Iterator[tuple[float, str, list[tuple[float, Slice]]]]:
    """Yield the line of each column's name, the name, and the column's slices with their lines, downwards."""
    line = 0.0
    for column, parts in groupby(shown, key=lambda part: part.column):
        of_column = [(line + HEADING + i, part) for i, part in enumerate(parts)]
        yield line + HEADING - 0.95, column, of_column
        line = of_column[-1][0] + 0.65


def _dots(axes: Axes, shown: Sequence[Slice]) -> None:
    lines = [(place, part) for _, _, parts in _places(shown) for place, part in parts]
    for kind, colour in (("worse than the rest", ACCENT), ("others", WINNER), ("not compared", BASELINE)):
        mine = [(place, part.interval) for place, part in lines if _kind(part) == kind and part.interval]
        if mine:
            y, value, low, high = np.array([(place, i.value, i.low, i.high) for place, i in mine]).T
            bars = np.nan_to_num(np.maximum([value - low, high - value], 0))
            axes.errorbar(
                value, y, xerr=bars, fmt="o", color=colour, markersize=5, elinewidth=1.5, label=kind, zorder=4
            )
    _name_lines(axes, shown, lines)


def _kind(part: Slice) -> str:
    return "worse than the rest" if part.worse else "others" if part.difference else "not compared"


def _name_lines(axes: Axes, shown: Sequence[Slice], lines: Sequence[tuple[float, Slice]]) -> None:
    axes.set_yticks([place for place, _ in lines], [plain(part.value, 26) for _, part in lines])
    axes.tick_params(axis="y", length=0, labelcolor=INK, labelsize=8.5)
    axes.grid(False, axis="y")
    side = axes.get_yaxis_transform()
    for place, column, _ in _places(shown):
        axes.text(
            0.008, place, plain(column, 40), transform=side, color=INK, fontsize=9, fontweight="bold", va="center"
        )
        axes.axhline(place - 0.55, color="#d3dae2", linewidth=0.8)
    for place, part in lines:
        axes.text(1.012, place, f"{part.rows:,}", transform=side, color=MUTED, fontsize=8, va="center")
    axes.text(1.012, lines[0][0] - 0.95, "rows", transform=side, color=MUTED, fontsize=8, va="center")
    axes.set_ylim(lines[-1][0] + 0.75, -0.25)


def _frame(shown: Sequence[Slice], whole: Interval) -> tuple[float, float]:
    """Return the ends of a frame for all dots and for intervals up to a length: long ones would flatten the others."""
    intervals = [whole, *(part.interval for part in shown if part.interval)]
    values, low, high = np.array([(interval.value, interval.low, interval.high) for interval in intervals]).T
    reach = max(0.6 * float(np.ptp(values)), 1.5 * float(np.nanmedian(high - low)))
    left = max(float(np.nanmin(low)), float(values.min()) - reach)
    right = min(float(np.nanmax(high)), float(values.max()) + reach)
    room = 0.04 * (right - left) or max(abs(right) * 0.05, 1e-6)
    return left - room, right + room


def _title(measured: Sequence[Slice]) -> str:
    worse = [part for part in measured if part.worse]
    if not worse:
        return f"Slices: none of {len(measured)} is worse than the rest beyond noise"
    worst = min(worse, key=_lost)
    named = f"{cut(worst.column, 20)} = {cut(worst.value, 20)}"
    if len(worse) == 1:
        return f"Slices: 1 of {len(measured)} is worse than the rest, {named}"
    return f"Slices: {len(worse)} of {len(measured)} are worse than the rest, {named} most"


def _subtitle(slices: Sequence[Slice], measured: Sequence[Slice], shown: Sequence[Slice], metric: str) -> str:
    better = "higher" if named(metric).greater_is_better else "lower"
    parts = [f"{metric} with 95 % intervals, {better} is better"]
    if len(shown) < len(measured):
        parts.append(f"the {len(shown)} worst of {len(measured)} slices")
    if unmeasured := len(slices) - len(measured):
        parts.append(f"{unmeasured} more cannot be measured")
    parts.append("where all are alike, 1 in 40 is called worse by chance")
    return " · ".join(parts)
