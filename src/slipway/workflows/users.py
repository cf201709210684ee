"""`slipway user`: who may approve and who may promote, on a server with auth."""

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
    """Make a user, if it is not there, and give it a role for a registered model; None = for all of them.

    password: asked for a new user's. Raises Refusal when the caller is no admin.
    """
    uri = resolve_tracking_uri(settings)
    if new := not is_user(uri, name):
        add_user(uri, name, password())
    give_role(uri, name, role, model or EVERY_MODEL)
    return User(name, role, model or EVERY_MODEL, new)
