"""The people who ask the server: their names, their roles, and their rights on a registered model."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Protocol
from urllib.parse import unquote

from flask import g, has_request_context, request

from slipway.registry.permissions import Access, Right, rights_of
from slipway.types import UserRole

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
    def owns_experiment(self, id_: str) -> bool: ...
    def role(self, model: str) -> UserRole: ...
    def staff(self, model: str) -> Mapping[str, UserRole]:
        """Return every user of the server with the role for a model; only where users have to log in."""

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

    def known(self) -> str | None:
        return None

    def may(self, model: str) -> frozenset[Right]:  # noqa: ARG002 - the same for each model
        return ALL_RIGHTS

    def may_read(self, model: str) -> bool:  # noqa: ARG002
        return True

    def owns_experiment(self, id_: str) -> bool:  # noqa: ARG002
        return True

    def role(self, model: str) -> UserRole:  # noqa: ARG002
        return UserRole.ADMIN

    def staff(self, model: str) -> Mapping[str, UserRole]:  # noqa: ARG002
        return {}

    def access(self) -> Callable[[str], Access]:
        return lambda _: Access(True, ALL_RIGHTS)


class Users:
    """People of a server with MLflow's basic auth.

    A user's role for a registered model follows from MLflow's permission on the model, see `slipway.registry.permissions`.
    """

    auth = True

    def __init__(
        self,
        is_admin: Callable[[], bool],
        permission: Callable[[str], "Permission"],
        permissions: Callable[[], Callable[[str], "Permission"]],
        on_experiment: Callable[[str], "Permission"],
        is_reader: Callable[[], bool] = lambda: False,
        staff: Callable[[str], Mapping[str, UserRole]] = lambda _: {},
    ) -> None:
        """Take from MLflow's auth who asks.

        Args:
            is_admin: whether the user of the present request is an admin.
            permission: the user's permission on a registered model.
            permissions: the same for any model, all of it looked up at once.
            on_experiment: the user's permission on an experiment.
            is_reader: whether the user may only read.
            staff: every user with the role for a registered model.
        """
        self._is_admin = is_admin
        self._permission = permission
        self._permissions = permissions
        self._on_experiment = on_experiment
        self._is_reader = is_reader
        self._staff = staff

    def who(self) -> str:
        return str(g.mlflow_authenticated_user)

    def known(self) -> str | None:
        return self.who() if has_request_context() else None

    def may(self, model: str) -> frozenset[Right]:
        return rights_of(self.role(model))

    def may_read(self, model: str) -> bool:
        return self._is_admin() or self._permission(model).can_read

    def owns_experiment(self, id_: str) -> bool:
        return self._is_admin() or self._on_experiment(id_).can_manage

    def role(self, model: str) -> UserRole:
        if self._is_admin():
            return UserRole.ADMIN
        return UserRole.READER if self._is_reader() else role_by(self._permission(model))

    def staff(self, model: str) -> Mapping[str, UserRole]:
        return self._staff(model)

    def access(self) -> Callable[[str], Access]:
        if self._is_admin():
            return lambda _: Access(True, ALL_RIGHTS)
        permission, reader = self._permissions(), self._is_reader()

        @cache
        def access(model: str) -> Access:
            held = permission(model)
            return Access(held.can_read, rights_of(UserRole.READER if reader else role_by(held)))

        return access


class Permission(Protocol):
    """The permission of one user on one registered model or experiment, as MLflow's auth returns it."""

    can_read: bool
    can_update: bool
    can_manage: bool


def role_by(held: Permission) -> UserRole:
    """Return the role of a user who is neither an admin nor a reader, by MLflow's permission on a registered model."""
    if held.can_manage:
        return UserRole.PROMOTER
    return UserRole.APPROVER if held.can_update else UserRole.AUTHOR
