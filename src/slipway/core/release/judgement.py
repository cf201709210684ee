"""A judgement: what the gates say of exactly these files of a version, and whether it still stands.

It is hashed over everything that was judged: the version's files, what was declared, the version in Production that it was
compared with and its files, the rows. An approval is of such a hash: it expires when anything of that changes.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from slipway.core.release.transitions import APPROVAL, UNSEEN, Action, ServedBeside, Transition
from slipway.core.spec import ApprovalGate
from slipway.errors import did_you_mean
from slipway.types import Stage, Verdict

ELIGIBILITY = "standing"
"""What is told beside the gates where no verdict of theirs stands."""
OVERRIDDEN = "overridden"
"""The number of a verdict that a reviewer has overridden."""
_BESIDE_THE_CHAMPION = ("not_worse_than_champion", "slices")


@dataclass(frozen=True)
class Judged:
    """What is judged. champion: the version that is served, see `ServedBeside`, and the digest of its files; None without one.

    spec, rows, newest: SHA-256 of what was declared, of the files of the test rows, of the newest rows' truth (empty without).
    """

    name: str
    version: int
    stage: Stage
    digest: str
    spec: str
    rows: str
    champion: tuple[int, str] | None = None
    newest: str = ""

    @property
    def hash(self) -> str:
        told = [
            self.name,
            self.version,
            self.stage.value,
            self.digest,
            self.spec,
            self.rows,
            self.champion,
            self.newest,
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


@dataclass(frozen=True)
class Eligibility:
    """Whether a version may move to a stage by what is written down of it.

    judgement: the newest of this version and stage, whatever it says. approvals: of that judgement's evidence.
    problems: why the judgement does not stand, whatever it says.
    """

    name: str
    version: int
    stage: Stage
    judgement: Transition | None
    approvals: tuple[Transition, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return all(verdict.passed for verdict in self.verdicts)

    @property
    def missing(self) -> tuple[str, ...]:
        """Why the version may not move there, in words; empty when it may."""
        return (
            *self.problems,
            *(f"{v.gate}: {v.reason}" for v in self.verdicts if not v.passed and v.gate != ELIGIBILITY),
        )

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Those of the judgement, as approvals leave them now, and one for each reason why it does not stand."""
        said = self.judgement.verdicts if self.judgement else ()
        return (*(Verdict(ELIGIBILITY, False, problem) for problem in self.problems), *map(self._now, said))

    def _now(self, verdict: Verdict) -> Verdict:
        if verdict.gate == APPROVAL:
            return approval(int(verdict.numbers["needed"]), self.approvals)
        by = next((transition for transition in self.approvals if verdict.gate in transition.overrides), None)
        if by is None or not overridable(verdict):
            return verdict
        reason = f"overridden by {by.by}, '{by.comment}': {verdict.reason}"
        return Verdict(verdict.gate, True, reason, {**verdict.numbers, OVERRIDDEN: 1.0})


def approval(needed: int, approvals: Sequence[Transition]) -> Verdict:
    """Return the verdict of the approvals of one piece of evidence; each person counts once."""
    people = list(dict.fromkeys(transition.by for transition in approvals))
    passed = len(people) >= needed
    given = f"approved by {', '.join(people)}" if people else "nobody has approved this evidence"
    short = "" if passed else f"; {needed} {'is' if needed == 1 else 'are'} needed, by `slipway approve`"
    return Verdict(APPROVAL, passed, given + short, {"needed": needed, "given": len(people)})


def eligibility(
    name: str, version: int, stage: Stage, digest: str, served: ServedBeside | None, entries: Sequence[Transition]
) -> Eligibility:
    """Return what the ledger's entries say of a version that wants to move to a stage.

    digest: of the version's files as they are registered. served: what it has to be compared with. entries: oldest first; only
    those of this version count.
    """
    ours = [e for e in entries if e.complete and (e.version, e.stage) == (version, stage)]
    judgement = next((e for e in reversed(ours) if e.evidence and e.action is not Action.APPROVE), None)
    if judgement is None:
        nothing = (
            f"no verdict of the gates stands for {stage}; get one with `slipway gates {name} {version} --stage {stage}`"
        )
        return Eligibility(name, version, stage, None, (), (nothing,))
    approvals = tuple(e for e in ours if e.action is Action.APPROVE and e.evidence == judgement.evidence)
    problems = []
    if judgement.digest != digest:
        problems.append("the verdict that stands is of other files than are registered")
    if stage is Stage.PRODUCTION and judgement.replaced != (served.version if served else None):
        problems.append(
            f"the verdict is stale: it compared with {compared_and_now(judgement.replaced, served)}; "
            f"run `slipway gates {name} {version}` again"
        )
    return Eligibility(name, version, stage, judgement, approvals, tuple(problems))


def compared_and_now(compared: int | None, served: ServedBeside | None) -> str:
    """Say with which version something compared, and which it had to be."""
    was = f"version {compared}" if compared else "nothing"
    if served and not served.live:
        return f"{was}, and not with {served}"
    return f"{was} in Production, where {f'version {served.version}' if served else 'nothing'} is now"


def overridable(verdict: Verdict) -> bool:
    """Whether a reviewer may override a verdict: it compares with a champion that knows nearly all of the rows."""
    return not verdict.passed and verdict.gate in _BESIDE_THE_CHAMPION and UNSEEN in verdict.numbers


def failed_gates(found: Eligibility) -> tuple[Verdict, ...]:
    """Return the verdicts of gates that stand in the way, those that are overridden and that on approval left out."""
    return tuple(v for v in found.verdicts if not v.passed and v.gate not in (APPROVAL, ELIGIBILITY))


def may_approve(asked: ApprovalGate, found: Eligibility, author: str, by: str, overrides: Sequence[str] = ()) -> str:
    """Return why somebody may not approve a judgement; empty when they may. overrides: gates that the approval overrides."""
    if found.judgement is None:
        return "; ".join(found.missing)
    if why_not := _may_override(found, overrides):
        return why_not
    left = [verdict for verdict in failed_gates(found) if verdict.gate not in overrides]
    if left:
        names = " ".join(f"--override {verdict.gate}" for verdict in left)
        may = f"; `{names}` approves it all the same, with your reason" if all(map(overridable, left)) else ""
        return "; ".join(f"{verdict.gate}: {verdict.reason}" for verdict in left) + may
    if by == author:
        return f"{by} is the author of version {found.version}: somebody else has to approve it"
    if asked.approvers and by not in asked.approvers:
        return f"{by} is not among those who may approve: {', '.join(asked.approvers)}"
    if by in {transition.by for transition in found.approvals} and not overrides:
        return f"{by} has approved this evidence already"
    return ""


def _may_override(found: Eligibility, overrides: Sequence[str]) -> str:
    verdicts = {verdict.gate: verdict for verdict in found.verdicts}
    for gate in overrides:
        if gate not in verdicts:
            return f"no gate '{gate}' was asked{did_you_mean(gate, verdicts)}"
        if verdicts[gate].passed:
            return f"{gate} passed: there is nothing to override"
        if not overridable(verdicts[gate]):
            return (
                f"{gate} cannot be overridden; a comparison with the version in Production can be, where that one knows "
                "nearly all of the rows"
            )
    return ""
