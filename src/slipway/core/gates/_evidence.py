"""The evidence that the gates judge one version by: values only, gathered by a workflow."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from slipway.core.release.transitions import ServedBeside
from slipway.core.spec import Experiment
from slipway.core.statistics.intervals import paired_differences
from slipway.core.statistics.metrics import Metric, Outcome, named
from slipway.types import Interval, Verdict

Fields = Mapping[str, tuple[str, bool]]
"""The inputs or outputs of a model: name → (MLflow type, required)."""


ENOUGH_ROWS = 50
"""The fewest rows that two models are compared on: with fewer, the interval of their difference holds everything."""


ENOUGH_OF_A_CLASS = 10
"""The fewest rows of a class that a metric which compares classes is compared on: one row would decide by chance."""


def rows_to_compare(unseen: NDArray[np.bool_] | None, truth: ArrayLike, metric: Metric) -> NDArray[np.bool_] | None:
    """Return which rows a champion is compared on; None for all.

    Where it was trained on all but too few of them, or on all but too few of a class, all rows are taken, which favours the
    champion.

    Args:
        unseen: (rows,), the rows that the champion was not trained on; None for all.
        truth: (rows,), the true value of each row.
        metric: the metric that they are compared by.
    """
    if unseen is None or unseen.sum() < ENOUGH_ROWS:
        return None
    return None if metric.compares_classes and _lacks_a_class(unseen, truth) else unseen


def _lacks_a_class(taken: NDArray[np.bool_], truth: ArrayLike) -> bool:
    """Say whether of a class too few rows are taken; of a class that is rare among all rows, one is enough."""
    codes, classes = pd.factorize(np.asarray(truth), use_na_sentinel=False)
    rows, left = (np.bincount(each, minlength=len(classes)) for each in (codes, codes[taken]))
    return bool((left < np.where(rows < ENOUGH_OF_A_CLASS, 1, ENOUGH_OF_A_CLASS)).any())


@dataclass(frozen=True)
class Champion:
    """The version in Production or, while Production is empty, the version there last, on the challenger's test rows.

    Attributes:
        version: its number.
        outcome: its outcome on the test rows; None when it could not be scored.
        inputs: the fields of its signature's inputs.
        outputs: the fields of its signature's outputs.
        problem: why there is no outcome; empty where there is.
        unseen: (rows,), the test rows that it was not trained on; None for all, when no training row is known among them.
        live: whether it is in Production now.
    """

    version: int
    outcome: Outcome | None
    inputs: Fields
    outputs: Fields
    problem: str = ""
    unseen: NDArray[np.bool_] | None = None
    live: bool = True

    @property
    def served(self) -> ServedBeside:
        return ServedBeside(self.version, self.live)


@dataclass(frozen=True)
class Newest:
    """The outcomes of both models on labelled rows that are newer than the training and test rows of either.

    Attributes:
        since: the time of the first of these rows.
        challenger: the challenger's outcome.
        champion: the champion's outcome; None where it could not be scored.
    """

    since: str
    challenger: Outcome
    champion: Outcome | None


@dataclass(frozen=True)
class Latency:
    """The latency of requests of one row, sent one after the other to the model's own service, in milliseconds."""

    p50_ms: float
    p99_ms: float
    requests: int


@dataclass(frozen=True)
class Reproduced:
    """The winner fitted again: of `rows` answers, `different` differ, by `largest` at the most."""

    rows: int
    different: int
    largest: float


OWN_METRICS = "own_metrics"
"""The key of `Measured.problems` that says why the experiment's own metrics are not there."""


@dataclass(frozen=True)
class OwnScores:
    """The experiment's own metrics, computed where their code is; the judge has none of that code.

    Attributes:
        values: each own metric of the version on its test rows.
        differences: those of `Evidence.differences`, where the metric of the search is an own one.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    differences: Mapping[str, Interval] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """The measurements of a model apart from its answers.

    Attributes:
        latency: of requests of one row to its own service.
        size_bytes: of its files.
        reproduced: the comparison with the winner fitted again.
        age_days: of the newest test row.
        own: the verdicts of the experiment's own gates.
        problems: gate → why there is no measurement for it.
        scores: the experiment's own metrics; None where it has none, or their code cannot be run.
    """

    latency: Latency | None = None
    size_bytes: int | None = None
    reproduced: Reproduced | None = None
    age_days: float | None = None
    own: tuple[Verdict, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    scores: OwnScores | None = None


@dataclass(frozen=True)
class Evidence:
    """The evidence that the gates judge one version by; every outcome but the newest is of the same test rows.

    Attributes:
        experiment: the recorded experiment.
        challenger: the version's outcome.
        inputs: the fields of its signature's inputs.
        outputs: the fields of its signature's outputs.
        baselines: the outcomes of the baselines, by name.
        champion: the champion; None without one.
        seed: of the resamples.
        newest: both models on the newest rows; None without any.
        measured: the measurements apart from the answers.
        labels: column → slice of each row.
        rows: (rows, columns), the test rows, for the experiment's own gates.
        own_metric: the metric of the search with its code, where it is an own one and the code is here.
    """

    experiment: Experiment
    challenger: Outcome
    inputs: Fields
    outputs: Fields
    baselines: Mapping[str, Outcome] = field(default_factory=dict)
    champion: Champion | None = None
    seed: int = 0
    newest: Newest | None = None
    measured: Measured = Measured()
    labels: Mapping[str, pd.Series] = field(default_factory=dict)
    rows: pd.DataFrame | None = None
    own_metric: Metric | None = None

    @property
    def metric(self) -> Metric:
        return self.own_metric or named(self.experiment.search.metric)

    @property
    def is_computable(self) -> bool:
        """Whether the metric of the search can be computed here."""
        return self.own_metric is not None or not self.metric.own

    @property
    def compared(self) -> NDArray[np.bool_] | None:
        """Return which of the rows the champion is compared on; None for all."""
        unseen = self.champion.unseen if self.champion else None
        return rows_to_compare(unseen, self.challenger.truth, self.metric)

    @property
    def too_few(self) -> int | None:
        """Return how many rows the champion was not trained on where they are too few for a comparison; None elsewhere."""
        if self.champion is None or self.champion.unseen is None or self.compared is not None:
            return None
        return int(self.champion.unseen.sum())

    def differences(self) -> Mapping[str, Interval]:
        """Return by how much the challenger is better than each baseline and the champion, with 95 % intervals.

        Keys: `baseline:NAME`, `champion`, and `newest` for the champion on the newest rows, each where it can be compared.
        """
        if not self.is_computable:
            return self.measured.scores.differences if self.measured.scores else {}
        others = {f"baseline:{name}": outcome for name, outcome in self.baselines.items()}
        apart: dict[str, tuple[Outcome, Outcome]] = {}
        if self.champion and self.champion.outcome:
            if self.compared is None:
                others["champion"] = self.champion.outcome  # of the same rows as the baselines: one pass
            else:
                apart["champion"] = self.compared_rows()
        if self.newest and self.newest.champion:
            apart["newest"] = self.newest.challenger, self.newest.champion
        intervals = dict(self._better(self.challenger, others))
        for key, (challenger, champion) in apart.items():
            intervals |= self._better(challenger, {key: champion})
        return intervals

    def compared_rows(self) -> tuple[Outcome, Outcome]:
        """Return challenger's and champion's outcomes on the test rows that they are compared on, see `rows_to_compare`."""
        if self.champion is None or self.champion.outcome is None:
            raise ValueError("there is no champion to compare with")
        compared = self.compared
        if compared is None:
            return self.challenger, self.champion.outcome
        return self.challenger.take(compared), self.champion.outcome.take(compared)

    def _better(self, ours: Outcome, others: Mapping[str, Outcome]) -> Mapping[str, Interval]:
        task = self.experiment.task
        comparable = {name: other for name, other in others.items() if self.metric.fits(task, other)}
        if not comparable or not self.metric.fits(task, ours):
            return {}
        sign = 1.0 if self.metric.greater_is_better else -1.0
        prepared = {name: self.metric.prepare(outcome) for name, outcome in comparable.items()}
        return paired_differences(self.metric.prepare(ours), prepared, ours.rows, sign=sign, seed=self.seed)
