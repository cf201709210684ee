"""The figures of a report.

Every function returns new `matplotlib.figure.Figure` objects without pyplot or global state, so figures can be made in any
thread and are freed when they are dropped. `mlflow.log_figure` and `png` take the figures as they are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

from matplotlib.figure import Figure

from slipway.core.spec import Costs
from slipway.core.statistics.metrics import Outcome
from slipway.core.statistics.slices import Slice
from slipway.core.tasks import Task
from slipway.core.trials import Trial
from slipway.reports.plots._classes import calibration, confusion_matrix
from slipway.reports.plots._costs import cost
from slipway.reports.plots._curves import finite
from slipway.reports.plots._parallel import parallel
from slipway.reports.plots._ranking import precision_recall, roc_binary, roc_multiclass
from slipway.reports.plots._regression import predicted_vs_actual, residuals
from slipway.reports.plots._search import history, importance
from slipway.reports.plots._slices import slices_plot
from slipway.types import Interval


@dataclass(frozen=True)
class _Evaluation:
    """The facts from which the figures of a task are drawn."""

    outcome: Outcome
    others: Mapping[str, Outcome]
    classes: Sequence[str]
    target: str
    unit: str

    @property
    def positive(self) -> str:
        return str(self.classes[1])


_FIGURES: Mapping[Task, Mapping[str, Callable[[_Evaluation], Figure]]] = {
    Task.BINARY: {
        "roc": lambda of: roc_binary(of.outcome, of.positive, of.others),
        "precision_recall": lambda of: precision_recall(of.outcome, of.positive, of.others),
        "calibration": lambda of: calibration(of.outcome, of.positive, of.others),
        "confusion_matrix": lambda of: confusion_matrix(of.outcome, of.classes),
    },
    Task.MULTICLASS: {
        "confusion_matrix": lambda of: confusion_matrix(of.outcome, of.classes),
        "roc": lambda of: roc_multiclass(of.outcome, of.classes, of.others),
    },
    Task.REGRESSION: {
        "residuals": lambda of: residuals(of.outcome, of.target, of.unit, of.others),
        "predicted_vs_actual": lambda of: predicted_vs_actual(of.outcome, of.target, of.unit, of.others),
    },
}


def evaluation_figures(
    task: Task,
    outcome: Outcome,
    classes: Sequence[str],
    baselines: Mapping[str, Outcome],
    *,
    target: str = "target",
    unit: str = "",
) -> dict[str, Figure]:
    """Draw the usual figures of a task, by name, in the order in which they are read.

    A binary task has roc, precision_recall, calibration (where the scores are probabilities) and confusion_matrix. A multiclass
    task has confusion_matrix and roc (each class against the rest), a regression residuals and predicted_vs_actual. Rows with a
    truth, prediction or score that is not finite are left out, and a figure states the number of its rows. A figure that cannot
    be drawn (one class only, no rows) says so.

    Args:
        task: The task.
        outcome: The Outcome of the model.
        classes: The name of each class code; in a binary task the second class is the positive one.
        baselines: The Outcome of each baseline by its name.
        target: The name of the target, for the axes of a regression.
        unit: The unit of the target, for the same axes.
    """
    shown, others = finite(outcome), {name: finite(baseline) for name, baseline in baselines.items()}
    drawn = _Evaluation(shown, others, classes, target, unit)
    without = {"calibration"} if shown.scores is None or not shown.probabilistic else set()
    return {name: _FIGURES[task][name](drawn) for name in task.traits.figures if name not in without}


def importance_figure(names: Sequence[str], mean: Sequence[float], std: Sequence[float], *, metric: str = "") -> Figure:
    """Draw the 20 largest permutation importances as horizontal bars with their standard deviation.

    Args:
        names: The names of the columns.
        mean: The mean loss of `metric` when the column at the same position is shuffled, over the repetitions.
        std: The standard deviation of that loss.
        metric: The name of the metric.
    """
    return importance(names, mean, std, metric)


def history_figure(trials: Sequence[Trial], metric: str, *, baselines: Mapping[str, float] | None = None) -> Figure:
    """Draw a search: each trial's value of `metric`, the best so far, the baselines' values, the failed trials."""
    return history(trials, metric, baselines or {})


def parallel_figure(trials: Sequence[Trial], metric: str) -> Figure:
    """Draw a search as parallel coordinates: one panel a candidate, one axis a parameter, coloured by `metric`.

    The best few trials stand out. Failed trials, and trials that halving stopped early, are counted and not drawn.
    """
    return parallel(trials, metric)


def slices_figure(slices: Sequence[Slice], whole: Interval, metric: str) -> Figure:
    """Draw `metric` on each slice with its interval, by column, beside its value on all rows; at most the 40 worst slices.

    Slices that are worse than the rest beyond noise stand out; slices that cannot be measured are counted.
    """
    return slices_plot(slices, whole, metric)


def cost_figure(outcome: Outcome, costs: Costs, threshold: float) -> Figure:
    """Draw the mean cost of a row along the threshold, with the chosen threshold and 0.5 marked."""
    return cost(outcome, costs, threshold)


def png(figure: Figure) -> bytes:
    """Render a figure as PNG; the same figure gives the same bytes."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
