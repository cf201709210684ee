"""The gates between the stages: evidence in, a verdict with its reason and numbers out.

`CATALOGUE` says which gates stand before a stage: those that every release needs, those that the experiment's maturity adds,
and those that its `gates` section names, without those that the section leaves out with a reason.

poc          thresholds, beats_baseline; before Production also specified, not_worse_than_champion, signature
mvp          the same, and experiment.yaml has to have an owner, a decision, a threshold, a promised latency
production   before Production also slices, latency where it is delivered as a service, approval

`approval` does not see the evidence: people give it to a judgement that stands; see `slipway.core.release.judgement`.
"""

from slipway.core.gates._catalogue import CATALOGUE, Gate, GateEntry, GateNotice, every_gate, gates_before
from slipway.core.gates._champion import not_worse_than_champion, slices
from slipway.core.gates._evidence import (
    OWN_METRICS,
    Champion,
    Evidence,
    Fields,
    Latency,
    Measured,
    Newest,
    OwnScores,
    Reproduced,
    rows_to_compare,
)
from slipway.core.gates._measured import freshness, latency, reproducible, size
from slipway.core.gates._numbers import beats_baseline, calibration, thresholds
from slipway.core.gates._signature import signature
from slipway.core.gates._specified import specified
from slipway.types import Stage, Verdict

__all__ = [
    "CATALOGUE", "OWN_METRICS", "Champion", "Evidence", "Fields", "Gate", "GateEntry", "GateNotice", "Latency", "Measured",
    "Newest", "OwnScores", "Reproduced", "beats_baseline", "calibration", "every_gate", "freshness", "gates_before",
    "judge", "latency", "not_worse_than_champion", "reproducible", "rows_to_compare", "signature", "size", "slices",
    "specified", "thresholds",
]  # fmt: skip


def judge(evidence: Evidence, stage: Stage) -> tuple[Verdict, ...]:
    """Run all gates that stand before a stage and return their verdicts; `approval` is not among them.

    The verdicts of the experiment's own gates come after those of the catalogue, and the gates that are left out come last.
    """
    names = gates_before(evidence.experiment, stage)
    if not names:
        return ()
    differences = evidence.differences()
    verdicts = [entry.judge(evidence, differences) for entry in CATALOGUE if entry.judge and entry.name in names]
    if stage is Stage.PRODUCTION:
        verdicts += evidence.measured.own
        verdicts += [Verdict(name, True, f"left out: {why}") for name, why in evidence.experiment.gates.without.items()]
    return tuple(verdicts)
