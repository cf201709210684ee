"""The people of a version: its authors, who may approve and promote it, and whose approval no longer counts."""

from collections.abc import Sequence

from slipway.core.release.judgement import Eligibility
from slipway.core.release.people import Staff, approvers
from slipway.core.release.transitions import Transition
from slipway.core.spec import ApprovalGate
from slipway.registry.versions import Version
from slipway.reports.board import VersionStatus
from slipway.reports.words.next_step import Deciders
from slipway.types import Stage
from slipway.workflows.board.buttons import Position
from slipway.workflows.board.status import transition_into


def deciders_of(
    at: Position,
    version: Version,
    stands: Eligibility,
    asked: ApprovalGate | None,
    status: VersionStatus,
    moves: Sequence[Transition],
    staff: Staff | None = None,
) -> Deciders:
    """Return the people of a version, and the transition that put it into its stage.

    Args:
        at: the place of the version.
        version: the version.
        stands: its eligibility for the stage that the decision is about.
        asked: the declaration of approval; None where it is not known.
        status: the status of the version, with its approvals.
        moves: the newest moves of the model, oldest first.
        staff: the users of the server, each with the role for the model; None where nobody has to log in.
    """
    counts = {each.by for each in stands.approvals}
    expired = [each.by for each in status.approvals if each.expired and each.stage is stands.stage]
    may = approvers(asked, at.authors, staff) if asked else ()
    return Deciders(
        authors=tuple(at.authors),
        approvers=may,
        nobody=asked is not None and not may and (staff is not None or bool(asked.approvers)),
        promoters=at.promoters,
        expired=tuple(name for name in dict.fromkeys(expired) if name not in counts),
        came=transition_into(version, [move for move in moves if move.complete]),
        back=at.back if at.stage is Stage.PRODUCTION and at.back != at.number else None,
    )
