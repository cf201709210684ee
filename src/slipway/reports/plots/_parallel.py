"""A search as parallel coordinates: a line a trial, an axis a parameter, the score at the right."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from slipway.core.statistics.metrics import Array, named
from slipway.core.trials import Trial, ranked
from slipway.reports.plots._parameter_axis import ParameterAxis, parameter_axis, written
from slipway.reports.plots._style import ACCENT, DENSITY, INK, MUTED, canvas, cut, decimals, head, notice, plain

MOST_AXES, MOST_PANELS, BEST = 8, 5, 5
# The best few agree on a parameter where they lie within this part of its axis: 1 in 60 draws of five does so by chance.
NARROW = 0.25


def parallel(trials: Sequence[Trial], metric: str) -> Figure:
    """Draw the complete trials, one panel a candidate, the best candidates first; the best few trials stand out."""
    complete = [trial for trial in ranked(trials, metric) if trial.complete]
    if not complete:
        return notice("Search: no trial to draw", f"{len(trials)} trials, none of them on all rows without an error.")
    of_candidate = {
        name: [trial for trial in complete if trial.candidate == name]
        for name in dict.fromkeys(trial.candidate for trial in complete)
    }
    varied = {name: mine for name, mine in of_candidate.items() if any(trial.params for trial in mine)}
    if not varied:
        return notice("Search: nothing was varied", f"None of {len(complete)} trials has a parameter of its own.")
    shown = dict(list(varied.items())[:MOST_PANELS])
    best = {trial.number for trial in _best_few(complete)}
    scores = _Scores(complete, metric)
    figure, panels = canvas(width=8.4, height=1.05 + 2.35 * len(shown), nrows=len(shown))
    for axes, (name, mine) in zip(panels, shown.items(), strict=True):
        _panel(axes, name, mine, scores, best)
    head(panels[0], _title(complete, metric), _subtitle(trials, complete, shown, metric), wrap=112)
    return figure


def _best_few(complete: Sequence[Trial]) -> Sequence[Trial]:
    """Return the best five, or the best quarter of fewer than twenty: most of the trials would not stand out."""
    return complete[: min(BEST, max(1, len(complete) // 4))]


class _Scores:
    """The common axis of the scores: the best at the top, scores far worse than most at the foot.

    Attributes:
        standing: By trial number the rank of the trial, from 1 for the best towards 0 for the worst.
    """

    def __init__(self, complete: Sequence[Trial], metric: str) -> None:
        self.metric, self._sign = metric, "≤" if named(metric).greater_is_better else "≥"
        values = np.array([trial.score for trial in complete], dtype=np.float64)
        self._best, worst = values[0], values[-1]
        tail = float(np.quantile(values, 0.15 if named(metric).greater_is_better else 0.85))
        reach = tail + (tail - self._best)
        self._foot = max(worst, reach) if named(metric).greater_is_better else min(worst, reach)
        self._beyond = self._foot != worst
        self.standing = {trial.number: 1 - i / len(complete) for i, trial in enumerate(complete)}

    def heights(self, values: Sequence[float | None] | Array) -> Array:
        across = self._best - self._foot
        raw = np.array(values, dtype=np.float64)
        return np.clip((raw - self._foot) / across, 0, 1) if across else np.full(len(raw), 0.5)

    def axis(self, mine: Sequence[Trial]) -> ParameterAxis:
        ticks = np.linspace(self._foot, self._best, 4)
        heights = self.heights(ticks)
        labels = {float(height): decimals(float(tick)) for height, tick in zip(heights, ticks, strict=True)}
        if self._beyond:
            labels[0.0] = f"{self._sign} {labels[0.0]}"
        return ParameterAxis(self.metric, self.heights([trial.score for trial in mine]), labels, numeric=True)


def _panel(axes: Axes, name: str, mine: Sequence[Trial], scores: _Scores, best: set[int]) -> None:
    settings = [trial.params for trial in mine]
    names = list(dict.fromkeys(key for params in settings for key in params))
    across = [*(parameter_axis(key, settings) for key in names[:MOST_AXES]), scores.axis(mine)]
    places = np.linspace(0, 1, len(across))
    standing = np.array([scores.standing[trial.number] for trial in mine])
    _lines(axes, mine, places, across, standing, best)
    staggered = len(across) > 6
    for i, axis in enumerate(across):
        _upright(axes, places[i], axis, 0.1 if staggered and i % 2 else 0.0, last=i == len(across) - 1)
    more = f", {len(names) - MOST_AXES} more parameters" if len(names) > MOST_AXES else ""
    title = f"{plain(name, 40)}  ({len(mine)} trial{'s' if len(mine) > 1 else ''}{more})"
    axes.text(0, 1.34 if staggered else 1.26, title, color=INK, fontsize=10, fontweight="bold", va="center")
    axes.set_axis_off()
    axes.set(xlim=(-0.06, 1.08), ylim=(-0.06, 1.42 if staggered else 1.34))


def _lines(
    axes: Axes,
    mine: Sequence[Trial],
    places: Array,
    across: Sequence[ParameterAxis],
    standing: Array,
    best: set[int],
) -> None:
    """Draw the worst trials first, so that better ones lie on top; lines on steps get a little distance to stay visible."""
    apart = (np.array([trial.number for trial in mine]) * 0.618) % 1 - 0.5
    heights = np.column_stack([axis.heights if axis.numeric else axis.heights + 0.05 * apart for axis in across])
    points = np.stack([np.broadcast_to(places, heights.shape), heights], axis=2)[::-1]
    chosen = np.array([trial.number in best for trial in mine])[::-1]
    thin = {"linewidths": 1.1, "alpha": 0.8} if len(mine) <= 60 else {"linewidths": 0.7, "alpha": 0.5}
    axes.add_collection(LineCollection(points[~chosen], colors=DENSITY(standing[::-1][~chosen] ** 2), **thin))
    axes.add_collection(LineCollection(points[chosen], colors=ACCENT, linewidths=2, zorder=4))
    for line in points[chosen]:
        axes.plot(line[:, 0], line[:, 1], "o", color=ACCENT, markersize=4, zorder=5)


def _upright(axes: Axes, place: float, axis: ParameterAxis, lifted: float, *, last: bool) -> None:
    axes.plot([place, place], [0, 1], color="#8b97a5", linewidth=1, zorder=3)
    weight = "bold" if last else "normal"
    axes.text(place, 1.07 + lifted, plain(axis.name, 22), color=INK, fontsize=8.5, ha="center", fontweight=weight)
    paper = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6}
    for height, text in axis.ticks.items():
        axes.plot([place, place + 0.006], [height, height], color="#8b97a5", linewidth=1, zorder=3)
        axes.text(place + 0.009, height, plain(text), color=MUTED, fontsize=7.5, va="center", zorder=6, bbox=paper)


def _title(complete: Sequence[Trial], metric: str) -> str:
    best = _best_few(complete)
    if len(best) < BEST:
        return f"Search: best {metric} {decimals(best[0].score or 0.0)} of {len(complete)} trials"
    candidates = Counter(trial.candidate for trial in best)
    if len(candidates) > 1:
        parts = ", ".join(f"{count} of {cut(name, 16)}" for name, count in candidates.most_common())
        return f"Search: the best {len(best)} trials are {parts}"
    several = len({trial.candidate for trial in complete}) > 1
    agreed = _agreed(complete, best)
    if several:
        return (
            f"Search: the best {len(best)} trials are {cut(best[0].candidate, 16)}{' with ' if agreed else ''}{agreed}"
        )
    return f"Search: the best {len(best)} of {len(complete)} trials {f'have {agreed}' if agreed else 'agree on no parameter'}"


def _agreed(complete: Sequence[Trial], best: Sequence[Trial]) -> str:
    """Return the parameter that the best trials agree on most, with its range; empty where they spread over every axis."""
    mine = [trial for trial in complete if trial.candidate == best[0].candidate]
    settings = [trial.params for trial in mine]
    widths = {}
    for name in dict.fromkeys(key for params in settings for key in params):
        axis = parameter_axis(name, settings)
        if axis.numeric and len(set(axis.heights)) > 2:
            widths[name] = float(np.ptp(axis.heights[: len(best)]))
    name = min(widths, key=lambda key: widths[key], default="")
    if not name or not widths[name] <= NARROW:
        return ""
    values = [trial.params[name] for trial in best]
    return f"{cut(name, 24)} {written(min(values))} to {written(max(values))}"


def _subtitle(trials: Sequence[Trial], complete: Sequence[Trial], shown: dict[str, list[Trial]], metric: str) -> str:
    drawn = sum(len(mine) for mine in shown.values())
    failed = sum(trial.failed for trial in trials)
    early = len(trials) - len(complete) - failed
    better = "higher" if named(metric).greater_is_better else "lower"
    text = [f"{drawn} trials, the darker the better ({better} {metric}), the best {len(_best_few(complete))} in orange"]
    left = {"failed": failed, "let go early": early, "of other candidates or without parameters": len(complete) - drawn}
    text += [f"{count} {why}" for why, count in left.items() if count]
    return f"{text[0]}{' · not drawn: ' if text[1:] else ''}{', '.join(text[1:])}"
