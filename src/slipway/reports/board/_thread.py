"""What people said of a version before its approval, as the version's page shows it."""

from dataclasses import dataclass

from slipway.core.release.transitions import Action, Transition

SAYINGS = (Action.COMMENT, Action.REJECT, Action.REDECLARE)
"""The actions by which people say something of a version in its thread; approvals stand beside it."""


@dataclass(frozen=True)
class Thread:
    """Comments, rejections and redeclarations, oldest first. older: whether there may be more before these."""

    lines: tuple[Transition, ...] = ()
    older: bool = False
