"""A judgement: what the gates say of exactly these files of a version, and whether it still stands.

It is hashed over everything that was judged: the version's files, what was declared, the version in Production that it was
compared with and its files, the rows. An approval is of such a hash: it expires when anything of that changes.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from slipway.core.movements import APPROVAL, Action, Movement, Served
from slipway.core.spec import ApprovalGate
from slipway.types import Stage, Verdict

STANDING = "standing"
"""What is told beside the gates where no verdict of theirs stands."""


@dataclass(frozen=True)
class Judged:
    """What is judged. champion: the version that is served, see `Served`, and the digest of its files; None without one.

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
class Standing:
    """Whether a version may move to a stage by what is written down of it.

    judgement: the newest of this version and stage, whatever it says. approvals: of that judgement's evidence.
    problems: why the judgement does not stand, whatever it says.
    """

    name: str
    version: int
    stage: Stage
    judgement: Movement | None
    approvals: tuple[Movement, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return all(verdict.passed for verdict in self.verdicts)

    @property
    def missing(self) -> tuple[str, ...]:
        """Why the version may not move there, in words; empty when it may."""
        return (
            *self.problems,
            *(f"{v.gate}: {v.reason}" for v in self.verdicts if not v.passed and v.gate != STANDING),
        )

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Those of the judgement, that on approval as it is now, and one for each reason why it does not stand."""
        said = self.judgement.verdicts if self.judgement else ()
        now = [approval(int(v.numbers["needed"]), self.approvals) if v.gate == APPROVAL else v for v in said]
        return (*(Verdict(STANDING, False, problem) for problem in self.problems), *now)


def approval(needed: int, approvals: Sequence[Movement]) -> Verdict:
    """Return the verdict of the approvals of one piece of evidence; each person counts once."""
    people = list(dict.fromkeys(movement.by for movement in approvals))
    passed = len(people) >= needed
    given = f"approved by {', '.join(people)}" if people else "nobody has approved this evidence"
    short = "" if passed else f"; {needed} {'is' if needed == 1 else 'are'} needed, by `slipway approve`"
    return Verdict(APPROVAL, passed, given + short, {"needed": needed, "given": len(people)})


def standing(
    name: str, version: int, stage: Stage, digest: str, served: Served | None, entries: Sequence[Movement]
) -> Standing:
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
        return Standing(name, version, stage, None, (), (nothing,))
    approvals = tuple(e for e in ours if e.action is Action.APPROVE and e.evidence == judgement.evidence)
    problems = []
    if judgement.digest != digest:
        problems.append("the verdict that stands is of other files than are registered")
    if stage is Stage.PRODUCTION and judgement.replaced != (served.version if served else None):
        problems.append(
            f"the verdict is stale: it compared with {compared_and_now(judgement.replaced, served)}; "
            f"run `slipway gates {name} {version}` again"
        )
    return Standing(name, version, stage, judgement, approvals, tuple(problems))


def compared_and_now(compared: int | None, served: Served | None) -> str:
    """Say with which version something compared, and which it had to be."""
    was = f"version {compared}" if compared else "nothing"
    if served and not served.live:
        return f"{was}, and not with {served}"
    return f"{was} in Production, where {f'version {served.version}' if served else 'nothing'} is now"


def may_approve(asked: ApprovalGate, found: Standing, author: str, by: str) -> str:
    """Return why somebody may not approve a judgement; empty when they may."""
    if found.judgement is None or not found.judgement.passed:
        return "; ".join(found.missing)
    if by == author:
        return f"{by} is the author of version {found.version}: somebody else has to approve it"
    if asked.approvers and by not in asked.approvers:
        return f"{by} is not among those who may approve: {', '.join(asked.approvers)}"
    if by in {movement.by for movement in found.approvals}:
        return f"{by} has approved this evidence already"
    return ""
