"""The steps between a version and Production as a declaration has them, in the order of the stages, each with what to do."""

from dataclasses import dataclass, replace

from slipway.core.gates import GateNotice, every_gate
from slipway.core.release.policy_gate import Rule, policy_verdict
from slipway.core.release.transitions import APPROVAL, POLICY
from slipway.core.spec import Duty, Experiment, undeclared
from slipway.types import HELD_STAGES, Stage

SPECIFIED = "specified"
_UNKNOWN = (
    "no server answers here, so its release policy is not known; check again with --tracking-uri, or after `slipway up`"
)


@dataclass(frozen=True)
class ReleaseStep:
    """One gate that stands before a stage.

    Attributes:
        gate: the gate, as it stands for the experiment held to the release policy.
        todo: what to do before the gate is asked; empty where the answers of the model decide.
    """

    gate: GateNotice
    todo: tuple[str, ...] = ()

    def __str__(self) -> str:
        stages = " and ".join(self.gate.stages)
        done = "".join(f"\n                → {each}" for each in self.todo)
        return f"{self.gate.name} (before {stages}): {self.gate.demand}{done}"


def release_steps(experiment: Experiment, version: int, by: str, rule: Rule | None) -> tuple[ReleaseStep, ...]:
    """Return the steps of the next version: those before Staging first.

    Args:
        experiment: the declaration.
        version: the number that the next version will have.
        by: the author of that version.
        rule: the demands of the model's server; None where no server answers.
    """
    held = rule.held(experiment) if rule else experiment
    standing = [gate for gate in every_gate(held) if gate.stages]
    steps = [ReleaseStep(gate, _todo(gate.name, experiment, held, version, by, rule)) for gate in standing]
    if rule:
        steps = [_by_policy(step, experiment, version, by, rule) for step in steps]
    return tuple(sorted(steps, key=lambda step: HELD_STAGES.index(step.gate.stages[0])))


def _by_policy(step: ReleaseStep, experiment: Experiment, version: int, by: str, rule: Rule) -> ReleaseStep:
    if step.gate.name != POLICY:
        return step
    verdict = policy_verdict(rule, experiment, version, Stage.PRODUCTION, {by: "is its author"})
    return (
        ReleaseStep(replace(step.gate, demand=verdict.reason))
        if verdict.passed
        else replace(step, todo=(verdict.reason,))
    )


def _todo(
    name: str, experiment: Experiment, held: Experiment, version: int, by: str, rule: Rule | None
) -> tuple[str, ...]:
    if name == POLICY:
        return () if rule else (_UNKNOWN,)
    if name == SPECIFIED:
        return tuple(map(_declare, undeclared(held)))
    if name == APPROVAL:
        asked = rule.approval_asked(experiment) if rule else held.gates.approval
        who = ", ".join(asked.approvers) if asked and asked.approvers else f"anybody but {by}, the author"
        number = asked.number if asked else 1
        return (f"{number} of {who}: `slipway approve {experiment.name} {version}`, after `slipway gates`",)
    return ()


def _declare(duty: Duty) -> str:
    return f"declare {duty}, before the training"
