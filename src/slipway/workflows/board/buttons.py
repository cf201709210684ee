"""The buttons on the page of a version: which the visitor sees, what each does, and why one cannot be pressed now.

Nothing is allowed or forbidden here. The server decides when a button is pressed; the page shows its answer beforehand.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from slipway.core.release.judgement import ELIGIBILITY, Eligibility, failed_gates, may_approve, may_reject, overridable
from slipway.core.release.transitions import APPROVAL, stays_in_production
from slipway.core.spec import ApprovalGate
from slipway.reports.board import Button, Visitor
from slipway.types import HELD_STAGES, Stage


@dataclass(frozen=True)
class Position:
    """The place of a version among the others of its model.

    Attributes:
        name: the registered model.
        number: the version's number.
        stage: the version's stage.
        author: the user who trained the version; empty where that is not known.
        live: the version in Production; None for none.
        back: the version that a rollback returns to; None for none.
    """

    name: str
    number: int
    stage: Stage
    author: str = ""
    live: int | None = None
    back: int | None = None


def buttons(
    at: Position, stands: Mapping[Stage, Eligibility], visitor: Visitor, asked: ApprovalGate | None = None
) -> tuple[Button, ...]:
    """Return the buttons of a version's page that the visitor's roles allow.

    Args:
        at: the place of the version.
        stands: the version's eligibility for Staging and for Production.
        visitor: the user who looks at the page.
        asked: the declaration of approval in the experiment; None where it is not known.
    """
    shown = []
    if "approve" in visitor.may:
        shown.append(_approve(at, stands[Stage.PRODUCTION], visitor, asked or ApprovalGate()))
        shown.append(_reject(at, stands[Stage.PRODUCTION], visitor))
    if "promote" in visitor.may:
        shown += [_promote(at, stands[stage]) for stage in HELD_STAGES]
        shown += [_roll_back(at), _archive(at)]
    return tuple(shown)


def _approve(at: Position, stands: Eligibility, visitor: Visitor, asked: ApprovalGate) -> Button:
    failed = failed_gates(stands)
    overrides = tuple(verdict.gate for verdict in failed) if all(map(overridable, failed)) else ()
    if at.stage is Stage.PRODUCTION:
        why = "it is in Production already"
    elif stands.judgement is None or (failed and not overrides):
        why = _in_the_way(stands)[0]
    else:
        why = may_approve(asked, stands, at.author, visitor.name, overrides)
    says = "Your name is written down under exactly this evidence. It expires when the evidence changes."
    label = "Approve for Production"
    if overrides:
        label = f"{label}, overriding {', '.join(overrides)}"
        says += " Too few rows are left that the version in Production does not know, so your reason counts."
    return Button("approve", label, says, Stage.PRODUCTION, (why,) if why else (), overrides)


def _reject(at: Position, stands: Eligibility, visitor: Visitor) -> Button:
    why = may_reject(stands, at.stage, visitor.name)
    says = "Your reason is written down. This evidence then does not lead to Production, until you approve it yourself."
    return Button("reject", "Reject for Production", says, Stage.PRODUCTION, (why,) if why else ())


def _promote(at: Position, stands: Eligibility) -> Button:
    stage = stands.stage
    if at.stage is stage:
        why: tuple[str, ...] = (f"it is in {stage} already",)
    elif at.stage is Stage.PRODUCTION:
        why = (stays_in_production(at.number),)
    else:
        why = _in_the_way(stands)
    says = f"Version {at.number} moves to {stage}; what is there now is archived."
    if stage is Stage.PRODUCTION:
        archived = f" Version {at.live}, which is live, is archived." if at.live else ""
        says = f"Version {at.number} goes live.{archived}"
    return Button("promote", f"Promote to {stage}", says, stage, why)


def _in_the_way(stands: Eligibility) -> tuple[str, ...]:
    """Say in short why a version may not move; the full reasons of the gates stand further down the page."""
    failed = [verdict for verdict in stands.verdicts if not verdict.passed]
    gates = [verdict.gate for verdict in failed if verdict.gate not in (APPROVAL, ELIGIBILITY)]
    said_no = [f"{', '.join(gates)} did not pass"] if gates else []
    missing = [
        f"{v.numbers['needed'] - v.numbers['given']:.0f} approval(s) missing" for v in failed if v.gate == APPROVAL
    ]
    return (*said_no, *stands.problems, *missing)


def _roll_back(at: Position) -> Button:
    why: tuple[str, ...] = ()
    if at.live is not None and at.live != at.number:
        why = (f"version {at.live} is live: roll back from its page",)
    elif at.back is None:
        why = ("no version was in Production before",)
    elif at.live is None and at.back != at.number:
        why = (f"nothing is live; a rollback brings back version {at.back}",)
    label = f"Roll back to version {at.back}" if at.back and not why else "Roll back"
    leaves = f" Version {at.live} is archived." if at.live else ""
    return Button(
        "rollback", label, f"Version {at.back} goes live again.{leaves} No gate is asked.", Stage.PRODUCTION, why
    )


def _archive(at: Position) -> Button:
    why = ("it is archived already",) if at.stage is Stage.ARCHIVED else ()
    says = f"Version {at.number} is put aside. Its files and its record are kept."
    if at.stage is Stage.PRODUCTION:
        says += " Nothing is live then."
    return Button("archive", "Archive", says, Stage.ARCHIVED, why)
