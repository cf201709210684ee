"""`slipway user`: the users of a server with auth, and the roles that let them approve or promote."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slipway.settings import Settings
from slipway.tracking.users import EVERY_MODEL, UserRole, add_user, give_role, is_user
from slipway.workflows.session import resolve_tracking_uri


@dataclass(frozen=True)
class User:
    """A user and the role that was given, for one registered model or for all."""

    name: str
    role: UserRole
    model: str
    new: bool

    def as_dict(self) -> dict[str, Any]:
        model = None if self.model == EVERY_MODEL else self.model
        return {"name": self.name, "role": self.role.name.lower(), "model": model, "new": self.new}

    def __str__(self) -> str:
        whose = "all models" if self.model == EVERY_MODEL else self.model
        return f"{self.name} is {'a new user and ' if self.new else ''}now {self.role.name.lower()} of {whose}"


def user(settings: Settings, name: str, role: UserRole, model: str | None, password: Callable[[], str]) -> User:
    """Give a user a role for a registered model; a user that is not there is made first.

    Args:
        settings: the tracking server.
        name: the user.
        role: the role to give.
        model: the registered model; None for all of them.
        password: returns the password of a new user; it is called for a new user only.

    Raises Refusal when the caller is no admin.
    """
    uri = resolve_tracking_uri(settings)
    if new := not is_user(uri, name):
        add_user(uri, name, password())
    give_role(uri, name, role, model or EVERY_MODEL)
    return User(name, role, model or EVERY_MODEL, new)
