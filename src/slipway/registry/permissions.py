"""The operations on a registered model of a server with users, the right that each takes, and the roles that have it.

ABILITIES is the one table of roles: the board shows it, docs/team.md repeats it, and a test asks a real server about each line.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from slipway.errors import Refusal
from slipway.types import UserRole


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
    POLICY = "set the release policy of"
    REDECLARE = "declare a version again of"

    @property
    def right(self) -> Right:
        if self in (Operation.APPROVE, Operation.REJECT, Operation.COMMENT, Operation.REDECLARE):
            return Right.APPROVE
        return Right.JUDGE if self is Operation.JUDGE else Right.PROMOTE


def not_allowed(who: str, operation: Operation, name: str) -> Refusal:
    """Return the refusal of an operation, which names the permission that it takes."""
    role, needed = (UserRole.APPROVER, "EDIT") if operation.right is Right.APPROVE else (UserRole.PROMOTER, "MANAGE")
    return Refusal(
        f"{who} may not {operation} {name}: that takes the permission {needed} on the registered model (the role {role}), "
        f"which an admin grants: `slipway user {who} {role} --model {name}`"
    )


@dataclass(frozen=True)
class Ability:
    """A thing that people do on a server with users.

    Attributes:
        words: the thing, as it stands after "may".
        least: the first of the roles, in their order, that may do it; each later role may do it too.
        but: the exception to it; empty for none.
        right: the right of a registered model that it takes; None for none.
    """

    words: str
    least: UserRole
    but: str = ""
    right: Right | None = None

    def of(self, role: UserRole) -> bool:
        """Say whether a role has the ability."""
        return _RANK[role] >= _RANK[self.least]


_RANK = {role: rank for rank, role in enumerate(UserRole)}
ABILITIES = {
    "read": Ability("read runs, versions, ledgers and this board", UserRole.READER),
    "train": Ability(
        "train, and register a model under a new name",
        UserRole.AUTHOR,
        "whoever registers a name first is a promoter of that model",
    ),
    "train_together": Ability(
        "train the experiment of a model that somebody else began",
        UserRole.APPROVER,
        "also who is made an author of that very model",
    ),
    "register": Ability("register a version of a model that is there", UserRole.APPROVER),
    "approve": Ability(
        "approve a version",
        UserRole.APPROVER,
        "not a version of one's own, nor where the gate names others",
        Right.APPROVE,
    ),
    "say": Ability("reject a version, or comment on it", UserRole.APPROVER, "one's own, too", Right.APPROVE),
    "redeclare": Ability(
        "declare again what is decided about a release",
        UserRole.APPROVER,
        "whoever does approves that version no more",
        Right.APPROVE,
    ),
    "judge": Ability("run the gates of a version", UserRole.PROMOTER, right=Right.JUDGE),
    "promote": Ability(
        "promote, roll back, archive and reconcile",
        UserRole.PROMOTER,
        "only a version that passed its gates",
        Right.PROMOTE,
    ),
    "policy": Ability(
        "set the release policy",
        UserRole.PROMOTER,
        "where it asks for approvals, others give them, or an admin in their place",
    ),
    "users": Ability("make and remove users, and give roles", UserRole.ADMIN, "the last admin stays"),
}
"""The abilities by a word for each, from the one that everybody has to the one of admins alone."""

PERMISSIONS: Mapping[UserRole, str] = {
    UserRole.READER: "READ, and no writing",
    UserRole.AUTHOR: "READ, as everybody has; of one model, EDIT on its experiment",
    UserRole.APPROVER: "EDIT on the model and on its experiment",
    UserRole.PROMOTER: "MANAGE on the model, EDIT on its experiment",
    UserRole.ADMIN: "admin",
}
"""The roles in MLflow's words."""


def rights_of(role: UserRole) -> frozenset[Right]:
    """Return the rights on a registered model that a role has."""
    return frozenset(ability.right for ability in ABILITIES.values() if ability.right and ability.of(role))
