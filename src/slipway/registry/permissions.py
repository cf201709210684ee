"""What may be done to a registered model on a server with users, and the right that each of it takes."""

from enum import StrEnum

from slipway.errors import Refusal


class Right(StrEnum):
    JUDGE = "judge"
    APPROVE = "approve"
    PROMOTE = "promote"


class Operation(StrEnum):
    """What a command or a route does; the value says it in front of the model's name."""

    JUDGE = "run the gates of"
    APPROVE = "approve"
    PROMOTE = "promote"
    ROLLBACK = "roll back"
    ARCHIVE = "archive a version of"
    RECONCILE = "reconcile"

    @property
    def right(self) -> Right:
        return {Operation.JUDGE: Right.JUDGE, Operation.APPROVE: Right.APPROVE}.get(self, Right.PROMOTE)


def not_allowed(who: str, operation: Operation, name: str) -> Refusal:
    """Say what somebody may not do, and what would let them."""
    needed = "EDIT" if operation.right is Right.APPROVE else "MANAGE"
    return Refusal(
        f"{who} may not {operation} {name}: that takes the permission {needed} on the registered model, which an admin grants"
    )
