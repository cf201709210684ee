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
        promised.append(Promise("sla.p99_ms", f"{sla.p99_ms:g}", _latency(experiment)))
    if sla.availability is not None:
        promised.append(Promise("sla.availability", f"{sla.availability:g}"))
    if sla.report is not None:
        promised.append(Promise("sla.report", sla.report))
    if monitor is not None:
        value = f"{monitor.metric} {monitor.floor:g} over {monitor.window_days:g} days"
        promised.append(Promise("monitor", value))
    return tuple(promised)


def _latency(experiment: Experiment) -> str:
    """Return how the promised latency is measured: the gate may be left out, or go by a number of its own."""
    gates, promised = experiment.gates, experiment.sla.p99_ms
    if "latency" in gates.without:
        return "not measured; gates.without leaves the gate latency out"
    if "latency" not in gates_before(experiment, Stage.PRODUCTION):
        return "not measured; gates.latency asks for it"
    own = gates.latency.p99_ms if gates.latency else None
    return "measured by the gate latency" + (f", which allows {own:g}" if own not in (None, promised) else "")
