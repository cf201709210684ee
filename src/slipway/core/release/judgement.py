"""The judgement of a version: the gates' verdicts on exactly these files, and whether they still stand.

A judgement carries a hash over everything that was judged: the version's files, its declaration, the champion and its files,
the rows. An approval is given to such a hash, so it expires when any of these changes.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from slipway.core.release.transitions import APPROVAL, POLICY, UNSEEN, Action, ServedBeside, Transition
from slipway.core.spec import ApprovalGate
from slipway.errors import did_you_mean
from slipway.types import Stage, Verdict

ELIGIBILITY = "standing"
"""The name of the verdict that says why no judgement counts; it is shown among those of the gates."""
OVERRIDDEN = "overridden"
"""The number of a verdict that a reviewer has overridden."""
WEAKENED, REPLACED, UNMET, NEEDED = "weakened", "replaced", "unmet", "needed"
"""The numbers of a verdict on the policy: how many demands are weaker than in Production, how many weaker ones the policy
replaced, how many things nobody may let through, and how many people have to let the weaker demands through."""
_BY_COMMAND = "by `slipway approve`"
_BESIDE_THE_CHAMPION = ("not_worse_than_champion", "slices")


@dataclass(frozen=True)
class Judged:
    """The things that a judgement is hashed over.

    Attributes:
        name: the registered model.
        version: the version that is judged.
        stage: the stage that it is judged for.
        digest: the digest of its files.
        spec: SHA-256 of the experiment's declaration.
        rows: SHA-256 of the files of the test rows.
        champion: the champion's version, see `ServedBeside`, and the digest of its files; None without one.
        newest: SHA-256 of the newest rows' truth; empty without any.
        policy: SHA-256 of the release policy in force; empty without one.
        declared: the mark of the redeclaration in force; empty without one.
    """

    name: str
    version: int
    stage: Stage
    digest: str
    spec: str
    rows: str
    champion: tuple[int, str] | None = None
    newest: str = ""
    policy: str = ""
    declared: str = ""

    @property
    def hash(self) -> str:
        values = [
            self.name,
            self.version,
            self.stage.value,
            self.digest,
            self.spec,
            self.rows,
            self.champion,
            self.newest,
            *([self.policy] if self.policy else []),  # so that a judgement without one has the hash that it always had
            *([f"declared {self.declared}"] if self.declared else []),
        ]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()


@dataclass(frozen=True)
class Eligibility:
    """Whether a version may move to a stage, by the entries of the ledger.

    Attributes:
        name: the registered model.
        version: the version.
        stage: the stage that it would move to.
        judgement: the newest judgement of this version and stage, passed or not; None without one.
        approvals: the approvals of that judgement's evidence that count: those given after the last rejection of it.
        problems: why the judgement does not count, passed or not, the rejections first; empty when it counts.
        rejections: the rejections of that judgement's evidence that stand; each is among the problems.
        who_may: who may approve now, in words; empty for those of the time of the judgement.
    """

    name: str
    version: int
    stage: Stage
    judgement: Transition | None
    approvals: tuple[Transition, ...] = ()
    problems: tuple[str, ...] = ()
    rejections: tuple[Transition, ...] = ()
    who_may: str = ""

    @property
    def holds(self) -> bool:
        return all(verdict.passed for verdict in self.verdicts)

    @property
    def stale(self) -> tuple[str, ...]:
        """Return the problems without the rejections, which an approval may lift: the gates have to be asked again."""
        return self.problems[len(self.rejections) :]

    @property
    def missing(self) -> tuple[str, ...]:
        """Return why the version may not move there, one sentence a reason; empty when it may."""
        return (
            *self.problems,
            *(f"{v.gate}: {v.reason}" for v in self.verdicts if not v.passed and v.gate != ELIGIBILITY),
        )

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Return the judgement's verdicts as the approvals leave them now, and one verdict for each of the problems."""
        given = self.judgement.verdicts if self.judgement else ()
        return (*(Verdict(ELIGIBILITY, False, problem) for problem in self.problems), *map(self._now, given))

    def _now(self, verdict: Verdict) -> Verdict:
        if verdict.gate == APPROVAL:
            who_may = self.who_may or verdict.reason.partition(f"{_BY_COMMAND}; ")[2]
            return approval(int(verdict.numbers["needed"]), self.approvals, who_may)
        given = {each.by: each for each in reversed(self.approvals) if verdict.gate in each.overrides}
        if not given or not overridable(verdict):
            return verdict
        people = " and ".join(f"{by}, '{each.comment}'" for by, each in reversed(given.items()))
        reason, needed = f"overridden by {people}: {verdict.reason}", int(verdict.numbers.get(NEEDED, 1))
        if len(given) < needed:
            return Verdict(verdict.gate, False, f"{reason}; {needed} people are needed", verdict.numbers)
        return Verdict(verdict.gate, True, reason, {**verdict.numbers, OVERRIDDEN: 1.0})


def approval(needed: int, approvals: Sequence[Transition], who_may: str = "") -> Verdict:
    """Return the verdict of the approvals of one judgement; each person counts once.

    who_may: who may approve, in words, as long as an approval is missing; empty where that is not known.
    """
    people = list(dict.fromkeys(transition.by for transition in approvals))
    passed = len(people) >= needed
    given = f"approved by {', '.join(people)}" if people else "nobody has approved this evidence"
    who = f"; {who_may}" if who_may else ""
    short = "" if passed else f"; {needed} {'is' if needed == 1 else 'are'} needed, {_BY_COMMAND}{who}"
    return Verdict(APPROVAL, passed, given + short, {"needed": needed, "given": len(people)})


def eligibility(
    name: str,
    version: int,
    stage: Stage,
    digest: str,
    served: ServedBeside | None,
    entries: Sequence[Transition],
    policy: str | None = None,
) -> Eligibility:
    """Return the eligibility of a version for a stage, by the ledger's entries.

    Args:
        name: the registered model.
        version: the version.
        stage: the stage that it would move to.
        digest: the registered digest of its files.
        served: the champion that it has to be compared with; None without one.
        entries: entries of the ledger, oldest first; only those of this version and stage count, and its redeclarations.
        policy: the digest of the release policy in force, empty without one; None where it does not count.
    """
    ours = [e for e in entries if e.complete and (e.version, e.stage) == (version, stage)]
    judgement = next((e for e in reversed(ours) if e.evidence and e.action.judges), None)
    if judgement is None:
        nothing = (
            f"the gates were not asked for {stage} yet; ask them with `slipway gates {name} {version} --stage {stage}`"
        )
        return Eligibility(name, version, stage, None, (), (nothing,))
    rejected = {judgement.evidence, *(e.evidence for e in ours if _differs_in_demands_alone(e, judgement))}
    given, rejections = _decisions([e for e in ours if e.action.decides and e.evidence in rejected])
    approvals = tuple(e for e in given if e.evidence == judgement.evidence)
    problems = [f"rejected by {each.by}: '{each.comment}'" for each in rejections]
    if judgement.digest != digest:
        problems.append("the last verdict is of other files than are registered")
    if policy is not None and judgement.policy != policy:
        problems.append(
            f"the verdict is stale: the release policy has changed since; run `slipway gates {name} {version}` again"
        )
    if judgement.declared != redeclared_last(entries, version):
        problems.append(
            f"the verdict is stale: the version was declared again since; run `slipway gates {name} {version}` again"
        )
    if stage is Stage.PRODUCTION and judgement.replaced != (served.version if served else None):
        problems.append(
            f"the verdict is stale: it compared with {compared_and_now(judgement.replaced, served)}; "
            f"run `slipway gates {name} {version}` again"
        )
    return Eligibility(name, version, stage, judgement, approvals, tuple(problems), rejections)


def redeclared_last(entries: Sequence[Transition], version: int) -> str:
    """Return the mark of the newest redeclaration of a version; empty without one. entries: oldest first."""
    of_it = (e for e in reversed(entries) if e.complete and e.version == version and e.action is Action.REDECLARE)
    return next((entry.mark for entry in of_it), "")


def redeclared_by(entries: Iterable[Transition]) -> tuple[str, ...]:
    """Return everybody who declared a version again, each once. entries: those of the version."""
    return tuple(dict.fromkeys(e.by for e in entries if e.complete and e.action is Action.REDECLARE))


def _differs_in_demands_alone(earlier: Transition, judgement: Transition) -> bool:
    """Say whether an earlier judgement is of the same files beside the same champion, by other demands.

    A rejection of it stands: otherwise whoever may set the policy, or declare the version again, lifts the rejection of a
    colleague by changing any demand.
    """
    same = (earlier.digest, earlier.replaced) == (judgement.digest, judgement.replaced)
    other = (earlier.policy, earlier.declared) != (judgement.policy, judgement.declared)
    return earlier.action.judges and bool(earlier.evidence) and same and other


def _decisions(on_it: Sequence[Transition]) -> tuple[tuple[Transition, ...], tuple[Transition, ...]]:
    """Return the approvals that count and the rejections that stand. on_it: the decisions on the same evidence, oldest first.

    A rejection stands until the same person approves. An approval given before a rejection never counts again: the approver
    had not read the reason.
    """
    last_by = {decision.by: decision for decision in on_it}
    rejections = tuple(decision for decision in last_by.values() if decision.action is Action.REJECT)
    after = next((i + 1 for i in reversed(range(len(on_it))) if on_it[i].action is Action.REJECT), 0)
    return tuple(on_it[after:]), rejections


def compared_and_now(compared: int | None, served: ServedBeside | None) -> str:
    """Return words for the champion that a judgement compared with, and the one that it has to compare with now."""
    was = f"version {compared}" if compared else "nothing"
    if served and not served.live:
        return f"{was}, and not with {served}"
    return f"{was} in Production, where {f'version {served.version}' if served else 'nothing'} is now"


def overridable(verdict: Verdict) -> bool:
    """Say whether a reviewer may override a verdict.

    One that failed beside a champion that knows nearly all of the rows may be, and one on a declaration that is weaker than
    that of the version in Production.
    """
    if verdict.gate == POLICY:
        return not verdict.passed and verdict.numbers.get(UNMET) == 0
    return not verdict.passed and verdict.gate in _BESIDE_THE_CHAMPION and UNSEEN in verdict.numbers


def failed_gates(found: Eligibility) -> tuple[Verdict, ...]:
    """Return the verdicts of the gates that failed, without the overridden ones and the one on approval."""
    return tuple(v for v in found.verdicts if not v.passed and v.gate not in (APPROVAL, ELIGIBILITY))


def may_approve(
    asked: ApprovalGate, found: Eligibility, authors: Mapping[str, str], by: str, overrides: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return why a person may not approve a judgement, a sentence a reason; empty when the person may.

    Args:
        asked: the approval that the experiment asks for.
        found: the eligibility with the judgement.
        authors: the authors of the version, each with the reason, such as "is the author of version 3".
        by: the person.
        overrides: the gates that the approval would override.
    """
    if found.judgement is None:
        return found.missing
    if found.stale:  # an approval of evidence that no longer counts would not count either
        return found.stale
    if why_not := _may_override(found, overrides):
        return (why_not,)
    left = [verdict for verdict in failed_gates(found) if verdict.gate not in overrides]
    if left:
        names = " ".join(f"--override {verdict.gate}" for verdict in left)
        may = (f"`{names}` approves it all the same, with your reason",) if all(map(overridable, left)) else ()
        return (*(f"{verdict.gate}: {verdict.reason}" for verdict in left), *may)
    if by in authors:
        return (is_author(by, authors),)
    if asked.approvers and by not in asked.approvers:
        return (f"{by} is not among those who may approve: {', '.join(asked.approvers)}",)
    if by in {transition.by for transition in found.approvals} and not overrides:
        return (f"{by} has approved this evidence already",)
    return ()


def is_author(by: str, authors: Mapping[str, str]) -> str:
    """Return why an author may not approve. Arguments as for `may_approve`."""
    return f"{by} {authors[by]}: somebody else has to approve it"


def may_reject(found: Eligibility, present: Stage, by: str) -> str:
    """Return why a person may not reject a version for a stage; empty when the person may. The author may: it is withdrawn.

    Args:
        found: the eligibility for the stage.
        present: the present stage of the version.
        by: the person.
    """
    if present is found.stage:
        back = "roll back" if present is Stage.PRODUCTION else "archive it"
        return f"it is in {present} already; {back} instead"
    if found.judgement is None:
        comment = f"slipway comment {found.name} {found.version} TEXT"
        return f"nothing was judged for {found.stage} yet; `{comment}` says what you found"
    if any(rejection.by == by for rejection in found.rejections):
        return f"{by} has rejected this evidence already; `slipway comment` adds to it"
    return ""


def _may_override(found: Eligibility, overrides: Sequence[str]) -> str:
    verdicts = {verdict.gate: verdict for verdict in found.verdicts}
    for gate in overrides:
        if gate not in verdicts:
            return f"no gate '{gate}' was run{did_you_mean(gate, verdicts)}"
        if verdicts[gate].passed:
            return f"{gate} passed: there is nothing to override"
        if not overridable(verdicts[gate]):
            return (
                f"{gate} cannot be overridden; a comparison with the version in Production can be, where that one knows "
                "nearly all of the rows, and a declaration that is weaker than the one in Production"
            )
    return ""
