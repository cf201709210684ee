"""The catalogue of the gates: for each its stages, its section of experiment.yaml, and one sentence.

`slipway check`, the model card and the table of docs/promotion.md are made from this catalogue alone. A new gate is a
function of this package, an entry here, and its row of that table; an optional gate is a field of `slipway.core.spec.Gates`
too, and one that a maturity asks for is in `OF_MATURITY`. A number that is not among the answers is measured in
`slipway.workflows.promotion.measure` and comes in `Measured`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import get_args

from slipway.core.gates._champion import not_worse_than_champion, slices
from slipway.core.gates._evidence import Evidence
from slipway.core.gates._measured import freshness, latency, reproducible, size
from slipway.core.gates._numbers import beats_baseline, calibration, thresholds
from slipway.core.gates._signature import signature
from slipway.core.gates._specified import specified
from slipway.core.release.transitions import APPROVAL, POLICY
from slipway.core.spec import OF_MATURITY, Experiment, Gates, Maturity, Section, name_of
from slipway.core.statistics.metrics import named
from slipway.types import HELD_STAGES, Interval, Stage, Verdict

Gate = Callable[[Evidence, Mapping[str, Interval]], Verdict]
"""A gate: evidence and its paired differences in, a verdict out."""

_LAST = (Stage.PRODUCTION,)


@dataclass(frozen=True)
class GateEntry:
    """One gate of the catalogue.

    Attributes:
        name: the gate's name.
        stages: the stages before which it stands.
        section: the key of experiment.yaml with its demands; naming that key asks for an optional gate.
        sentence: the condition under which it passes.
        judge: the gate itself; None for the approval, which people give.
        optional: whether it stands only when it is named or the maturity asks for it.
    """

    name: str
    stages: tuple[Stage, ...]
    section: str
    sentence: str
    judge: Gate | None
    optional: bool = False

    @property
    def stands(self) -> str:
        """Return the words of the documentation for where the gate stands."""
        if not self.optional:
            return f"before {' and '.join(self.stages)}"
        if self.name not in OF_MATURITY:
            return "named"
        served = " if it is delivered as a service" if self.name == "latency" else ""
        return f"`maturity: production`{served}, or named"


CATALOGUE: tuple[GateEntry, ...] = (
    GateEntry(
        POLICY, HELD_STAGES, "gates",
        "the declaration is held to the model's release policy; without one, no demand is weaker than in Production", None,
    ),
    GateEntry("specified", _LAST, "scope", "goal, owner and a threshold for the search metric are declared", specified),
    GateEntry(
        "thresholds", HELD_STAGES, "gates.thresholds",
        "each declared metric is at least (scores) or at most (errors) its threshold", thresholds,
    ),
    GateEntry(
        "beats_baseline", HELD_STAGES, "gates.beats_baseline",
        "better than every baseline: the whole 95 % interval of the difference is above the margin", beats_baseline,
    ),
    GateEntry(
        "not_worse_than_champion", _LAST, "gates.not_worse_than_champion",
        "the interval of the difference to the version in Production stays above minus the margin; on the newest rows it is "
        "not clearly worse", not_worse_than_champion,
    ),
    GateEntry(
        "signature", _LAST, "data.columns",
        "what callers of the version in Production send is still accepted, and the answer's type stays", signature,
    ),
    GateEntry(
        "calibration", _LAST, "gates.calibration", "the expected calibration error is at most the declared error",
        calibration, optional=True,
    ),
    GateEntry(
        "slices", _LAST, "gates.slices",
        "no slice of evaluation is clearly worse than with the version in Production by more than the margin, nor than worst",
        slices, optional=True,
    ),
    GateEntry(
        "latency", _LAST, "gates.latency",
        "of 500 requests of one row to its own service, 99 % take at most p99_ms, by default that of sla", latency,
        optional=True,
    ),
    GateEntry("size", _LAST, "gates.size", "the model's files are at most so many megabytes", size, optional=True),
    GateEntry(
        "reproducible", _LAST, "gates.reproducible",
        "the winner is fitted again and answers the same, up to the difference; it takes as long as one fit", reproducible,
        optional=True,
    ),
    GateEntry(
        "freshness", _LAST, "gates.freshness", "the newest test row is at most max_age_days old", freshness, optional=True
    ),
    GateEntry(
        APPROVAL, _LAST, "gates.approval",
        "so many people who are not the author approved this evidence; only the approvers, if any are named", None,
        optional=True,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class GateNotice:
    """A gate as it stands for one experiment.

    Attributes:
        name: the gate's name.
        stages: the stages before which it stands here; empty where it does not stand.
        section: the key of experiment.yaml with its demands.
        demand: its condition here, or the reason why it does not stand.
        asked_for: whether it is asked for; True as well for a gate that is asked for and left out with a reason.
    """

    name: str
    stages: tuple[Stage, ...]
    section: str
    demand: str
    asked_for: bool = True


def gates_before(experiment: Experiment, stage: Stage) -> tuple[str, ...]:
    """Return the names of the gates that stand before a stage, `approval` among them; none before None and Archived."""
    return tuple(entry.name for entry in CATALOGUE if stage in entry.stages and _stands(entry, experiment))


def every_gate(experiment: Experiment) -> tuple[GateNotice, ...]:
    """Return a notice of every gate of the catalogue, then of the experiment's own: its demand, or why it does not stand."""
    gates = experiment.gates
    own = (GateNotice(name_of(ref), _LAST, "gates.own", f"your function {ref} says so") for ref in gates.own)
    return (*(_notice(entry, experiment) for entry in CATALOGUE), *own)


def _stands(entry: GateEntry, experiment: Experiment) -> bool:
    if not entry.optional or getattr(experiment.gates, entry.name) is not None:
        return True
    of_maturity = experiment.scope.maturity is Maturity.PRODUCTION and entry.name in OF_MATURITY
    served = entry.name != "latency" or "service" in experiment.delivery
    return of_maturity and served and entry.name not in experiment.gates.without


def _notice(entry: GateEntry, experiment: Experiment) -> GateNotice:
    if _stands(entry, experiment):
        values = _values(entry.name, experiment)
        return GateNotice(entry.name, entry.stages, entry.section, entry.sentence + (f" ({values})" if values else ""))
    why = experiment.gates.without.get(entry.name)
    demand = f"left out: {why}" if why else f"not asked for; {entry.section} asks for it"
    return GateNotice(entry.name, (), entry.section, demand, asked_for=bool(why))


def _values(name: str, experiment: Experiment) -> str:
    """Return words for the numbers that a gate goes by, as declared or by default."""
    gates = experiment.gates
    if name == "thresholds":
        sides = {metric: "at least" if named(metric).greater_is_better else "at most" for metric in gates.thresholds}
        return ", ".join(f"{m} {sides[m]} {bound:g}" for m, bound in gates.thresholds.items()) or "none is declared"
    if name not in Gates.model_fields:
        return ""
    section = getattr(gates, name) or _by_default(name)
    values = {key: value for key, value in section if value not in (None, [])}
    if name == "latency":
        values.setdefault("p99_ms", experiment.sla.p99_ms)
    return ", ".join(f"{key} {_spelled(value)}" for key, value in values.items())


def _by_default(name: str) -> Section:
    """Return the section of a gate that stands without being named: an empty section, with its defaults."""
    (section, _none) = get_args(Gates.model_fields[name].annotation)
    made: Section = section()
    return made


def _spelled(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else ", ".join(value) if isinstance(value, list) else str(value)
