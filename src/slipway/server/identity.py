"""The people who ask the server: their names, and their rights on a registered model."""

from collections.abc import Callable
from typing import Protocol
from urllib.parse import unquote

from flask import g, has_request_context, request

from slipway.registry.permissions import Right

USER_HEADER = "X-Slipway-User"
_UNKNOWN, _MOST_CHARACTERS = "unknown", 200


ALL_RIGHTS = frozenset(Right)


class People(Protocol):
    """The user of the present request.

    auth: whether users have to log in. who: the user's name, which may be a claim. known: the name of a user who logged in.
    """

    @property
    def auth(self) -> bool: ...
    def who(self) -> str: ...
    def known(self) -> str | None: ...
    def may(self, model: str) -> frozenset[Right]: ...
    def may_read(self, model: str) -> bool: ...


class Anybody:
    """People of a server without authentication: each request names its user, who has every right."""

    auth = False

    def who(self) -> str:
        if not has_request_context():
            return _UNKNOWN
        said = unquote(request.headers.get(USER_HEADER, "")) or request.form.get("by", "")
        return "".join(c for c in said if c.isprintable()).strip()[:_MOST_CHARACTERS] or _UNKNOWN

    def known(self) -> str | None:
        return None

    def may(self, model: str) -> frozenset[Right]:  # noqa: ARG002 - the same for each model
        return ALL_RIGHTS

    def may_read(self, model: str) -> bool:  # noqa: ARG002
        return True


class Users:
    """People of a server with MLflow's basic auth.

    EDIT on a registered model lets a user approve; MANAGE lets a user judge and promote too; an admin may do all.
    """

    auth = True

    def __init__(self, is_admin: Callable[[], bool], permission: Callable[[str], "Permission"]) -> None:
        self._is_admin, self._permission = is_admin, permission

    def who(self) -> str:
        return str(g.mlflow_authenticated_user)

    def known(self) -> str | None:
        return self.who() if has_request_context() else None

    def may(self, model: str) -> frozenset[Right]:
        if self._is_admin():
            return ALL_RIGHTS
        held = self._permission(model)
        return ALL_RIGHTS if held.can_manage else frozenset({Right.APPROVE} if held.can_update else ())

    def may_read(self, model: str) -> bool:
        return self._is_admin() or self._permission(model).can_read


class Permission(Protocol):
    """The permission of one user on one registered model, as MLflow's auth returns it."""

    can_read: bool
    can_update: bool
    can_manage: bool
