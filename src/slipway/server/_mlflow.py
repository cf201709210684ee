"""The private names of MLflow that the server needs, under plain names: whoever moves to another MLflow looks here first.

No other module of the server imports them, nor anything else of the modules that they are taken from.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, Request
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.server.handlers import _add_static_prefix as add_static_prefix
from mlflow.server.handlers import _get_model_registry_store as registry_store
from mlflow.server.handlers import _get_request_message as request_message
from mlflow.server.handlers import _get_tracking_store as tracking_store
from mlflow.server.handlers import _model_registry_store_registry as registry_stores
from mlflow.server.handlers import _tracking_store_registry as tracking_stores
from mlflow.store.artifact.artifact_repository_registry import _artifact_repository_registry as artifact_repositories
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

__all__ = [
    "KnownUser", "Validator", "add_static_prefix", "add_validator", "admins", "artifact_repositories", "authenticated_app",
    "check_password", "get_artifact_repository", "is_open_route", "is_prompt", "permission_on", "permission_on_experiment",
    "permissions", "registry_store", "registry_stores", "replace_password_check", "request_message", "roles_of",
    "sender_is_admin", "stored_password", "tracking_store", "tracking_stores", "users_on", "uses_basic_auth",
]  # fmt: skip

Validator = Callable[[], bool]
"""Whether the user of the present request may make it, as MLflow's auth asks before each request."""


def is_prompt(model: RegisteredModel) -> bool:
    """Say whether a registered model is one of MLflow's prompts."""
    return bool(model._is_prompt())


# MLflow's auth reads its configuration and warns when it is imported, so a server without users never imports it.


def sender_is_admin() -> bool:
    """Say whether the user of the present request is an admin."""
    from mlflow.server import auth

    return bool(auth.sender_is_admin())


def admins() -> list[str]:
    """Return the names of the admins."""
    from mlflow.server import auth

    return [user.username for user in auth.store.list_users() if user.is_admin]


def roles_of(user: str) -> list[str]:
    """Return the names of MLflow's roles that a user has."""
    from mlflow.server import auth

    return [role.name for role in auth.store.list_user_roles(auth.store.get_user(user).id)]


def permission_on(model: str) -> Any:
    """Return the permission that the user of the present request has on a registered model."""
    from mlflow.server import auth

    return auth._get_registered_model_permission(model)


def permission_on_experiment(experiment_id: str) -> Any:
    """Return the permission that the user of the present request has on an experiment."""
    from mlflow.server import auth

    return auth._get_experiment_permission(experiment_id, auth.authenticate_request().username)


def permissions() -> Callable[[str], Any]:
    """Return the permission of the user of the present request on any registered model, by one look-up of all grants."""
    from mlflow.server import auth

    user = auth.store.get_user(auth.authenticate_request().username)
    return _by_grants(auth.store.list_grants(user.id, auth.DEFAULT_WORKSPACE_NAME, {"registered_model"}))


@dataclass(frozen=True)
class KnownUser:
    """A user of MLflow's auth, with the names of the user's roles and the permission on one registered model."""

    name: str
    is_admin: bool
    roles: tuple[str, ...]
    permission: Any


def users_on(model: str) -> list[KnownUser]:
    """Return all users with their permissions on a registered model, by one look-up."""
    from mlflow.server import auth

    return [
        KnownUser(
            user.username,
            user.is_admin,
            tuple(role.name for role in roles),
            _by_grants([grant for role in roles for grant in role.permissions])(model),
        )
        for user, roles in auth.store.list_users_with_roles()
    ]


def _by_grants(held: Sequence[Any]) -> Callable[[str], Any]:
    """Return the permission on any registered model that follows from the grants of one user."""
    from mlflow.server import auth

    grants: dict[str, list[Any]] = {}
    for grant in held:
        grants.setdefault(grant.resource_pattern, []).append(grant)
    manages = any(map(auth.is_workspace_admin_grant, held))

    def on(model: str) -> Any:
        of_it = [*grants.get("*", ()), *grants.get(model, ())]
        own = auth.MANAGE if manages else auth.fold_grants_for_key(of_it, auth.GrantLoadKey("registered_model", model))
        return auth._get_role_permission_or_default(lambda: own)

    return on


def add_validator(find: Callable[[Request], Validator | None]) -> None:
    """Let MLflow's auth ask `find` for the validator of a request before it looks among its own."""
    from mlflow.server import auth

    known = auth._find_validator
    auth._find_validator = lambda asked: find(asked) or known(asked)


def replace_password_check(wrap: Callable[[Callable[[str, str], bool]], Callable[[str, str], bool]]) -> None:
    """Let MLflow's store of users verify passwords by what `wrap` makes of the check that it has now."""
    from mlflow.server.auth import sqlalchemy_store

    sqlalchemy_store.check_password_hash = wrap(sqlalchemy_store.check_password_hash)


def authenticated_app(flask_app: Flask) -> Any:
    """Return MLflow's app with its basic auth."""
    from mlflow.server import auth

    return auth.create_app(flask_app)


def check_password(stored: str, password: str) -> bool:
    """Say whether a password is the one of a stored hash, as MLflow's store of users does."""
    from mlflow.server.auth import sqlalchemy_store

    return bool(sqlalchemy_store.check_password_hash(stored, password))


def stored_password(user: str) -> str | None:
    """Return the stored hash of a user's password; None where there is no such user."""
    from mlflow.server import auth

    try:
        return str(auth.store.get_user(user).password_hash)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            raise
        return None


def is_open_route(path: str) -> bool:
    """Say whether MLflow's auth lets everybody ask for a path."""
    from mlflow.server import auth

    return bool(auth.is_unprotected_route(path))


def uses_basic_auth() -> bool:
    """Say whether MLflow's auth asks for user and password, and not a function that its configuration names."""
    from mlflow.server import auth
    from mlflow.server.auth.config import DEFAULT_AUTHORIZATION_FUNCTION

    return bool(auth.auth_config.authorization_function == DEFAULT_AUTHORIZATION_FUNCTION)
