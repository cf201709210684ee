"""experiment.yaml: what is wanted, from what data, by which search, and what has to hold before anything is released.

These models are the contract; `slipway schema` publishes them as JSON Schema, `slipway.core.reading` turns the text of a file
into them with errors that name the line.
"""

import hashlib
import json
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from slipway.core.casts import naive_utc
from slipway.core.metrics import Task, metrics_of
from slipway.core.space import Space
from slipway.errors import did_you_mean

NAME = r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"
CODE_REF = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"
IMPORT_PATH = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$"

Name = Annotated[str, StringConstraints(pattern=NAME)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
CodeRef = Annotated[str, StringConstraints(pattern=CODE_REF)]
"""`module:function`; the module is looked for in the experiment's folder first."""
ImportPath = Annotated[str, StringConstraints(pattern=IMPORT_PATH)]
Moment = Annotated[datetime, AfterValidator(naive_utc)]
"""A time; one with a zone is taken to UTC, as the contract takes the data's."""
Share = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """A mapping of experiment.yaml: unknown keys are refused, values do not change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Maturity(StrEnum):
    POC = "poc"
    MVP = "mvp"
    PRODUCTION = "production"


class ColumnType(StrEnum):
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    CATEGORY = "category"
    TEXT = "text"
    DATETIME = "datetime"

    @property
    def is_numeric(self) -> bool:
        return self in (ColumnType.INT, ColumnType.FLOAT, ColumnType.BOOL)


class Costs(Section):
    """What a wrong answer of a binary task costs, in any one unit; a right one costs nothing."""

    false_positive: Annotated[float, Field(gt=0)]
    false_negative: Annotated[float, Field(gt=0)]


class Scope(Section):
    """The problem's own specification: without it nothing is released."""

    goal: Text
    decision: Text | None = Field(None, description="what is done with the answer")
    owner: Text | None = Field(None, description="who answers for it: a team's address")
    maturity: Maturity = Maturity.POC
    costs: Costs | None = Field(None, description="the decision threshold is tuned to them, on validation rows")


class Source(Section):
    """Where the rows come from: one of a Python function, a CSV file, a Parquet file."""

    function: CodeRef | None = Field(
        None, description="module:function in the experiment's folder; returns a DataFrame"
    )
    params: dict[str, Any] = Field(default_factory=dict, description="keyword arguments of the function")
    csv: Text | None = Field(None, description="a path, relative to the experiment's folder")
    parquet: Text | None = Field(None, description="a path, relative to the experiment's folder")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in ("function", "csv", "parquet") if getattr(self, kind)]
        if len(given) != 1:
            raise _wrong(f"give exactly one of function, csv, parquet; found {', '.join(given) or 'none'}")
        if self.params and not self.function:
            raise _wrong(f"params are the arguments of a function, and the source is {given[0]}", "params")
        return self


class Column(Section):
    """What one column promises, and how it is known at the moment of the prediction."""

    type: ColumnType
    nulls: Share = Field(0.0, description="the largest share of missing values")
    min: float | Moment | None = None
    max: float | Moment | None = None
    values: list[bool | int | float | str] | None = Field(None, min_length=1, description="every value that may occur")
    unique: bool = False
    feature: bool = Field(True, description="false = kept beside the features, never given to a model")
    known: Text | None = Field(None, description="how the value is known when the prediction is made")

    @model_validator(mode="after")
    def _range_has_sense(self) -> Self:
        ends = {key: end for key, end in (("min", self.min), ("max", self.max)) if end is not None}
        for key, end in ends.items():
            if self.type in (ColumnType.CATEGORY, ColumnType.TEXT):
                raise _wrong(f"min and max are for numbers and times; the column is {self.type}, use values", key)
            if isinstance(end, datetime) is self.type.is_numeric:
                wanted = "a number" if self.type.is_numeric else "a time, as in 2013-01-31"
                raise _wrong(f"found {end}; the column is {self.type}, so this has to be {wanted}", key)
        if len(ends) == 2 and ends["min"] > ends["max"]:  # type: ignore[operator]  # both numbers, or both times
            raise _wrong(f"min {self.min} is above max {self.max}", "min")
        if self.values is not None and self.type is ColumnType.DATETIME:
            raise _wrong("times are promised by min and max, not by values", "values")
        return self


class DataSla(Section):
    """What the supplier of the data promises."""

    min_rows: Annotated[int, Field(ge=1)] = 1
    max_age_days: Annotated[float, Field(gt=0)] | None = Field(
        None, description="age of the newest row in the time column"
    )


class Data(Section):
    source: Source
    target: Name
    positive: bool | int | str | None = Field(
        None, description="the positive class of a binary task; default: the last in order"
    )
    id: Name | None = Field(None, description="a column that is unique to each row")
    time: Name | None = Field(None, description="the moment of the prediction")
    columns: dict[Name, Column] = Field(min_length=2)
    sla: DataSla = DataSla()
    not_leaking: list[Name] = Field(
        default_factory=list, description="features that know the target nearly perfectly, and rightly so"
    )

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that a model may see, in the order of the contract."""
        kept = {self.target, self.id, self.time}
        return tuple(name for name, column in self.columns.items() if column.feature and name not in kept)

    @model_validator(mode="after")
    def _names_are_declared(self) -> Self:
        for key in ("target", "time"):
            name = getattr(self, key)
            if name and name not in self.columns:
                raise _wrong(f"'{name}' is not declared in data.columns{did_you_mean(name, self.columns)}", key)
        if self.time and self.columns[self.time].type is not ColumnType.DATETIME:
            raise _wrong(f"'{self.time}' has to be of type datetime; it is {self.columns[self.time].type}", "time")
        if self.time and self.columns[self.time].nulls:
            raise _wrong(
                "a row without its time is in no part of the data; take nulls away", "columns", self.time, "nulls"
            )
        if self.columns[self.target].nulls:
            raise _wrong("a target cannot be missing; take nulls away", "columns", self.target, "nulls")
        if not self.features:
            raise _wrong("no column is left as a feature", "columns")
        return self


_VALIDATION = 0.15


class _Shares(Section):
    validation: Fraction | None = Field(None, description="share of the rows; default: 0.15")
    test: Fraction = 0.2
    folds: Annotated[int, Field(ge=2, le=20)] | None = Field(
        None, description="cross-validation: so many folds of all rows but the test rows, in place of a validation part"
    )

    @model_validator(mode="after")
    def _folds_are_the_validation(self) -> Self:
        if self.folds and self.validation:
            raise _wrong("the folds are what is validated on; give one of folds and validation", "validation")
        return self

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        if self.validation_share + self.test >= 1:
            raise _wrong(f"validation {self.validation_share} and test {self.test} leave nothing to train on")
        return self

    @property
    def validation_share(self) -> float:
        """The share of the rows that is validated on; 0 where folds are."""
        return 0.0 if self.folds else self.validation or _VALIDATION


class TimeSplit(_Shares):
    """The past is trained on, the future tested on; cut by date, or by share of the rows."""

    method: Literal["time"]
    validation_from: Moment | None = None
    test_from: Moment | None = None

    @model_validator(mode="after")
    def _dates_come_in_pairs(self) -> Self:
        if self.folds:
            if self.validation_from:
                raise _wrong("the folds are what is validated on; take validation_from away", "validation_from")
            return self
        if (self.validation_from is None) != (self.test_from is None):
            raise _wrong("give both validation_from and test_from, or neither and use validation and test")
        if self.validation_from and self.test_from and self.validation_from >= self.test_from:
            raise _wrong(f"validation_from {self.validation_from} has to come before test_from {self.test_from}")
        return self


class GroupSplit(_Shares):
    """All rows of a group fall on one side."""

    method: Literal["group"]
    group: Name


class RandomSplit(_Shares):
    """Rows are drawn at random, stratified by the target where the task is classification."""

    method: Literal["random"]


Split = Annotated[TimeSplit | GroupSplit | RandomSplit, Field(discriminator="method")]


class Baseline(Section):
    """What a model has to beat. The class prior, or the mean, is always run."""

    rule: CodeRef | None = Field(
        None, description="rule(train, rows) -> scores of the positive class, labels, or values"
    )


class Candidate(Section):
    """One family of pipelines: an estimator behind automatic preprocessing, or a function that returns a Pipeline."""

    estimator: ImportPath | None = Field(None, description="import path of a scikit-learn estimator")
    pipeline: CodeRef | None = Field(None, description="module:function; takes the parameters, returns a Pipeline")
    params: dict[str, Any] = Field(default_factory=dict, description="fixed parameters")
    space: Space = Field(default_factory=dict, description="what the search may vary")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.estimator is None) == (self.pipeline is None):
            raise _wrong("give exactly one of estimator and pipeline")
        if both := sorted(set(self.params) & set(self.space)):
            raise _wrong(f"{', '.join(both)} is fixed in params and varied in space; keep one", "params")
        return self


class Halving(Section):
    """Successive halving: a trial begins on a small share of the training rows and goes on to more while it is among the best.

    After Li et al., A System for Massively Parallel Hyperparameter Tuning (2020), the asynchronous form.
    """

    factor: Annotated[int, Field(ge=2, le=10)] = Field(
        3, description="the best 1/factor go on, to factor times the rows"
    )
    min_share: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.1, description="the least share of the rows that a trial begins on"
    )

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        if self.min_share * self.factor > 1:
            raise _wrong(
                f"min_share {self.min_share} leaves nothing to go on to with a factor of {self.factor}", "min_share"
            )
        return self

    @property
    def shares(self) -> tuple[float, ...]:
        """The shares of the training rows that a trial goes through, the last of them all rows."""
        shares = [1.0]
        while shares[0] / self.factor >= self.min_share:
            shares.insert(0, shares[0] / self.factor)
        return tuple(shares)


class Search(Section):
    metric: str
    trials: Annotated[int, Field(ge=1, le=100_000)] = 20
    timeout_s: Annotated[float, Field(gt=0)] = 3600
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    prefer: Literal["best", "fastest", "simplest"] = Field(
        "best", description="which to choose of the trials that are within the noise of the best"
    )
    halving: Halving | None = None
    executor: Literal["processes", "serial", "spark"] = Field("processes", description="serial repeats exactly")
    workers: Annotated[int, Field(ge=1, le=256)] | None = Field(
        None, description="worker processes, or Spark tasks at a time; default: one a core"
    )
    master: Text | None = Field(None, description="the address of the Spark master; default: local[*]")
    patience: Annotated[int, Field(ge=1)] | None = Field(
        None, description="end after so many trials without a better one"
    )
    trial_timeout_s: Annotated[float, Field(gt=0)] | None = Field(
        None, description="a longer trial is stopped and failed"
    )
    trial_memory_mb: Annotated[int, Field(ge=64)] | None = Field(
        None, description="a larger trial is stopped and failed"
    )
    candidates: dict[Name, Candidate] = Field(min_length=1)
    trusted_types: list[ImportPath] = Field(
        default_factory=list,
        description="types of the experiment's own code that a model may hold, such as features.Ratio",
    )

    @model_validator(mode="after")
    def _limits_have_their_executor(self) -> Self:
        for key in ("trial_timeout_s", "trial_memory_mb", "workers"):
            if self.executor == "serial" and getattr(self, key) is not None:
                raise _wrong(
                    "the serial executor runs trials in its own process and cannot stop one; use processes", key
                )
        if self.executor == "spark" and self.trial_memory_mb is not None:
            raise _wrong(
                "Spark limits the memory of its own workers (spark.executor.memory); use processes", "trial_memory_mb"
            )
        if self.executor != "spark" and self.master is not None:
            raise _wrong(f"a master is Spark's, and the executor is {self.executor}", "master")
        return self


class Margin(Section):
    margin: Annotated[float, Field(ge=0)] = Field(0.0, description="in the unit of the search metric")


class Evaluation(Section):
    """What reviewers see of the test rows beyond the metrics: parts of them, by columns of the contract."""

    slices: list[Name] = Field(default_factory=list, description="columns whose values are looked at one by one")
    sensitive: list[Name] = Field(
        default_factory=list, description="columns whose groups have to be treated alike; they are slices too"
    )

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is looked at, each once."""
        return tuple(dict.fromkeys((*self.slices, *self.sensitive)))


class Gates(Section):
    """What has to hold before a version moves on."""

    thresholds: dict[str, float] = Field(
        default_factory=dict, description="smallest score, or largest error, on the test rows"
    )
    beats_baseline: Margin | None = None
    not_worse_than_champion: Margin | None = None


class Sla(Section):
    """What the service promises to those who call it."""

    p99_ms: Annotated[float, Field(gt=0)] | None = None
    availability: Fraction | None = None
    report: Literal["daily", "weekly", "monthly"] | None = None


class Monitor(Section):
    """What is watched once the version is live."""

    metric: str
    floor: float = Field(description="the value of the metric at which a retuning is due")
    window_days: Annotated[float, Field(gt=0)] = 7


class Experiment(Section):
    """One tabular problem, from its goal to its service."""

    name: Name
    scope: Scope
    task: Task
    data: Data
    split: Split
    baseline: Baseline = Baseline()
    search: Search
    evaluation: Evaluation = Evaluation()
    gates: Gates = Gates()
    sla: Sla = Sla()
    delivery: list[Literal["service", "batch", "report"]] = Field(["service", "batch", "report"], min_length=1)
    monitor: Monitor | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of what is declared, whatever the order of keys, comments or spacing of the file."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()

    @property
    def study_digest(self) -> str:
        """SHA-256 of what makes two searches the same study, whatever their budgets: task, data, split, metric, seed, space."""
        whole = self.as_dict()
        study = {key: whole[key] for key in ("name", "task", "data", "split")}
        study["search"] = {key: whole["search"][key] for key in ("metric", "seed", "candidates")}
        return hashlib.sha256(json.dumps(study, sort_keys=True).encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """The declaration as plain JSON values, under the keys of the file."""
        return self.model_dump(mode="json", by_alias=True)

    @model_validator(mode="after")
    def _metrics_fit_the_task(self) -> Self:
        named: list[tuple[tuple[str, ...], str]] = [(("search", "metric"), self.search.metric)]
        named += [(("gates", "thresholds", name), name) for name in self.gates.thresholds]
        named += [(("monitor", "metric"), self.monitor.metric)] if self.monitor else []
        for at, name in named:
            if name not in metrics_of(self.task):
                raise _wrong(
                    f"'{name}' is no metric of a {self.task} task{did_you_mean(name, metrics_of(self.task))}", *at
                )
        return self

    @model_validator(mode="after")
    def _target_fits_the_task(self) -> Self:
        target = self.data.columns[self.data.target].type
        at = ("data", "columns", self.data.target, "type")
        if self.task is Task.REGRESSION and target not in (ColumnType.INT, ColumnType.FLOAT):
            raise _wrong(f"the target of a regression has to be int or float; it is {target}", *at)
        if self.task.is_classification and target in (ColumnType.FLOAT, ColumnType.DATETIME):
            raise _wrong(f"the target of a classification has to be int, bool, category or text; it is {target}", *at)
        if self.data.positive is not None and self.task is not Task.BINARY:
            raise _wrong(f"a {self.task} task has no positive class", "data", "positive")
        return self

    @model_validator(mode="after")
    def _costs_fit_the_task(self) -> Self:
        if self.scope.costs and self.task is not Task.BINARY:
            raise _wrong(f"costs are of a binary decision, and the task is {self.task}", "scope", "costs")
        return self

    @model_validator(mode="after")
    def _slices_are_of_columns(self) -> Self:
        kept = {self.data.target, self.data.id}
        for key in ("slices", "sensitive"):
            for i, name in enumerate(getattr(self.evaluation, key)):
                known = [column for column in self.data.columns if column not in kept]
                if name not in known:
                    raise _wrong(f"'{name}' is no column to slice by{did_you_mean(name, known)}", "evaluation", key, i)
        return self

    @model_validator(mode="after")
    def _split_has_its_column(self) -> Self:
        if isinstance(self.split, TimeSplit) and not self.data.time:
            raise _wrong("a split by time needs data.time", "split", "method")
        if isinstance(self.split, GroupSplit) and self.split.group not in self.data.columns:
            known = did_you_mean(self.split.group, self.data.columns)
            raise _wrong(f"'{self.split.group}' is not declared in data.columns{known}", "split", "group")
        if isinstance(self.split, GroupSplit) and self.data.columns[self.split.group].nulls:
            raise _wrong(
                "a row without its group is on no side; take nulls away", "data", "columns", self.split.group, "nulls"
            )
        if self.data.sla.max_age_days and not self.data.time:
            raise _wrong(
                "freshness is the age of the newest data.time, which is not given", "data", "sla", "max_age_days"
            )
        return self

    @model_validator(mode="after")
    def _maturity_has_its_duties(self) -> Self:
        maturity = self.scope.maturity
        duties: list[tuple[tuple[str, ...], object, str]] = []
        if maturity is not Maturity.POC:
            promised = "service" not in self.delivery or self.sla.p99_ms
            duties = [
                (("scope", "owner"), self.scope.owner, "an owner"),
                (("scope", "decision"), self.scope.decision, "a decision that it serves"),
                (
                    ("gates", "thresholds"),
                    self.search.metric in self.gates.thresholds,
                    f"a threshold for {self.search.metric}",
                ),
                (("sla",), promised, "sla.p99_ms, since it is delivered as a service"),
            ]
        if maturity is Maturity.PRODUCTION:
            duties.append((("monitor",), self.monitor, "monitor"))
            duties += [
                (("data", "columns", name), self.data.columns[name].known, f"{name}'s `known`: how it is known in time")
                for name in self.data.features
            ]
        for at, given, duty in duties:
            if not given:
                raise _wrong(f"maturity {maturity} needs {duty}", *at)
        return self


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of experiment.yaml, for editors."""
    schema = Experiment.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Slipway experiment"}


def _wrong(message: str, *at: str | int) -> PydanticCustomError:
    """An error whose place is `at` below the section that raises it."""
    return PydanticCustomError("slipway", "{message}", {"message": message, "at": at})
