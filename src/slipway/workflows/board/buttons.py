"""The buttons on the page of a version: which the visitor sees, what each does, and why one cannot be pressed now.

Nothing is allowed or forbidden here. The server decides when a button is pressed; the page shows its answer beforehand.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from slipway.core.release.judgement import ELIGIBILITY, Eligibility, failed_gates, may_approve, may_reject, overridable
from slipway.core.release.transitions import APPROVAL, stays_in_production
from slipway.core.signatures import fit_of_callers
from slipway.core.spec import ApprovalGate
from slipway.registry.versions import Version
from slipway.reports.board import Button, Visitor
from slipway.reports.words.decision import gate_name
from slipway.types import HELD_STAGES, Stage
from slipway.workflows.release.ingredients import VersionRecord


@dataclass(frozen=True)
class Position:
    """The place of a version among the others of its model.

    Attributes:
        name: the registered model.
        number: the version's number.
        stage: the version's stage.
        authors: the authors of the version, none of whom may approve it, each with the reason.
        live: the version in Production; None for none.
        back: the version that a rollback returns to; None for none.
        foreign: whether the version has no digest, so that no gate can judge it and nobody can approve or promote it.
        promoters: the users who may promote, by the release policy; empty for whoever manages the model.
        callers: whether the requests of today's callers fit the version that a rollback returns to, in words; empty where that
            is not known.
        same_as_live: whether the version in Production is the same model, so that a promotion moves nothing for callers.
    """

    name: str
    number: int
    stage: Stage
    authors: Mapping[str, str] = field(default_factory=dict)
    live: int | None = None
    back: int | None = None
    foreign: bool = False
    promoters: tuple[str, ...] = ()
    callers: str = ""
    same_as_live: bool = False


def on_callers(at: Position, versions: Sequence[Version], record_of: Callable[[Version], VersionRecord | None]) -> str:
    """Return whether the requests of today's callers fit the version that comes back; empty where that is not known.

    Args:
        at: the place of the version of the page.
        versions: the versions of the model.
        record_of: returns what is recorded of a version.
    """
    if at.live != at.number or at.back is None:
        return ""
    signatures = {
        each.number: record.signature
        for each in versions
        if each.number in (at.live, at.back) and (record := record_of(each)) and record.signature
    }
    if at.live not in signatures or at.back not in signatures:
        return ""
    return fit_of_callers((at.live, signatures[at.live]), (at.back, signatures[at.back]))


def buttons(
    at: Position, stands: Mapping[Stage, Eligibility], visitor: Visitor, asked: ApprovalGate | None = None
) -> tuple[Button, ...]:
    """Return the buttons of a version's page that the visitor's roles allow, without those that would change nothing.

    Args:
        at: the place of the version.
        stands: the version's eligibility for Staging and for Production.
        visitor: the user who looks at the page.
        asked: the declaration of approval in the experiment; None where it is not known.
    """
    shown = []
    if "approve" in visitor.may and _can_be_approved(at, stands[Stage.PRODUCTION], visitor):
        shown.append(_approve(at, stands[Stage.PRODUCTION], visitor, asked or ApprovalGate()))
    if "approve" in visitor.may and at.stage is not Stage.PRODUCTION and not at.foreign:
        shown.append(_reject(at, stands[Stage.PRODUCTION], visitor))
    if "promote" in visitor.may:
        shown += [
            _promote(at, stands[stage], visitor) for stage in HELD_STAGES if at.stage is not stage and not at.foreign
        ]
        shown += [_roll_back(at)] if _can_go_back(at) else []
        shown += [_archive(at)] if at.stage is not Stage.ARCHIVED else []
    return tuple(shown)


def _can_be_approved(at: Position, stands: Eligibility, visitor: Visitor) -> bool:
    """Say whether an approval would add anything: not in Production, not by somebody who approved this evidence."""
    approved = visitor.name and visitor.name in {transition.by for transition in stands.approvals}
    return not at.foreign and at.stage is not Stage.PRODUCTION and not (approved and not failed_gates(stands))


def _can_go_back(at: Position) -> bool:
    """Say whether a rollback would leave this version, or bring it back; one that concerns others is on their pages."""
    return at.back is not None and (at.live == at.number or (at.live is None and at.back == at.number))


def _approve(at: Position, stands: Eligibility, visitor: Visitor, asked: ApprovalGate) -> Button:
    failed = failed_gates(stands)
    overrides = tuple(verdict.gate for verdict in failed) if all(map(overridable, failed)) else ()
    if stands.judgement is None or (failed and not overrides):
        why = _in_the_way(stands)[:1]
    else:
        why = may_approve(asked, stands, at.authors, visitor.name, overrides)
    says = "Your name is written down under exactly this evidence. It expires when the evidence changes."
    if not any(verdict.gate == APPROVAL for verdict in stands.verdicts) and not stands.rejections and not overrides:
        says += " No approval is asked for here: yours is shown, and changes nothing else."
    label = "Approve for Production"
    if overrides:
        label = f"{label}, overriding {', '.join(map(gate_name, overrides))}"
        says += " Your reason counts in place of what did not pass, and is shown with it from now on."
    return Button("approve", label, says, Stage.PRODUCTION, why, overrides)


def _reject(at: Position, stands: Eligibility, visitor: Visitor) -> Button:
    why = may_reject(stands, at.stage, visitor.name)
    says = "Your reason is written down. This evidence then does not lead to Production, until you approve it yourself."
    return Button("reject", "Reject for Production", says, Stage.PRODUCTION, (why,) if why else ())


def _promote(at: Position, stands: Eligibility, visitor: Visitor) -> Button:
    stage = stands.stage
    if at.stage is Stage.PRODUCTION:
        why: tuple[str, ...] = (stays_in_production(at.number),)
    elif at.promoters and visitor.name and visitor.name not in at.promoters:
        why = (f"the release policy names who may promote: {', '.join(at.promoters)}",)
    else:
        why = _in_the_way(stands)
    says = f"Version {at.number} moves to {stage}; what is there now is archived."
    if stage is Stage.PRODUCTION:
        archived = f" Version {at.live}, which is live, is archived." if at.live else ""
        says = f"Version {at.number} goes live.{archived}"
    sure = ""
    if stage is Stage.PRODUCTION and at.same_as_live and at.live != at.number:
        says = f"Version {at.number} is the same model as version {at.live}, which is live: this moves nothing for callers."
        sure = "Promote it all the same"
    return Button("promote", f"Promote to {stage}", says, stage, why, sure=sure)


def _in_the_way(stands: Eligibility) -> tuple[str, ...]:
    """Say in short why a version may not move; the full reasons of the gates stand further down the page."""
    failed = [verdict for verdict in stands.verdicts if not verdict.passed]
    gates = [gate_name(verdict.gate) for verdict in failed if verdict.gate not in (APPROVAL, ELIGIBILITY)]
    said_no = [f"{', '.join(gates)} did not pass"] if gates else []
    counts = [int(v.numbers["needed"] - v.numbers["given"]) for v in failed if v.gate == APPROVAL]
    missing = [f"{count} approval{'' if count == 1 else 's'} missing" for count in counts]
    return (*said_no, *stands.problems, *missing)


def _roll_back(at: Position) -> Button:
    leaves = f" Version {at.live} is archived." if at.live else ""
    callers = f" {at.callers[:1].upper()}{at.callers[1:]}." if at.callers else ""
    says = f"Version {at.back} goes live again.{leaves} No gate is asked.{callers}"
    return Button("rollback", f"Roll back to version {at.back}", says, Stage.PRODUCTION)


def _archive(at: Position) -> Button:
    says = f"Version {at.number} is put aside. Its files and its record are kept."
    if at.stage is Stage.PRODUCTION:
        says += " Nothing is live then."
    return Button("archive", "Archive", says, Stage.ARCHIVED)
