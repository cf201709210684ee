"""`slipway check`: the checks that `slipway run` makes before it trains, and the plan of that run."""

from dataclasses import dataclass
from typing import Any

from slipway.core.gates import GateNotice, every_gate
from slipway.core.promises import promises
from slipway.core.spec import Experiment, undeclared
from slipway.progress import step
from slipway.search import in_words
from slipway.settings import Settings
from slipway.workflows.project import Declared, declared
from slipway.workflows.training.prepare import Prepared, check_code, prepare, question_of
from slipway.workflows.training.rehearsal import rehearse
from slipway.workflows.training.unused_columns import unused


@dataclass(frozen=True)
class CheckReport:
    """An experiment that can be run, and the plan of that run."""

    spec: Declared
    prepared: Prepared

    def as_dict(self) -> dict[str, Any]:
        experiment = self.spec.experiment
        return {
            "name": experiment.name,
            "task": experiment.task.value,
            "maturity": experiment.scope.maturity.value,
            "rows": {name: len(part) for name, part in self.prepared.splits.parts().items()},
            "split": self.prepared.splits.rule,
            "features": list(experiment.data.features),
            "not_used": [name for name in experiment.data.features if name not in self._used],
            "candidates": list(experiment.search.candidates),
            "metric": experiment.search.metric,
            "effort": experiment.search.effort,
            "trials": experiment.search.most_trials,
            "timeout_s": experiment.search.most_s,
            "folds": experiment.split.folds,
            "halving": experiment.search.halving is not None,
            "ensemble": experiment.search.ensemble == "auto",
            "gates": [vars(gate) for gate in every_gate(experiment)],
            "undeclared": [{"key": duty.key, "example": duty.example} for duty in undeclared(experiment)],
            "promises": [vars(promise) for promise in promises(experiment)],
            "data_digest": self.prepared.digests["all"],
            "spec_digest": experiment.digest,
        }

    @property
    def _used(self) -> set[str]:
        """The features that the model of at least one candidate is given."""
        experiment = self.spec.experiment
        return {feature for name in experiment.search.candidates for feature in experiment.inputs_of(name)}

    @property
    def _not_used(self) -> str:
        left_out = unused(self.spec.experiment)
        return f"  not used    {left_out}\n" if left_out else ""

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
            f"  data        {len(self.prepared.frame):,} rows keep the contract of {len(experiment.data.columns)} columns\n"
            f"  split       {rows} ({self.prepared.splits.rule})\n"
            f"  features    {', '.join(experiment.data.features)}\n{self._not_used}"
            f"  baselines   {constant}{rule}\n"
            f"  search      {in_words(experiment)}, over\n"
            f"{candidates}\n"
            f"  gates       {_gates(experiment)}{_later(experiment)}"
            + "".join(f"\n  a leak?     {doubt}" for doubt in self.prepared.doubts)
        )


def check(settings: Settings, name: str) -> CheckReport:
    """Validate an experiment, its code and its data without training anything but each candidate on a few rows.

    Raises what `slipway run` would raise before its first trial.
    """
    spec = declared(settings, name)
    check_code(spec)
    with step("data: read, contract, split"):
        prepared = prepare(spec)
    spec = prepared.spec
    rehearse(question_of(spec, prepared), (*spec.experiment.search.trusted_types, *settings.trusted_types))
    return CheckReport(spec, prepared)


def _gates(experiment: Experiment) -> str:
    """List each declared gate on a line of its own, and the names of the others on the last line."""
    gates = every_gate(experiment)
    lines = [f"{gate.name} ({_where(gate)}): {gate.demand}" for gate in gates if gate.asked_for]
    if silent := [gate.name for gate in gates if not gate.asked_for]:
        lines.append(f"not asked for: {', '.join(silent)}")
    return "\n              ".join(lines)


def _where(gate: GateNotice) -> str:
    return f"before {' and '.join(gate.stages)}" if gate.stages else "is not asked"


def _later(experiment: Experiment) -> str:
    """List the promises for the time after a release, and the keys that a release still needs, each on a line."""
    lines = [f"  promised    {promise}" for promise in promises(experiment)]
    lines += [f"  to declare  before Production: {duty}" for duty in undeclared(experiment)]
    return "".join(f"\n{line}" for line in lines)
