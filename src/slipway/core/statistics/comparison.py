"""The comparison of two versions or runs: the records of each, and the answers of both models to the same rows."""

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
"""A metric in addition to METRICS: the mean cost of an answer, where `scope.costs` declares the costs of wrong answers."""

LINEAGE = ("data_digest", "spec_digest", "code_digest", "lock_digest", "git_commit", "git_dirty")
"""The facts that a model follows from, by the tags of its run without the prefix `slipway.`."""


@dataclass(frozen=True)
class Side:
    """The records of one side of a comparison. A trial or a baseline has the lineage and the parts of its search.

    Attributes:
        label: The name of the side in the comparison.
        run_id: The MLflow run.
        run_name: The name of that run.
        kind: search, trial, ensemble or baseline; empty for a run that another tool made.
        status: The status of the run.
        started: The start of the run.
        version: The registered version, where there is one.
        stage: The stage of that version.
        candidate: The name of the candidate.
        params: The parameters of the candidate as MLflow records them.
        validation: Each metric on the validation rows.
        test: Each metric on the test rows, with its 95 % interval.
        lineage: The recorded facts by the names of LINEAGE.
        parts: The digest of each part of the data.
        share: The share of the training rows that a trial was fitted on.
        url: The page of the run in MLflow; empty without a server.
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
        """The candidate and its parameters, by name."""
        return {"candidate": self.candidate, **self.params} if self.candidate else self.params


@dataclass(frozen=True)
class OnSameRows:
    """The scores of both models on the same rows, measured anew.

    Attributes:
        of: The label of the newer side; the rows are its test rows.
        older: The label of the other side.
        tested: The number of test rows of the newer side.
        rows: The number of rows that were scored.
        task: The task of both models.
        metric: The metric of the search.
        trained_on: How many of the rows the older model was trained on; None where that is not known.
        columns: The columns that a disputed row shows.
        positive: The positive class of a binary task.
        left: Each metric of the left model; empty for a model that could not be applied.
        right: Each metric of the right model; empty for a model that could not be applied.
        better_by: By how much the right model is better than the left one, in the metric's unit; negative where it is worse.
        disagreement: How often and how far the answers differ; None where a model could not be applied.
        disputed: The rows with the widest gaps between the two answers.
        problems: Why a model could not be applied, by label.
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
        """The rows that were scored, in words."""
        if self.rows == self.tested:
            return f"the {self.rows:,} test rows of {self.of}"
        return f"those {self.rows:,} of the {self.tested:,} test rows of {self.of} that {self.older} was not trained on"

    @property
    def doubt(self) -> str:
        """The reason why the rows may flatter the older model; empty where neither model was trained on any of the rows."""
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
    """Two sides and the scores of their models; without a model `on_same_rows` is None and `why_not` says why."""

    name: str
    left: Side
    right: Side
    on_same_rows: OnSameRows | None = None
    why_not: str = ""

    @property
    def recorded_on_same_rows(self) -> bool | None:
        """Whether the recorded numbers of both sides are of the same rows; None where that is not known."""
        digests = [side.lineage.get("data_digest") for side in (self.left, self.right)]
        if None in digests or not (self.left.parts and self.right.parts):
            return None
        return digests[0] == digests[1] and self.left.parts == self.right.parts

    @property
    def recorded_note(self) -> str:
        """A sentence on whether the recorded numbers of the two sides may be compared."""
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
        """Return the Comparison as JSON values; numbers that are not finite become null."""
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
    """Return the names whose values differ or that only one side has, in the order of left and then right."""
    return [name for name in dict.fromkeys([*left, *right]) if left.get(name) != right.get(name)]


def measured(experiment: Experiment, outcome: Outcome) -> dict[str, float]:
    """Return each metric of the experiment that fits the Outcome: the metric of the search first, the cost last."""
    ones = np.ones(outcome.rows)
    return {name: metric(ones) for name, metric in _prepared(experiment, outcome).items()}


def better_by(experiment: Experiment, left: Outcome, right: Outcome) -> dict[str, Interval]:
    """Return by how much the right Outcome is better than the left one, with paired 95 % intervals, by metric.

    All metrics see the same resamples, drawn with the seed of the experiment, so the gates see the very same numbers.
    """
    ours, others = _prepared(experiment, right), _prepared(experiment, left)
    differences = {name: _difference(name, ours[name], others[name]) for name in ours if name in others}
    return bootstrap(differences, right.rows, seed=experiment.search.seed)


def greater_is_better(metric: str) -> bool:
    """Return whether a higher value of the metric is better; a lower cost is better."""
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


def _same_rows(anew: OnSameRows) -> dict[str, Any]:
    apart = anew.disagreement
    plain = ("of", "rows", "tested", "trained_on", "doubt", "metric", "left", "right", "problems")
    return {
        **{key: getattr(anew, key) for key in plain},
        "better_by": {name: asdict(interval) for name, interval in anew.better_by.items()},
        "disagreement": apart and {"rate": apart.rate, "mean": apart.mean, "measured": apart.measured.value},
        "disputed": [asdict(row) for row in anew.disputed],
    }


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not isfinite(value) else value
