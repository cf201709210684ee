"""`slipway check`: the checks that `slipway run` makes before it trains, and the plan of that run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slipway.core.gates import every_gate
from slipway.core.promises import promises
from slipway.core.release.policy_gate import Rule
from slipway.core.release.steps import ReleaseStep, release_steps
from slipway.core.spec import Experiment, undeclared
from slipway.progress import step
from slipway.search import in_words
from slipway.settings import Settings
from slipway.workflows.ahead import next_version
from slipway.workflows.project import Declared, declared
from slipway.workflows.training.prepare import Prepared, check_code, prepare, question_of
from slipway.workflows.training.rehearsal import rehearse


@dataclass(frozen=True)
class CheckReport:
    """An experiment that can be run, the plan of that run, and all that stands between its version and Production.

    Attributes:
        spec: the experiment.
        prepared: its data.
        version: the number that the version of the next run has.
        by: who would be its author.
        rule: the demands of the model's server; None where no server answers.
    """

    spec: Declared
    prepared: Prepared
    version: int = 1
    by: str = "you"
    rule: Rule | None = None

    def as_dict(self) -> dict[str, Any]:
        experiment = self.spec.experiment
        return {
            "name": experiment.name,
            "task": experiment.task.value,
            "maturity": experiment.scope.maturity.value,
            "rows": {name: len(part) for name, part in self.prepared.splits.parts().items()},
            "split": self.prepared.splits.rule,
            "rows_without_target": self.prepared.rows_without_target,
            "weight": experiment.data.weight,
            "features": list(experiment.data.features),
            "candidates": list(experiment.search.candidates),
            "metric": experiment.search.metric,
            "effort": experiment.search.effort,
            "trials": experiment.search.most_trials,
            "timeout_s": experiment.search.most_s,
            "folds": experiment.split.folds,
            "halving": experiment.search.halving is not None,
            "ensemble": experiment.search.ensemble == "auto",
            "gates": [vars(gate) for gate in every_gate(experiment)],
            "release": [
                {
                    "gate": step.gate.name,
                    "stages": step.gate.stages,
                    "demand": step.gate.demand,
                    "todo": list(step.todo),
                }
                for step in self._steps
            ],
            "undeclared": [{"key": duty.key, "example": duty.example} for duty in undeclared(experiment)],
            "promises": [vars(promise) for promise in promises(experiment)],
            "data_digest": self.prepared.digests["all"],
            "spec_digest": experiment.digest,
        }

    @property
    def _steps(self) -> tuple[ReleaseStep, ...]:
        return release_steps(self.spec.experiment, self.version, self.by, self.rule)

    @property
    def _rows(self) -> str:
        data, prepared = self.spec.experiment.data, self.prepared
        kept = f"{len(prepared.frame):,} rows keep the contract of {len(data.columns)} columns"
        if prepared.rows_without_target:
            kept += f"; {prepared.rows_without_target:,} more have no {data.target} and are left out"
        return kept + (f"; each counts as its {data.weight} says" if data.weight else "")

    def __str__(self) -> str:
        experiment, parts = self.spec.experiment, self.prepared.splits.parts()
        rows = " · ".join(f"{name} {len(part):,}" for name, part in parts.items())
        search = experiment.search
        parameters = {name: ", ".join(c.space) or "no parameter varied" for name, c in search.candidates.items()}
        candidates = "\n".join(f"    {name}: {varied}" for name, varied in parameters.items())
        rule = f" and {experiment.baseline.rule}" if experiment.baseline.rule else ""
        _, constant = experiment.task.traits.constant
        return (
            f"{experiment.name} is ready to run: {experiment.scope.goal}\n"
            f"  data        {self._rows}\n"
            f"  split       {rows} ({self.prepared.splits.rule})\n"
            f"  features    {', '.join(experiment.data.features)}\n"
            f"  baselines   {constant}{rule}\n"
            f"  search      {in_words(experiment)}, over\n"
            f"{candidates}\n"
            f"  gates       {_gates(experiment, self._steps)}{_later(experiment)}"
            + "".join(f"\n  a leak?     {doubt}" for doubt in self.prepared.doubts)
        )


def check(settings: Settings, name: str) -> CheckReport:
    """Validate an experiment, its code and its data without training anything but each candidate on a few rows.

    A server is asked for the release policy of the model if one answers.

    Raises what `slipway run` would raise before its first trial.
    """
    spec = declared(settings, name)
    check_code(spec)
    with step("data: read, contract, split"):
        prepared = prepare(spec)
    spec = prepared.spec
    rehearse(question_of(spec, prepared), (*spec.experiment.search.trusted_types, *settings.trusted_types))
    version, rule = next_version(settings, name)
    return CheckReport(spec, prepared, version, settings.user, rule)


def _gates(experiment: Experiment, steps: Sequence[ReleaseStep]) -> str:
    """List the gates in the order of the stages with what to do; then those left out, and the names of all others."""
    standing = {step.gate.name for step in steps}
    others = [gate for gate in every_gate(experiment) if gate.name not in standing]
    lines = [str(step) for step in steps]
    lines += [f"{gate.name} (is not asked): {gate.demand}" for gate in others if gate.asked_for]
    if silent := [gate.name for gate in others if not gate.asked_for]:
        lines.append(f"not asked for: {', '.join(silent)}")
    return "\n              ".join(lines)


def _later(experiment: Experiment) -> str:
    """List the promises for the time after a release, each on a line."""
    return "".join(f"\n  promised    {promise}" for promise in promises(experiment))
