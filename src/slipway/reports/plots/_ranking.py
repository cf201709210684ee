"""The figures of ranking: ROC and precision-recall curves."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slipway.core.statistics.metrics import Array, Outcome
from slipway.reports.plots import _curves as curves
from slipway.reports.plots._style import (
    BASELINE,
    MUTED,
    SERIES,
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
    unit_square,
)

MOST_CLASSES = len(SERIES) - 1  # more curves than colours cannot be told apart


def roc_binary(outcome: Outcome, positive: str, baselines: Mapping[str, Outcome]) -> Figure:
    """Draw the ROC curve; a prediction without scores is one point."""
    if _one_class(outcome):
        return notice("ROC curve: not defined", _ONE_CLASS)
    figure, (axes,) = canvas()
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=":", label="by chance (0.500)")
    for style, name, baseline in dashed(baselines):
        _roc_of(axes, baseline, name, color=BASELINE, linewidth=1.3, linestyle=style)
    area = _roc_of(axes, outcome, "model", color=WINNER, linewidth=2.6, zorder=5)
    shown = f": area {area:.3f}" if np.isfinite(area) else ""
    head(
        axes,
        f"ROC curve{shown}",
        f"How many of '{cut(positive, 32)}' are found for how many false alarms · {outcome.rows:,} rows",
    )
    label(axes, "False positive rate (share of the others)", f"True positive rate (share of '{cut(positive, 24)}')")
    unit_square(axes)
    legend(axes, "lower right", reverse=True)
    return figure


def _roc_of(axes: Axes, outcome: Outcome, name: str, **style: Any) -> float:
    if _one_class(outcome):
        return float("nan")
    positive = outcome.truth == 1
    if outcome.scores is None:
        alarms, recall, _ = curves.hard_point(positive, outcome.predicted == 1)
        _point(axes, alarms, recall, name, str(style["color"]))
        return float("nan")
    area = curves.metric_of("roc_auc", outcome)
    axes.plot(*curves.roc(positive, outcome.scores), label=f"{plain(name, 32)} ({area:.3f})", **style)
    return area


def precision_recall(outcome: Outcome, positive: str, baselines: Mapping[str, Outcome]) -> Figure:
    """Draw the precision-recall curve; a prediction without scores is one point."""
    if not (outcome.truth == 1).any():
        return notice("Precision and recall: not defined", f"No row is of the class '{cut(positive, 60)}'.")
    figure, (axes,) = canvas()
    rate = float((outcome.truth == 1).mean())
    axes.axhline(rate, color=MUTED, linewidth=0.8, linestyle=":", label=f"saying yes to all ({rate:.3f})")
    for style, name, baseline in dashed(baselines):
        _precision_recall_of(axes, baseline, name, color=BASELINE, linewidth=1.3, linestyle=style)
    area = _precision_recall_of(axes, outcome, "model", color=WINNER, linewidth=2.6, zorder=5)
    shown = f": average precision {area:.3f}" if np.isfinite(area) else ""
    head(
        axes,
        f"Precision and recall{shown}",
        f"Of the rows called '{cut(positive, 32)}', how many are · {rate:.1%} of {outcome.rows:,} rows are",
    )
    label(axes, f"Recall (share of '{cut(positive, 24)}' found)", "Precision (share of alarms that are right)")
    unit_square(axes)
    legend(axes, "upper right", reverse=True)
    return figure


def _precision_recall_of(axes: Axes, outcome: Outcome, name: str, **style: Any) -> float:
    positive = outcome.truth == 1
    if not positive.any():
        return float("nan")
    if outcome.scores is None:
        _, found, right = curves.hard_point(positive, outcome.predicted == 1) if not positive.all() else (0.0, 1.0, 1.0)
        _point(axes, found, right, name, str(style["color"]))
        return float("nan")
    area = curves.metric_of("average_precision", outcome)
    recall, precision = curves.precision_recall(positive, outcome.scores)
    recall, precision = np.append(0.0, recall), np.append(precision[0], precision)
    axes.plot(recall, precision, label=f"{plain(name, 32)} ({area:.3f})", drawstyle="steps-post", **style)
    return area


def roc_multiclass(outcome: Outcome, classes: Sequence[str], baselines: Mapping[str, Outcome]) -> Figure:
    """Draw a ROC curve for each class against the rest, the most frequent classes first, and their mean in front."""
    if outcome.scores is None or _one_class(outcome):
        why = "The model gives no scores, only classes." if outcome.scores is None else _ONE_CLASS
        return notice("ROC curves: not defined", why)
    figure, (axes,) = canvas()
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=":")
    for style, name, baseline in dashed(baselines):
        if baseline.scores is not None and not _one_class(baseline):
            _mean_roc(axes, baseline, plain(name, 32), color=BASELINE, linewidth=1.3, linestyle=style)
    order = sorted(_classes_seen(outcome), key=lambda code: -(outcome.truth == code).sum())
    for colour, code in zip(SERIES[1:], order[:MOST_CLASSES], strict=False):
        x, y = curves.roc(outcome.truth == code, outcome.scores[:, code])
        axes.plot(x, y, color=colour, linewidth=1.2, alpha=0.9, label=plain(str(classes[code]), 28))
    area = _mean_roc(axes, outcome, "mean over classes", color=WINNER, linewidth=3.2, zorder=1.9)
    unseen = f" · the {MOST_CLASSES} most frequent of {len(order)} classes" if len(order) > MOST_CLASSES else ""
    head(
        axes, f"ROC curves: mean area {decimals(area)}", f"Each class against the rest · {outcome.rows:,} rows{unseen}"
    )
    label(axes, "False positive rate (share of the rest)", "True positive rate (share of the class)")
    unit_square(axes)
    legend(axes, "lower right", reverse=True)
    return figure


def _mean_roc(axes: Axes, outcome: Outcome, name: str, **style: Any) -> float:
    """Draw the mean of the classes' curves, and return the mean of their areas, which is the metric roc_auc."""
    assert outcome.scores is not None
    grid = np.linspace(0, 1, 201)
    drawn: list[Array] = []
    for code in _classes_seen(outcome):
        x, y = curves.roc(outcome.truth == code, outcome.scores[:, code])
        drawn.append(np.interp(grid, x, y))
    area = curves.metric_of("roc_auc", outcome)
    rise = np.append(0.0, np.mean(drawn, axis=0))
    axes.plot(np.append(0.0, grid), rise, label=f"{name} ({decimals(area)})", **style)
    return area


def _point(axes: Axes, x: float, y: float, name: str, colour: str) -> None:
    axes.plot(
        [x],
        [y],
        linestyle="none",
        marker="D",
        markersize=7,
        color=colour,
        label=f"{plain(name, 32)} (no scores)",
        zorder=6,
    )


def _classes_seen(outcome: Outcome) -> list[int]:
    return [int(code) for code in np.unique(outcome.truth)]


def _one_class(outcome: Outcome) -> bool:
    return len(np.unique(outcome.truth)) < 2


_ONE_CLASS = "The rows are all of one class, so there is no pair to rank."
