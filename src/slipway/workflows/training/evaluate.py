"""The winner on the test rows: metrics with intervals, and by how much it is better than the baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.core.prediction import predict, weighted
from slipway.core.spec import Experiment
from slipway.core.statistics.costs import mean_cost
from slipway.core.statistics.intervals import bootstrap, remembering
from slipway.core.statistics.metrics import Metric, Outcome, Weighted, measure, prepare_all
from slipway.search import FittedBaseline, own_metrics, search_metric
from slipway.types import Interval
from slipway.workflows.project import Declared
from slipway.workflows.training.prepare import Prepared

_OVER = "over:"  # no metric is called so


@dataclass(frozen=True)
class Evaluated:
    """The refitted winner and its results on the test rows.

    Attributes:
        pipeline: the fitted winner.
        inputs: the columns that the winner is given.
        metric: the metric that the search maximised or minimised.
        outcome: the winner's answers.
        intervals: each metric with its 95 % interval.
        baseline_outcomes: each baseline's answers to the same rows.
        baselines: each baseline's metrics.
        over: by how much the winner's search metric is better than each baseline's, on the same resamples.
        cost: the mean cost of a row; None where no costs are declared.
    """

    pipeline: Any
    inputs: tuple[str, ...]
    metric: str
    outcome: Outcome
    intervals: Mapping[str, Interval]
    baseline_outcomes: Mapping[str, Outcome]
    baselines: Mapping[str, Mapping[str, float]]
    over: Mapping[str, Interval]
    cost: Interval | None = None

    @property
    def rows(self) -> int:
        return self.outcome.rows

    def metrics(self) -> dict[str, float]:
        """Return all results as metrics of a run: `test_roc_auc`, its interval, and `test_roc_auc.NAME` of each baseline."""
        measured = dict(self.intervals) | ({"cost": self.cost} if self.cost else {})
        intervals = {f"test_{name}": interval for name, interval in measured.items()}
        intervals |= {f"over_{name}": interval for name, interval in self.over.items()}
        flat: dict[str, float] = {}
        for name, interval in intervals.items():
            flat |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
        for baseline, values in self.baselines.items():
            flat |= {f"test_{name}.{baseline}": value for name, value in values.items()}
        return flat


def evaluate(pipeline: Any, spec: Declared, prepared: Prepared, baselines: Sequence[FittedBaseline]) -> Evaluated:
    """Score a fitted model and the baselines on the test rows, under the same resamples."""
    experiment, test = spec.experiment, prepared.splits.test
    inputs = experiment.data.features
    rows, truth = test[list(inputs)], test[experiment.data.target]
    answers = predict(pipeline, rows, truth, experiment.task, prepared.classes)
    outcome = weighted(answers, test, experiment.data)
    others = {each.name: weighted(each.predict(rows, truth), test, experiment.data) for each in baselines}
    metrics = own_metrics(spec.folder, experiment, prepared.classes)
    searched = search_metric(spec.folder, experiment, prepared.classes)
    own = prepare_all(experiment.task, outcome, metrics)
    own[experiment.search.metric] = remembering(own[experiment.search.metric])
    over = _over_baselines(experiment, searched, own[experiment.search.metric], others)
    costs = experiment.scope.costs
    cost = {"cost": mean_cost(outcome, costs)} if costs else {}
    drawn = bootstrap({**own, **over, **cost}, outcome.rows, seed=experiment.search.seed)
    return Evaluated(
        pipeline=pipeline,
        inputs=inputs,
        metric=experiment.search.metric,
        outcome=outcome,
        intervals={name: drawn[name] for name in own},
        baseline_outcomes=others,
        baselines={name: measure(experiment.task, other, metrics) for name, other in others.items()},
        over={name.removeprefix(_OVER): drawn[name] for name in over},
        cost=drawn.get("cost"),
    )


def _over_baselines(
    experiment: Experiment, metric: Metric, ours: Weighted, others: Mapping[str, Outcome]
) -> dict[str, Weighted]:
    """Return, for each baseline, a metric that says by how much the winner's search metric is better."""
    theirs = {name: metric.prepare(other) for name, other in others.items() if metric.fits(experiment.task, other)}
    return {f"{_OVER}{name}": _better(metric, ours, their) for name, their in theirs.items()}


def _better(metric: Metric, ours: Weighted, theirs: Weighted) -> Weighted:
    return lambda weights: metric.better(ours(weights), theirs(weights))
