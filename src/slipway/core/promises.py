"""Promises of an experiment for the time after a release, and how each is measured."""

from dataclasses import dataclass

from slipway.core.gates import gates_before
from slipway.core.spec import Experiment
from slipway.types import Stage

NOT_MEASURED = "not measured yet"


@dataclass(frozen=True)
class Promise:
    """One promise of an experiment.

    Attributes:
        key: The place of the promise in experiment.yaml.
        value: The promised value, in words.
        measured: How the promise is measured, in words, or `NOT_MEASURED`.
    """

    key: str
    value: str
    measured: str = NOT_MEASURED

    def __str__(self) -> str:
        return f"{self.key} {self.value} ({self.measured})"


def promises(experiment: Experiment) -> tuple[Promise, ...]:
    """Return the Promises that an experiment makes in `sla` and `monitor`, in the file's order."""
    sla, monitor = experiment.sla, experiment.monitor
    promised = []
    if sla.p99_ms is not None:
        gated = "latency" in gates_before(experiment, Stage.PRODUCTION)
        by = "measured by the gate latency" if gated else "not measured; gates.latency asks for it"
        promised.append(Promise("sla.p99_ms", f"{sla.p99_ms:g}", by))
    if sla.availability is not None:
        promised.append(Promise("sla.availability", f"{sla.availability:g}"))
    if sla.report is not None:
        promised.append(Promise("sla.report", sla.report))
    if monitor is not None:
        value = f"{monitor.metric} {monitor.floor:g} over {monitor.window_days:g} days"
        promised.append(Promise("monitor", value))
    return tuple(promised)
