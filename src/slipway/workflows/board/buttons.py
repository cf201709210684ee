"""Which buttons the board shows to whom, what each does, and why one cannot be pressed now.

Nothing is allowed or forbidden here: the server decides again when a button is pressed. This says beforehand what it will say.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from slipway.core.release.judgement import ELIGIBILITY, Eligibility, failed_gates, may_approve, overridable
from slipway.core.release.transitions import APPROVAL, stays_in_production
from slipway.core.spec import ApprovalGate
from slipway.reports.board import Button, Visitor
from slipway.types import HELD_STAGES, Stage


@dataclass(frozen=True)
class Position:
    """Where a version is among the others. live: the version in Production. back: the one that a rollback returns to."""

    name: str
    number: int
    stage: Stage
    author: str = ""
    live: int | None = None
    back: int | None = None


def buttons(
    at: Position, stands: Mapping[Stage, Eligibility], visitor: Visitor, asked: ApprovalGate | None = None
) -> tuple[Button, ...]:
    """Return the buttons of a version's page, those that the visitor's roles do not have left out.

    stands: before Staging and Production. asked: what the specification says of approval, as far as it is known.
    """
    shown = []
    if "approve" in visitor.may:
        shown.append(_approve(at, stands[Stage.PRODUCTION], visitor, asked or ApprovalGate()))
    if "promote" in visitor.may:
        shown += [_promote(at, stands[stage]) for stage in HELD_STAGES]
        shown += [_roll_back(at), _archive(at)]
    return tuple(shown)


def _approve(at: Position, found: Eligibility, visitor: Visitor, asked: ApprovalGate) -> Button:
    failed = failed_gates(found)
    overrides = tuple(verdict.gate for verdict in failed) if all(map(overridable, failed)) else ()
    if at.stage is Stage.PRODUCTION:
        why = "it is in Production already"
    elif found.judgement is None or (failed and not overrides):
        why = _in_the_way(found)[0]
    else:
        why = may_approve(asked, found, at.author, visitor.name, overrides)
    says = "Your name is written down under exactly this evidence. It expires when the evidence changes."
    label = "Approve for Production"
    if overrides:
        label = f"{label}, overriding {', '.join(overrides)}"
        says += " Too few rows are left that the version in Production does not know, so your reason counts."
    return Button("approve", label, says, Stage.PRODUCTION, (why,) if why else (), overrides)


def _promote(at: Position, found: Eligibility) -> Button:
    stage = found.stage
    if at.stage is stage:
        why: tuple[str, ...] = (f"it is in {stage} already",)
    elif at.stage is Stage.PRODUCTION:
        why = (stays_in_production(at.number),)
    else:
        why = _in_the_way(found)
    says = f"Version {at.number} moves to {stage}; what is there now is archived."
    if stage is Stage.PRODUCTION:
        archived = f" Version {at.live}, which is live, is archived." if at.live else ""
        says = f"Version {at.number} goes live.{archived}"
    return Button("promote", f"Promote to {stage}", says, stage, why)


def _in_the_way(found: Eligibility) -> tuple[str, ...]:
    """Why a version may not move, in short: what each gate says in full stands further down the page."""
    failed = [verdict for verdict in found.verdicts if not verdict.passed]
    gates = [verdict.gate for verdict in failed if verdict.gate not in (APPROVAL, ELIGIBILITY)]
    said_no = [f"{', '.join(gates)} did not pass"] if gates else []
    missing = [
        f"{v.numbers['needed'] - v.numbers['given']:.0f} approval(s) missing" for v in failed if v.gate == APPROVAL
    ]
    return (*said_no, *found.problems, *missing)


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
