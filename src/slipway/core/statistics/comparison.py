"""Two versions or runs side by side: what is recorded of each, and what both models say of the same rows."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any

import numpy as np

from slipway.core.spec import Experiment
from slipway.core.statistics.costs import mean_cost
from slipway.core.statistics.disagreement import Disagreement, DisputedRow
from slipway.core.statistics.intervals import bootstrap
from slipway.core.statistics.metrics import METRICS, Outcome, Weighted, prepare_all
from slipway.core.tasks import Task
from slipway.types import Interval, Stage

COST = "cost"
"""The mean cost of a row's answer, where `scope.costs` declares what wrong ones cost; a metric beside those of METRICS."""

LINEAGE = ("data_digest", "spec_digest", "code_digest", "lock_digest", "git_commit", "git_dirty")
"""What a model follows from, under the names of its run's tags, without `slipway.`."""


@dataclass(frozen=True)
class Side:
    """What is recorded of one side.

    label: what it is called here. kind: search, trial or baseline; empty for a run that another tool made.
    version, stage: of the registered version, where there is one. validation: each metric on the validation rows.
    test: each metric on the test rows, with its 95 % interval. lineage: by the names of LINEAGE, what is known of them.
    parts: the digest of each part of the data. share: of the training rows that a trial was fitted on.
    For a trial or a baseline, lineage and parts are those of its search. url: its page in MLflow, empty without a server.
    """

    label: str
    run_id: str
    run_name: str
    kind: str
    status: str
    started: datetime
    version: int | None = None
    stage: Stage | None = None
    candidate: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    validation: Mapping[str, float] = field(default_factory=dict)
    test: Mapping[str, Interval] = field(default_factory=dict)
    lineage: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    share: float = 1.0
    url: str = ""

    @property
    def settings(self) -> Mapping[str, str]:
        """The candidate with its parameters."""
        return {"candidate": self.candidate, **self.params} if self.candidate else self.params


@dataclass(frozen=True)
class OnSameRows:
    """Both models scored anew on the same rows.

    of: the label of the newer side, whose test rows they are; older: that of the other. tested: how many test rows there
    are; rows: how many were taken. trained_on: how many of those the older one was trained on; None where that is not known.
    metric: the one that was searched for. columns: those that are shown of a disputed row.
    positive: the positive class of a binary task.
    left, right: each metric as measured now; empty for a model that could not be applied, and then `problems` says why, by
    label. better_by: by how much right is better than left, in the metric's unit, negative where it is worse; only
    metrics that fit both. disagreement is None where one of the two could not be applied.
    """

    of: str
    older: str
    tested: int
    rows: int
    task: Task
    metric: str
    trained_on: int | None = 0
    columns: tuple[str, ...] = ()
    positive: str = ""
    left: Mapping[str, float] = field(default_factory=dict)
    right: Mapping[str, float] = field(default_factory=dict)
    better_by: Mapping[str, Interval] = field(default_factory=dict)
    disagreement: Disagreement | None = None
    disputed: tuple[DisputedRow, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def which(self) -> str:
        """Which rows these are."""
        if self.rows == self.tested:
            return f"the {self.rows:,} test rows of {self.of}"
        return f"those {self.rows:,} of the {self.tested:,} test rows of {self.of} that {self.older} was not trained on"

    @property
    def doubt(self) -> str:
        """Why the rows may flatter the older model; empty where neither was trained on any of them."""
        if self.trained_on is None:
            return (
                f"it is not known whether {self.older} was trained on some of these rows; "
                "if it was, it looks better here than it is"
            )
        if not self.trained_on:
            return ""
        how_many = "all" if self.trained_on == self.rows else f"{self.trained_on:,}"
        known = f"{how_many} of these rows, or on neighbours of them,"
        return f"{self.older} was trained on {known} and looks better here than it is"


@dataclass(frozen=True)
class Comparison:
    """Everything that is told of two sides. on_same_rows is None, and `why_not` says why, where a model is missing."""

    name: str
    left: Side
    right: Side
    on_same_rows: OnSameRows | None = None
    why_not: str = ""

    @property
    def recorded_on_same_rows(self) -> bool | None:
        """Whether the recorded numbers are of the same rows; None where that is not known."""
        digests = [side.lineage.get("data_digest") for side in (self.left, self.right)]
        if None in digests or not (self.left.parts and self.right.parts):
            return None
        return digests[0] == digests[1] and self.left.parts == self.right.parts

    @property
    def recorded_note(self) -> str:
        """What the recorded numbers of the two sides may be used for."""
        same = self.recorded_on_same_rows
        if same is None:
            return "recorded on data that are not known of both: do not compare these numbers with each other"
        if not same and self.left.lineage["data_digest"] != self.right.lineage["data_digest"]:
            return "recorded on different data: these numbers do not say which of the two is better"
        if not same:
            return "recorded on different rows of the same data: these numbers do not say which of the two is better"
        if self.left.share != self.right.share:
            shares = f"{self.left.share:.0%} and {self.right.share:.0%}"
            return f"recorded on the same rows, after training on {shares} of the training rows"
        return "recorded on the same rows"

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON can hold it: what is not finite is null."""
        whole: dict[str, Any] = {
            "name": self.name,
            "left": _side(self.left),
            "right": _side(self.right),
            "recorded": {"on_same_rows": self.recorded_on_same_rows, "note": self.recorded_note},
            "differs": {
                "params": differing(self.left.settings, self.right.settings),
                "lineage": differing(self.left.lineage, self.right.lineage),
            },
            "on_same_rows": _same_rows(self.on_same_rows) if self.on_same_rows else None,
            "why_not": self.why_not or None,
        }
        finite: dict[str, Any] = _finite(whole)
        return finite


def differing(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[str]:
    """Return the names whose values differ, or that only one of the two has, in the order of left and then right."""
    return [name for name in dict.fromkeys([*left, *right]) if left.get(name) != right.get(name)]


def measured(experiment: Experiment, outcome: Outcome) -> dict[str, float]:
    """Return each metric of the experiment that fits the outcome: the one searched for first, the cost last."""
    ones = np.ones(outcome.rows)
    return {name: metric(ones) for name, metric in _prepared(experiment, outcome).items()}


def better_by(experiment: Experiment, left: Outcome, right: Outcome) -> dict[str, Interval]:
    """Return by how much right is better than left, with 95 % intervals: paired, each metric on the same resamples.

    With the seed of the experiment these are the very numbers that the gates see.
    """
    ours, others = _prepared(experiment, right), _prepared(experiment, left)
    differences = {name: _difference(name, ours[name], others[name]) for name in ours if name in others}
    return bootstrap(differences, right.rows, seed=experiment.search.seed)


def greater_is_better(metric: str) -> bool:
    """Whether more of a metric is better; less of a cost is."""
    return metric != COST and METRICS[metric].greater_is_better


def _prepared(experiment: Experiment, outcome: Outcome) -> dict[str, Weighted]:
    with np.errstate(invalid="ignore"):  # of a row of which a model knows no class, scores add up to 0
        whole = prepare_all(experiment.task, outcome)
    first = {name: whole[name] for name in (experiment.search.metric,) if name in whole}
    costs = experiment.scope.costs
    return {**first, **whole, **({COST: mean_cost(outcome, costs)} if costs else {})}


def _difference(name: str, ours: Weighted, other: Weighted) -> Weighted:
    sign = 1.0 if greater_is_better(name) else -1.0
    return lambda weights: sign * (ours(weights) - other(weights))


def _side(side: Side) -> dict[str, Any]:
    started = side.started.isoformat(timespec="seconds")
    return {**asdict(side), "started": started, "stage": side.stage.value if side.stage else None}


def _same_rows(found: OnSameRows) -> dict[str, Any]:
    apart = found.disagreement
    told = ("of", "rows", "tested", "trained_on", "doubt", "metric", "left", "right", "problems")
    return {
        **{key: getattr(found, key) for key in told},
        "better_by": {name: asdict(interval) for name, interval in found.better_by.items()},
        "disagreement": apart and {"rate": apart.rate, "mean": apart.mean, "measured": apart.measured.value},
        "disputed": [asdict(row) for row in found.disputed],
    }


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not isfinite(value) else value
