"""The gates between the stages: evidence in, a verdict with its reason and numbers out.

Which gates stand before a stage is data: what no release can do without, what the experiment's maturity adds, what its
`gates` section names, less what it leaves out with a reason.

poc          thresholds, beats_baseline; before Production also specified, not_worse_than_champion, signature
mvp          the same, and experiment.yaml has to have an owner, a decision, a threshold, a promised latency
production   before Production also slices, latency where it is delivered as a service, approval

`approval` is no gate over evidence: people give it to a verdict that stands; see `slipway.core.judgement`.
"""

from collections.abc import Callable, Mapping

from slipway.core.gates._champion import not_worse_than_champion, slices
from slipway.core.gates._evidence import (
    ENOUGH_ROWS,
    Champion,
    Evidence,
    Fields,
    Latency,
    Measured,
    Newest,
    Reproduced,
    rows_to_compare,
)
from slipway.core.gates._measured import freshness, latency, reproducible, size
from slipway.core.gates._numbers import beats_baseline, calibration, thresholds
from slipway.core.gates._signature import signature
from slipway.core.gates._specified import specified
from slipway.core.movements import APPROVAL
from slipway.core.spec import Experiment, Maturity
from slipway.types import Interval, Stage, Verdict

__all__ = [
    "ENOUGH_ROWS", "GATES", "OPTIONAL", "Champion", "Evidence", "Fields", "Gate", "Latency", "Measured", "Newest",
    "Reproduced", "beats_baseline", "calibration", "freshness", "gates_before", "judge", "latency",
    "not_worse_than_champion", "reproducible", "rows_to_compare", "signature", "size", "slices", "specified", "thresholds",
]  # fmt: skip

Gate = Callable[[Evidence, Mapping[str, Interval]], Verdict]
"""A gate sees the evidence and its paired differences."""

GATES: Mapping[str, Gate] = {
    gate.__name__: gate
    for gate in (
        specified, thresholds, beats_baseline, not_worse_than_champion, signature, calibration, slices, latency, size,
        reproducible, freshness,
    )
}  # fmt: skip
_STAGING = ("thresholds", "beats_baseline")
_PRODUCTION = ("specified", "thresholds", "beats_baseline", "not_worse_than_champion", "signature")
OPTIONAL = ("calibration", "slices", "latency", "size", "reproducible", "freshness", APPROVAL)
"""Gates that stand where the maturity or the experiment's `gates` asks for them."""


def gates_before(experiment: Experiment, stage: Stage) -> tuple[str, ...]:
    """Return the names of the gates that stand before a stage, `approval` among them; none before None and Archived."""
    if stage is Stage.STAGING:
        return _STAGING
    if stage is not Stage.PRODUCTION:
        return ()
    asked = {gate for gate in OPTIONAL if getattr(experiment.gates, gate) is not None}
    if experiment.scope.maturity is Maturity.PRODUCTION:
        asked |= {"slices", APPROVAL} | ({"latency"} if "service" in experiment.delivery else set())
    asked -= experiment.gates.without.keys()
    return (*_PRODUCTION, *(gate for gate in OPTIONAL if gate in asked))


def judge(evidence: Evidence, stage: Stage) -> tuple[Verdict, ...]:
    """Run the gates that stand before a stage, all of them, and return their verdicts; `approval` is not among them.

    The experiment's own gates come after those that are built in, and what is left out is told last.
    """
    names = [name for name in gates_before(evidence.experiment, stage) if name != APPROVAL]
    if not names:
        return ()
    differences = evidence.differences()
    verdicts = [GATES[name](evidence, differences) for name in names]
    if stage is Stage.PRODUCTION:
        verdicts += evidence.measured.own
        verdicts += [Verdict(name, True, f"left out: {why}") for name, why in evidence.experiment.gates.without.items()]
    return tuple(verdicts)
