"""The release policy of a registered model: what a declaration demands, and a declaration held to a policy.

A declaration is written by the author of a version. A policy belongs to the model, and is set by those who manage the model.
"""

from typing import Any

from slipway.core.release.demands import BOUNDS, Weakening, higher, loosened, stricter_score, weaker
from slipway.core.spec import (
    ApprovalGate,
    Evaluation,
    Experiment,
    Gates,
    LatencyGate,
    Margin,
    Maturity,
    ReleasePolicy,
    Section,
    SlicesGate,
    name_of,
)


def weakenings(declared: Experiment, floor: ReleasePolicy) -> tuple[Weakening, ...]:
    """Return each demand of a policy, or of another declaration, that a declaration undercuts."""
    return weaker(demands_of(declared), _whole(floor))


def weakened(now: ReleasePolicy, was: ReleasePolicy) -> tuple[Weakening, ...]:
    """Return each demand of a policy that its successor weakens, the rules on people among them."""
    return (*weaker(_whole(now), _whole(was)), *loosened(now, was))


def stricter(experiment: Experiment, policy: ReleasePolicy) -> Experiment:
    """Return a declaration with the stricter one of its own demands and those of a policy, as far as it can be held to them.

    A declaration cannot be held to a metric of another task, to columns that its data lacks, nor to another split or baseline,
    by which its test rows were made: `weakenings` of the result names these.
    """
    floor, task = _whole(policy), experiment.task
    metric = floor.metric if floor.metric in task.traits.metrics else experiment.search.metric
    evaluation = _evaluation(experiment, floor)
    scope = experiment.scope.model_copy(update={"maturity": higher(experiment.scope.maturity, floor.maturity)})
    merged = experiment.model_copy(
        update={
            "scope": scope,
            "search": experiment.search.model_copy(update={"metric": metric}),
            "evaluation": evaluation,
        }
    )
    return merged.model_copy(update={"gates": _gates(merged, floor)})


def demands_of(experiment: Experiment) -> ReleasePolicy:
    """Return all that a declaration demands: the gates of its maturity too, each with the numbers that it goes by."""
    gates = _with_gates_of_maturity(experiment.gates, experiment.scope.maturity)
    found: dict[str, Any] = {}
    if not experiment.evaluation.columns:
        found["slices"] = None
    asked = gates.latency or (_latency_of_maturity(experiment) if "latency" not in gates.without else None)
    bound = (asked.p99_ms if asked else None) or experiment.sla.p99_ms
    found["latency"] = LatencyGate(p99_ms=bound) if asked and bound else None
    method = experiment.split.method
    return ReleasePolicy(
        maturity=experiment.scope.maturity,
        metric=experiment.search.metric,
        own_metrics=list(experiment.search.metrics),
        split=None if method == "random" else method,
        baseline=experiment.baseline,
        evaluation=experiment.evaluation,
        gates=gates.model_copy(update=found),
    )


def _with_gates_of_maturity(gates: Gates, maturity: Maturity) -> Gates:
    """Return gates with a section for each gate that stands without being named; latency depends on the delivery."""
    standing: dict[str, Any] = {
        "beats_baseline": gates.beats_baseline or Margin(),
        "not_worse_than_champion": gates.not_worse_than_champion or Margin(),
    }
    if maturity is Maturity.PRODUCTION:
        made: dict[str, Section] = {"slices": SlicesGate(), "approval": ApprovalGate()}
        standing |= {name: getattr(gates, name) or made[name] for name in made if name not in gates.without}
    return gates.model_copy(update=standing)


def _whole(policy: ReleasePolicy) -> ReleasePolicy:
    return policy.model_copy(update={"gates": _with_gates_of_maturity(policy.gates, policy.maturity)})


def _evaluation(experiment: Experiment, floor: ReleasePolicy) -> Evaluation:
    whole = {experiment.data.target, experiment.data.id}
    there = [column for column in experiment.data.columns if column not in whole]
    merged = {}
    for key in ("slices", "sensitive"):
        asked = (*getattr(experiment.evaluation, key), *getattr(floor.evaluation, key))
        merged[key] = [column for column in dict.fromkeys(asked) if column in there]
    return Evaluation(**merged)


def _gates(experiment: Experiment, floor: ReleasePolicy) -> Gates:
    """Return the merged gates of a declaration whose scope, metric and evaluation are merged already."""
    ours, theirs = experiment.gates, floor.gates
    merged: dict[str, Any] = {"thresholds": _thresholds(experiment, floor), "own": _own(ours.own, theirs.own)}
    for gate in dict.fromkeys(bound.gate for bound in BOUNDS):
        section = getattr(theirs, gate)
        if section is not None and _can_be_judged(gate, section, experiment):
            merged[gate] = _section(gate, experiment, section)
    left = {name: why for name, why in ours.without.items() if name not in merged and not _not_left_out(floor, name)}
    return ours.model_copy(update={**merged, "without": left})


def _section(gate: str, experiment: Experiment, floor: Section) -> Section:
    """Return the stricter one of two sections of a gate, field by field."""
    ours = getattr(demands_of(experiment).gates, gate)
    if ours is None:
        promised = experiment.sla.p99_ms if isinstance(floor, LatencyGate) and floor.p99_ms is None else None
        return floor.model_copy(update={"p99_ms": promised}) if promised else floor
    fields: dict[str, Any] = {}
    for bound in (each for each in BOUNDS if each.gate == gate):
        numbers = [n for n in (getattr(ours, bound.field), getattr(floor, bound.field)) if n is not None]
        fields[bound.field] = bound.stricter(numbers[0], numbers[-1]) if numbers else None
    if isinstance(floor, SlicesGate):
        values = [n for n in (ours.worst, floor.worst) if n is not None]
        fields["worst"] = stricter_score(experiment.search.metric)(values[0], values[-1]) if values else None
    if isinstance(floor, ApprovalGate):
        fields["approvers"] = floor.approvers or ours.approvers
    merged: Section = ours.model_copy(update=fields)
    return merged


def _can_be_judged(gate: str, section: Section, experiment: Experiment) -> bool:
    if gate == "slices":
        return bool(experiment.evaluation.columns)
    if isinstance(section, LatencyGate):
        return bool(section.p99_ms or experiment.sla.p99_ms)
    return gate != "freshness" or bool(experiment.data.time)


def _thresholds(experiment: Experiment, floor: ReleasePolicy) -> dict[str, float]:
    merged = dict(experiment.gates.thresholds)
    for metric, bound in floor.gates.thresholds.items():
        if metric in experiment.task.traits.metrics or metric in experiment.search.metrics:
            merged[metric] = stricter_score(metric)(merged.get(metric, bound), bound)
    return merged


def _own(ours: list[str], theirs: list[str]) -> list[str]:
    """Return the own gates of both; of two functions of one name, that of the policy, so that no verdict takes its place."""
    taken = {name_of(ref) for ref in theirs}
    return [*theirs, *(ref for ref in ours if name_of(ref) not in taken)]


def _not_left_out(policy: ReleasePolicy, gate: str) -> bool:
    """Say whether a version may not leave a gate of OF_MATURITY out."""
    named = getattr(policy.gates, gate) is not None
    return named or (policy.maturity is Maturity.PRODUCTION and gate not in policy.gates.without)


def _latency_of_maturity(experiment: Experiment) -> LatencyGate | None:
    served = experiment.scope.maturity is Maturity.PRODUCTION and "service" in experiment.delivery
    return LatencyGate() if served else None
