"""What people said of a version before its approval, as the version's page shows it."""

from dataclasses import dataclass

from slipway.core.release.transitions import Action, Transition

SAYINGS = (Action.COMMENT, Action.REJECT, Action.APPROVE)
"""The actions by which people say something of a version."""


@dataclass(frozen=True)
class Thread:
    """Comments, rejections and approvals of a version, oldest first. older: whether there may be more before these."""

    lines: tuple[Transition, ...] = ()
    older: bool = False
