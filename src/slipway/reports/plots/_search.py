"""The figures of a search: its history, and the importances of the winner's columns."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from slipway.core.statistics.metrics import named
from slipway.core.trials import Trial, best_so_far
from slipway.reports.plots._style import (
    ACCENT,
    BASELINE,
    INK,
    MUTED,
    SERIES,
    WINNER,
    canvas,
    cut,
    dashed,
    decimals,
    head,
    label,
    legend_below,
    notice,
    plain,
    short,
)

MOST_BARS = 20


def importance(names: Sequence[str], mean: Sequence[float], std: Sequence[float], metric: str) -> Figure:
    """Draw the largest importances as bars, with one standard deviation to each side."""
    means, spreads = np.asarray(mean, float), np.nan_to_num(np.asarray(std, float))
    order = [int(i) for i in np.argsort(-np.nan_to_num(means), kind="stable") if np.isfinite(means[i])]
    if not order:
        return notice("Importances: none", "No column has an importance that is defined.")
    drawn = order[:MOST_BARS]
    figure, (axes,) = canvas(height=1.7 + 0.27 * len(drawn))
    colours = [WINNER if means[i] > 0 else BASELINE for i in drawn]
    places = np.arange(len(drawn))
    axes.barh(
        places,
        means[drawn],
        xerr=spreads[drawn],
        color=colours,
        height=0.7,
        ecolor=INK,
        error_kw={"linewidth": 1, "capsize": 2},
    )
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(places, short([str(names[i]) for i in drawn], 32))
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set_ylim(len(drawn) - 0.4, -0.6)
    axes.grid(False, axis="y")
    more = f" · the {len(drawn)} largest of {len(names)} columns" if len(names) > len(drawn) else ""
    head(
        axes,
        f"{cut(str(names[order[0]]), 32)} matters most",
        f"What is lost when a column is shuffled; ± one standard deviation{more}",
        wrap=76,
    )
    label(axes, f"Loss of {metric}" if metric else "Loss of the metric")
    return figure


def history(trials: Sequence[Trial], metric: str, baselines: Mapping[str, float]) -> Figure:
    """Draw each trial's value, one colour a candidate, the best so far as a line, failures as crosses at the foot."""
    steps = best_so_far(trials, metric)
    failed = [trial.number for trial in trials if trial.failed]
    if not steps:
        return notice("Search: no trial ended with a value", f"{len(failed)} of {len(trials)} trials failed.")
    greater = named(metric).greater_is_better
    figure, (axes,) = canvas(height=5.4)
    complete = [trial for trial in trials if trial.complete]
    early = [trial for trial in trials if not trial.complete and not trial.failed]
    _bounds(axes, [trial.score for trial in complete if trial.score is not None], baselines, greater)
    _baseline_lines(axes, baselines)
    _candidates(axes, complete, greater)
    _let_go(axes, early)
    line = np.array([*steps, (max(trial.number for trial in trials), steps[-1][1])])
    axes.step(line[:, 0], line[:, 1], where="post", color=INK, linewidth=1.6, label="best so far", zorder=3)
    _failures(axes, failed)
    best = steps[-1][1]
    winner = next(number for number, value in steps if value == best)
    let_go = f", {len(early)} let go early" if early else ""
    counts = f"{len(trials)} trials, {len(failed)} failed{let_go} · {'higher' if greater else 'lower'} is better"
    head(axes, f"Search: best {metric} {decimals(best)} in trial {winner}", counts)
    label(axes, "Trial", f"{metric} on the validation rows")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_below(axes, 3)
    return figure


def _baseline_lines(axes: Axes, baselines: Mapping[str, float]) -> None:
    low, high = axes.get_ylim()
    for style, name, value in dashed(baselines):
        if np.isfinite(value):
            text = decimals(value) + ("" if low <= value <= high else ", out of the frame")
            axes.axhline(value, color=BASELINE, linewidth=1.2, linestyle=style, label=f"{plain(name, 24)} ({text})")


def _failures(axes: Axes, numbers: Sequence[int]) -> None:
    if numbers:
        foot, text = axes.get_xaxis_transform(), f"failed ({len(numbers)})"
        axes.plot(numbers, [0.02] * len(numbers), "x", color=ACCENT, transform=foot, label=text, clip_on=False)


def _candidates(axes: Axes, trials: Sequence[Trial], greater: bool) -> None:
    """Draw the trials by candidate; a trial beyond the frame is a triangle on its edge."""
    worst = axes.get_ylim()[0 if greater else 1]
    for colour, name in zip(cycle(SERIES), dict.fromkeys(trial.candidate for trial in trials)):
        mine = [(trial.number, trial.score or 0.0) for trial in trials if trial.candidate == name]
        x, y = np.array(mine, float).reshape(-1, 2).T
        inside = y >= worst if greater else y <= worst
        dots: dict[str, Any] = {"linestyle": "none", "color": colour, "markersize": 6.5, "markeredgecolor": "white"}
        axes.plot(x[inside], y[inside], marker="o", label=plain(name, 28), zorder=4, **dots)
        if not inside.all():  # matplotlib takes an empty, unclipped line for drawn at the figure's corner
            edge = np.full(int((~inside).sum()), worst)
            axes.plot(
                x[~inside], edge, marker="v" if greater else "^", clip_on=False, zorder=4, **dots | {"markersize": 9}
            )


def _let_go(axes: Axes, early: Sequence[Trial]) -> None:
    """Draw trials that were stopped early apart: fitted on a part of the rows, none of them can be the best."""
    if early:
        x, y = np.array([(trial.number, trial.score or 0.0) for trial in early]).T
        axes.plot(x, y, linestyle="none", marker=".", color=MUTED, markersize=4, label=f"let go early ({len(early)})")


def _bounds(axes: Axes, values: Sequence[float], baselines: Mapping[str, float], greater: bool) -> None:
    """Frame the values near the best trial and the best baseline: a few hopeless values must not flatten the rest."""
    best, worst = (max(values), min(values)) if greater else (min(values), max(values))
    tail = float(np.quantile(values, 0.15 if greater else 0.85))
    reach = tail + (tail - best) * 1.5
    near = max(worst, reach) if greater else min(worst, reach)
    usable = [value for value in baselines.values() if np.isfinite(value)]
    known = [near, best, *([max(usable) if greater else min(usable)] if usable else [])]
    low, high = min(known), max(known)
    room = 0.07 * (high - low) or max(abs(high) * 0.05, 1e-6)
    axes.set_ylim(low - room, high + room)
