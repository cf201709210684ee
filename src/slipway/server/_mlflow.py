"""The private names of MLflow that the server needs, under plain names: whoever moves to another MLflow looks here first.

No other module of the server imports them, nor anything else of the modules that they are taken from.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from mlflow.entities.model_registry import RegisteredModel
from mlflow.server.handlers import _add_static_prefix as add_static_prefix
from mlflow.server.handlers import _get_model_registry_store as registry_store
from mlflow.server.handlers import _get_request_message as request_message
from mlflow.server.handlers import _get_tracking_store as tracking_store
from mlflow.server.handlers import _model_registry_store_registry as registry_stores
from mlflow.server.handlers import _tracking_store_registry as tracking_stores
from mlflow.store.artifact.artifact_repository_registry import _artifact_repository_registry as artifact_repositories
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

__all__ = [
    "Validator", "add_static_prefix", "add_validator", "artifact_repositories", "authenticated_app",
    "get_artifact_repository", "is_prompt", "permission_on", "permissions", "registry_store", "registry_stores",
    "replace_password_check", "request_message", "sender_is_admin", "tracking_store", "tracking_stores",
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


def permission_on(model: str) -> Any:
    """Return the permission that the user of the present request has on a registered model."""
    from mlflow.server import auth

    return auth._get_registered_model_permission(model)


def permissions() -> Callable[[str], Any]:
    """Return the permission of the user of the present request on any registered model, by one look-up of all grants."""
    from mlflow.server import auth

    user = auth.store.get_user(auth.authenticate_request().username)
    grants: dict[str, list[Any]] = {}
    held = auth.store.list_grants(user.id, auth.DEFAULT_WORKSPACE_NAME, {"registered_model"})
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
