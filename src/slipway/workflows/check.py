"""`slipway check`: everything that `slipway run` checks before it trains, and what it would do."""

from dataclasses import dataclass
from typing import Any

from slipway.progress import step
from slipway.settings import Settings
from slipway.workflows.preparation import Prepared, check_code, prepare, question_of
from slipway.workflows.project import Declared, declared
from slipway.workflows.rehearsal import rehearse


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
            "candidates": list(experiment.search.candidates),
            "metric": experiment.search.metric,
            "trials": experiment.search.trials,
            "data_digest": self.prepared.digests["all"],
            "spec_digest": experiment.digest,
        }

    def __str__(self) -> str:
        experiment, parts = self.spec.experiment, self.prepared.splits.parts()
        rows = " · ".join(f"{name} {len(part):,}" for name, part in parts.items())
        search = experiment.search
        parameters = {name: ", ".join(c.space) or "no parameter varied" for name, c in search.candidates.items()}
        candidates = "\n".join(f"    {name}: {varied}" for name, varied in parameters.items())
        rule = f" and {experiment.baseline.rule}" if experiment.baseline.rule else ""
        constant = "class prior" if experiment.task.is_classification else "mean"
        return (
            f"{experiment.name} is ready to run: {experiment.scope.goal}\n"
            f"  data        {len(self.prepared.frame):,} rows keep the contract of {len(experiment.data.columns)} columns\n"
            f"  split       {rows} ({self.prepared.splits.rule})\n"
            f"  features    {', '.join(experiment.data.features)}\n"
            f"  baselines   {constant}{rule}\n"
            f"  search      up to {search.trials} trials or {search.timeout_s:g} s for the best {search.metric}, over\n"
            f"{candidates}\n"
            f"  gates       {_gates(self.spec)}" + "".join(f"\n  a leak?     {doubt}" for doubt in self.prepared.doubts)
        )


def check(settings: Settings, name: str) -> CheckReport:
    """Validate an experiment, its code and its data without training anything but each candidate on a few rows.

    Raises what `slipway run` would raise before its first trial.
    """
    spec = declared(settings, name)
    check_code(spec)
    with step("data: read, contract, split"):
        prepared = prepare(spec)
    rehearse(question_of(spec, prepared), (*spec.experiment.search.trusted_types, *settings.trusted_types))
    return CheckReport(spec, prepared)


def _gates(spec: Declared) -> str:
    thresholds = ", ".join(f"{name} {bound:g}" for name, bound in spec.experiment.gates.thresholds.items())
    return f"thresholds ({thresholds or 'none'}), beats the baselines, not worse than Production, signature"
