"""The people who ask the server: their names, and their rights on a registered model."""

from collections.abc import Callable
from functools import cache
from typing import Protocol
from urllib.parse import unquote

from flask import g, has_request_context, request

from slipway.registry.permissions import Access, Right

USER_HEADER = "X-Slipway-User"
_UNKNOWN, _MOST_CHARACTERS = "unknown", 200


ALL_RIGHTS = frozenset(Right)


class People(Protocol):
    """The user of the present request. auth: whether users have to log in."""

    @property
    def auth(self) -> bool: ...
    def who(self) -> str: ...
    def may(self, model: str) -> frozenset[Right]: ...
    def may_read(self, model: str) -> bool: ...
    def access(self) -> Callable[[str], Access]:
        """Return the user's access to any model by its name, all of it looked up at once."""


class Anybody:
    """People of a server without authentication: each request names its user, who has every right."""

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

    def access(self) -> Callable[[str], Access]:
        return lambda _: Access(True, ALL_RIGHTS)


class Users:
    """People of a server with MLflow's basic auth.

    EDIT on a registered model lets a user approve; MANAGE lets a user judge and promote too; an admin may do all.
    """

    auth = True

    def __init__(
        self,
        is_admin: Callable[[], bool],
        permission: Callable[[str], "Permission"],
        permissions: Callable[[], Callable[[str], "Permission"]],
    ) -> None:
        self._is_admin = is_admin
        self._permission = permission
        self._permissions = permissions

    def who(self) -> str:
        return str(g.mlflow_authenticated_user)

    def may(self, model: str) -> frozenset[Right]:
        if self._is_admin():
            return ALL_RIGHTS
        return _rights(self._permission(model))

    def may_read(self, model: str) -> bool:
        return self._is_admin() or self._permission(model).can_read

    def access(self) -> Callable[[str], Access]:
        if self._is_admin():
            return lambda _: Access(True, ALL_RIGHTS)
        permission = self._permissions()

        @cache
        def access(model: str) -> Access:
            held = permission(model)
            return Access(held.can_read, _rights(held))

        return access


class Permission(Protocol):
    """The permission of one user on one registered model, as MLflow's auth returns it."""

    can_read: bool
    can_update: bool
    can_manage: bool


def _rights(held: Permission) -> frozenset[Right]:
    return ALL_RIGHTS if held.can_manage else frozenset({Right.APPROVE} if held.can_update else ())
