"""The models of experiment.yaml and policy.yaml: the goal, the data, the search, and the conditions of a release.

`slipway schema` publishes these models as JSON Schema. `slipway.core.spec._yaml` reads the text of a file into these models,
with errors that name the line.
"""

import hashlib
import json
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from slipway.core.spec._data import NUMBERS, Column, ColumnType, Data, DataSla
from slipway.core.spec._duties import Duty, undeclared
from slipway.core.spec._gates import OF_MATURITY, ApprovalGate, Gates, LatencyGate, Margin, SlicesGate
from slipway.core.spec._policy import PolicyChange, ReleasePolicy, policy_schema
from slipway.core.spec._release import Evaluation, Monitor, Sla
from slipway.core.spec._scope import Costs, Maturity, Scope
from slipway.core.spec._search import ENSEMBLE, Baseline, Candidate, Halving, Search
from slipway.core.spec._section import CODE_REF, IMPORT_PATH, NAME, Name, Section, name_of, wrong
from slipway.core.spec._source import DIALECT, ENDINGS, READABLE, Format, Source, Until, ending_of, source_at
from slipway.core.spec._split import GroupSplit, OwnSplit, RandomSplit, Split, TimeSplit
from slipway.core.tasks import Task
from slipway.errors import did_you_mean

__all__ = [
    "CODE_REF",
    "DIALECT",
    "ENDINGS",
    "ENSEMBLE",
    "IMPORT_PATH",
    "NAME",
    "NUMBERS",
    "OF_MATURITY",
    "READABLE",
    "ApprovalGate",
    "Baseline",
    "Candidate",
    "Column",
    "ColumnType",
    "Costs",
    "Data",
    "DataSla",
    "Duty",
    "Evaluation",
    "Experiment",
    "Format",
    "Gates",
    "GroupSplit",
    "Halving",
    "LatencyGate",
    "Margin",
    "Maturity",
    "Monitor",
    "OwnSplit",
    "PolicyChange",
    "RandomSplit",
    "ReleasePolicy",
    "Scope",
    "Search",
    "Section",
    "Sla",
    "SlicesGate",
    "Source",
    "Split",
    "TimeSplit",
    "Until",
    "ending_of",
    "json_schema",
    "name_of",
    "policy_schema",
    "source_at",
    "undeclared",
]


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
        """Return the SHA-256 of the declaration; the order of keys, comments and spacing of the file do not count."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()

    @property
    def study_digest(self) -> str:
        """Return the SHA-256 of all that two searches of one study share: task, data, split, metric, seed and space."""
        whole = self.as_dict()
        study = {key: whole[key] for key in ("name", "task", "data", "split")}
        keys = ("metric", "seed", "candidates", *(["metrics"] if self.search.metrics else []))
        study["search"] = {key: whole["search"][key] for key in keys}
        return hashlib.sha256(json.dumps(study, sort_keys=True).encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """Return the declaration as plain JSON values, under the keys of the file."""
        return self.model_dump(mode="json", by_alias=True)

    @model_validator(mode="after")
    def _metrics_fit_the_task(self) -> Self:
        named: list[tuple[tuple[str, ...], str]] = [(("search", "metric"), self.search.metric)]
        named += [(("gates", "thresholds", name), name) for name in self.gates.thresholds]
        named += [(("monitor", "metric"), self.monitor.metric)] if self.monitor else []
        for at, name in named:
            known = (*self.task.traits.metrics, *self.search.metrics)
            if name not in known:
                raise wrong(f"'{name}' is not a metric of a {self.task} task{did_you_mean(name, known)}", *at)
        return self

    @model_validator(mode="after")
    def _target_fits_the_task(self) -> Self:
        target, traits = self.data.columns[self.data.target].type, self.task.traits
        if target not in traits.targets:
            *first, last = traits.targets
            message = f"the target of a {traits.family} has to be {', '.join(first)} or {last}; it is {target}"
            raise wrong(message, "data", "columns", self.data.target, "type")
        if self.data.positive is not None and not traits.has_positive:
            raise wrong(f"a {self.task} task has no positive class", "data", "positive")
        return self

    @model_validator(mode="after")
    def _monotone_columns_are_numbers(self) -> Self:
        numbers = [name for name in self.data.features if self.data.columns[name].type.is_numeric]
        for candidate, declared in self.search.candidates.items():
            for name in declared.monotone:
                if name not in numbers:
                    raise wrong(
                        f"'{name}' is not a feature that is a number{did_you_mean(name, numbers)}",
                        *("search", "candidates", candidate, "monotone", name),
                    )
        return self

    @model_validator(mode="after")
    def _costs_fit_the_task(self) -> Self:
        if self.scope.costs and not self.task.traits.has_positive:
            raise wrong(f"costs are of a binary decision, and the task is {self.task}", "scope", "costs")
        return self

    @model_validator(mode="after")
    def _slices_are_of_columns(self) -> Self:
        not_to_slice_by = {self.data.target, self.data.id}
        for key in ("slices", "sensitive"):
            for i, name in enumerate(getattr(self.evaluation, key)):
                known = [column for column in self.data.columns if column not in not_to_slice_by]
                if name not in known:
                    raise wrong(
                        f"'{name}' is not a column to slice by{did_you_mean(name, known)}", "evaluation", key, i
                    )
        return self

    @model_validator(mode="after")
    def _split_has_its_column(self) -> Self:
        if isinstance(self.split, TimeSplit) and not self.data.time:
            raise wrong("a split by time needs data.time", "split", "method")
        if isinstance(self.split, OwnSplit) and self.split.test_from and not self.data.time:
            raise wrong("a test part from a date on needs data.time", "split", "test_from")
        group = getattr(self.split, "group", None)
        if group and group not in self.data.columns:
            known = did_you_mean(group, self.data.columns)
            raise wrong(f"'{group}' is not declared in data.columns{known}", "split", "group")
        if group and self.data.columns[group].nulls:
            raise wrong("a row without its group is on no side; take nulls away", "data", "columns", group, "nulls")
        if self.data.sla.max_age_days and not self.data.time:
            raise wrong(
                "freshness is the age of the newest data.time, which is not given", "data", "sla", "max_age_days"
            )
        return self

    @model_validator(mode="after")
    def _gates_have_what_they_judge_by(self) -> Self:
        gates = self.gates
        if gates.slices and not self.evaluation.columns:
            raise wrong("slices are looked at before a release: name columns in evaluation.slices", "gates")
        by_maturity = self.scope.maturity is Maturity.PRODUCTION and "slices" not in gates.without
        if self.search.metric in self.search.metrics and (gates.slices or by_maturity):
            at = ("gates", "slices") if gates.slices else ("gates",)
            raise wrong(
                "slices are not judged by an own metric yet, since the server has no code of yours; leave the gate out with a "
                "reason, as in `without: {slices: looked at in the model card}`",
                *at,
            )
        if gates.latency and not (gates.latency.p99_ms or self.sla.p99_ms):
            raise wrong("no latency is promised: give p99_ms here or in `sla`", "gates", "latency")
        if gates.freshness and not self.data.time:
            raise wrong("the age of a row is that of its data.time, which is not given", "gates", "freshness")
        if gates.calibration and gates.calibration.error >= 1 and self.task.is_classification:
            raise wrong("an error of 1 or more is never reached by probabilities", "gates", "calibration", "error")
        return self

    @model_validator(mode="after")
    def _maturity_has_its_duties(self) -> Self:
        """Report every missing duty at once: pydantic lists the errors inside of a ValidationError one by one."""
        missing = undeclared(self) if self.scope.maturity is not Maturity.POC else ()
        if missing:
            errors = [
                wrong(
                    f"maturity {self.scope.maturity} needs {duty.what}; as in `{duty.at[-1]}: {duty.example}`", *duty.at
                )
                for duty in missing
            ]
            raise ValidationError.from_exception_data(
                type(self).__name__, [{"type": error, "input": None} for error in errors]
            )
        return self


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of experiment.yaml, for editors."""
    schema = Experiment.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Slipway experiment"}
