"""The gate `policy`: a declaration is held to the release policy, or to the declaration of the version in Production."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from slipway.core.release.demands import Weakening
from slipway.core.release.judgement import NEEDED, REPLACED, UNMET, WEAKENED
from slipway.core.release.policies import Policies
from slipway.core.release.policy import demands_of, stricter, weakenings
from slipway.core.release.transitions import POLICY, ServedBeside
from slipway.core.spec import ApprovalGate, Experiment, Maturity
from slipway.errors import some_of
from slipway.types import Stage, Verdict

_MOST_SHOWN = 12
_MADE_IT_WEAKER = "made the release policy weaker"


@dataclass(frozen=True)
class Floor:
    """The declaration of the version in Production, or of the version that was there last.

    Attributes:
        served: that version.
        declared: its declaration; None where the declaration cannot be read, or was never kept.
        problem: why the declaration cannot be read; empty where it can, and where it was never kept.
    """

    served: ServedBeside
    declared: Experiment | None = None
    problem: str = ""


@dataclass(frozen=True)
class Rule:
    """The demands on the versions of a model that none of their declarations may undercut.

    Attributes:
        name: the registered model.
        policies: its release policies.
        floor: the declaration in Production; None before the first.
        verified: whether the server knows who its users are.
    """

    name: str
    policies: Policies = field(default_factory=Policies)
    floor: Floor | None = None
    verified: bool = False

    def held(self, declared: Experiment) -> Experiment:
        """Return a declaration held to the policy in force."""
        now = self.policies.in_force
        return stricter(declared, now.policy) if now else declared

    def approval_asked(self, declared: Experiment) -> ApprovalGate:
        """Return who may approve: as the policy says, or the declaration, or the one in Production that it is weaker than."""
        known = self.floor.declared if self.floor else None
        return self.held(declared).gates.approval or (known and demands_of(known).gates.approval) or ApprovalGate()


def authors_of(version: int, made: Iterable[str], policies: Policies) -> Mapping[str, str]:
    """Return the authors of a version and why each is one: none of them may approve it.

    Args:
        version: the version's number.
        made: who made its run, and who registered it.
        policies: the release policies of the model.
    """
    weak = dict.fromkeys(policies.weakened_by, _MADE_IT_WEAKER)
    return weak | {by: f"is the author of version {version}" for by in made if by}


def policy_verdict(rule: Rule, declared: Experiment, version: int, stage: Stage, authors: Mapping[str, str]) -> Verdict:
    """Return the verdict of the gate.

    Args:
        rule: the policy and the declaration in Production.
        declared: the declaration of the version.
        version: the version's number.
        stage: the stage that it would move to.
        authors: the authors of the version.
    """
    held = rule.held(declared)
    now, words, unmet = rule.policies.in_force, list[str](), list[str]()
    others = now is not None and not set(now.people) <= authors.keys()
    replaced = 0
    if now:
        undercut, left = weakenings(declared, now.policy), weakenings(held, now.policy)
        words.append(f"by {now}; {_replaced(undercut, left)}")
        replaced = len(undercut) - len(left)
        unmet += (
            [f"the declaration cannot be held to it: {_listed(left)}; train again with these demands"] if left else []
        )
    if stage is Stage.PRODUCTION and held.scope.maturity is not Maturity.POC and not others:
        told = f"maturity {held.scope.maturity} needs a release policy that somebody else than {_people(authors)}"
        if rule.verified:
            unmet.append(f"{told} set or approved: `slipway policy {rule.name} --set policy.yaml`, or `--approve`")
        elif now is None:
            words.append(f"maturity {held.scope.maturity} needs no policy here, as this server does not verify names")
    weaker: Sequence[Weakening] = ()
    if not others:
        weaker = _below_the_floor(rule.floor, held, words, unmet, first=now is None)
    if weaker:
        words.insert(0, _words_on_floor(rule, weaker, version, stage))
    numbers = {
        WEAKENED: float(len(weaker)),
        REPLACED: float(replaced),
        UNMET: float(len(unmet)),
        NEEDED: float(_needed(rule)),
    }
    return Verdict(POLICY, not weaker and not unmet, "; ".join([*unmet, *words]), numbers)


def _below_the_floor(
    floor: Floor | None, held: Experiment, words: list[str], unmet: list[str], *, first: bool
) -> tuple[Weakening, ...]:
    """Return the demands that are weaker than in Production, and add words where there are none."""
    if floor is None:
        words += ["the first version, and no policy: it goes by its own declaration"] if first else []
        return ()
    if floor.problem:
        unmet.append(f"the declaration of {floor.served} cannot be read ({floor.problem}); set a policy instead")
        return ()
    if floor.declared is None:
        words.append(f"{floor.served} keeps no declaration: this version goes by its own")
        return ()
    weaker = weakenings(held, demands_of(floor.declared))
    if not weaker:
        words.append(f"no demand is weaker than in the declaration of {floor.served}")
    return weaker


def _words_on_floor(rule: Rule, weaker: Sequence[Weakening], version: int, stage: Stage) -> str:
    assert rule.floor is not None  # nothing is weaker than no declaration
    why = "the policy is of nobody but its authors, and " if rule.policies.in_force else ""
    return (
        f"{why}the declaration is weaker than that of {rule.floor.served}: {_listed(weaker)}; train again with these demands, "
        f"or `slipway approve {rule.name} {version} --stage {stage} --override {POLICY}` by somebody who is no author of it"
    )


def _needed(rule: Rule) -> int:
    """Return how many people have to let a weaker declaration through: as many as the one in Production asks for."""
    known = demands_of(rule.floor.declared) if rule.floor and rule.floor.declared else None
    return known.gates.approval.number if known and known.gates.approval else 1


def _replaced(replaced: Sequence[Weakening], left: Sequence[Weakening]) -> str:
    mended = [each for each in replaced if each not in left]
    return (
        f"declared weaker, so its demands count (demanded → declared): {_listed(mended)}"
        if mended
        else "the declaration is not weaker"
    )


def _listed(weaker: Sequence[Weakening]) -> str:
    return some_of(weaker, _MOST_SHOWN)


def _people(authors: Mapping[str, str]) -> str:
    """Return the names of the authors; of one who wrote no part of the version, also why."""
    names = [f"{by} (who {_MADE_IT_WEAKER})" if why == _MADE_IT_WEAKER else by for by, why in authors.items()]
    return " and ".join(names) or "its author"
