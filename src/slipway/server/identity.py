"""Who asks, and what they may do to a model."""

from collections.abc import Callable
from typing import Protocol
from urllib.parse import unquote

from flask import g, has_request_context, request

from slipway.registry.permissions import Right

USER_HEADER = "X-Slipway-User"
_UNKNOWN, _MOST_CHARACTERS = "unknown", 200


ALL_RIGHTS = frozenset(Right)


class People(Protocol):
    """Who asks in the present request. auth: whether they had to prove it."""

    @property
    def auth(self) -> bool: ...
    def who(self) -> str: ...
    def may(self, model: str) -> frozenset[Right]: ...
    def may_read(self, model: str) -> bool: ...


class Anybody:
    """Without authentication: people are who they say they are, and may do everything that the evidence allows."""

    auth = False

    def who(self) -> str:
        if not has_request_context():
            return _UNKNOWN
        said = unquote(request.headers.get(USER_HEADER, "")) or request.form.get("by", "")
        return "".join(c for c in said if c.isprintable()).strip()[:_MOST_CHARACTERS] or _UNKNOWN

    def may(self, model: str) -> frozenset[Right]:  # noqa: ARG002 - the same for each model
        return ALL_RIGHTS

    def may_read(self, model: str) -> bool:  # noqa: ARG002
        return True


class Users:
    """With MLflow's basic auth: EDIT on a registered model approves, MANAGE judges and promotes; an admin may do all."""

    auth = True

    def __init__(self, is_admin: Callable[[], bool], permission: Callable[[str], "Permission"]) -> None:
        self._is_admin, self._permission = is_admin, permission

    def who(self) -> str:
        return str(g.mlflow_authenticated_user)

    def may(self, model: str) -> frozenset[Right]:
        if self._is_admin():
            return ALL_RIGHTS
        held = self._permission(model)
        return ALL_RIGHTS if held.can_manage else frozenset({Right.APPROVE} if held.can_update else ())

    def may_read(self, model: str) -> bool:
        return self._is_admin() or self._permission(model).can_read


class Permission(Protocol):
    """What MLflow's auth says of one user and one registered model."""

    can_read: bool
    can_update: bool
    can_manage: bool
