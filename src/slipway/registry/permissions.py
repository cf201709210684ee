"""The operations on a registered model of a server with users, and the right that each operation takes."""

from enum import StrEnum
from typing import NamedTuple

from slipway.errors import Refusal


class Right(StrEnum):
    JUDGE = "judge"
    APPROVE = "approve"
    PROMOTE = "promote"


class Access(NamedTuple):
    """Whether a user may read a registered model, and the rights that the user has on it."""

    read: bool
    may: frozenset[Right]


class Operation(StrEnum):
    """The operation of a command or a route; its value stands in a sentence before the model's name."""

    JUDGE = "run the gates of"
    APPROVE = "approve"
    REJECT = "reject a version of"
    COMMENT = "comment on a version of"
    PROMOTE = "promote"
    ROLLBACK = "roll back"
    ARCHIVE = "archive a version of"
    RECONCILE = "reconcile"

    @property
    def right(self) -> Right:
        if self in (Operation.APPROVE, Operation.REJECT, Operation.COMMENT):
            return Right.APPROVE
        return Right.JUDGE if self is Operation.JUDGE else Right.PROMOTE


def not_allowed(who: str, operation: Operation, name: str) -> Refusal:
    """Return the refusal of an operation, which names the permission that it takes."""
    needed = "EDIT" if operation.right is Right.APPROVE else "MANAGE"
    return Refusal(
        f"{who} may not {operation} {name}: that takes the permission {needed} on the registered model, which an admin grants"
    )
