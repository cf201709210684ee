"""Slipway's routes behind MLflow's basic auth."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request, request
from mlflow.server import auth
from mlflow.server.auth import sqlalchemy_store

from slipway.server.identity import Users
from slipway.server.passwords import Remembering

_OURS = "slipway"


def users() -> Users:
    """Return the people of MLflow's own users, with the permissions that these have on registered models."""
    return Users(auth.sender_is_admin, auth._get_registered_model_permission)


def create_authenticated(flask_app: Flask) -> Any:
    """Return MLflow's app with its basic auth, which lets users to our routes and to no others that it does not know."""
    # MLflow's store reads a user's stored hash for each request and asks this whether the password is its own.
    sqlalchemy_store.check_password_hash = Remembering(sqlalchemy_store.check_password_hash)
    known = auth._find_validator
    auth._find_validator = lambda asked: _validator(asked) or known(asked)
    return auth.create_app(flask_app)


def _validator(asked: Request) -> Callable[[], bool] | None:
    """What has to hold before one of our routes is asked: the route itself asks for more where more is needed."""
    endpoint = asked.endpoint or ""
    if endpoint.partition(".")[0] not in (_OURS, f"{_OURS}_board"):
        return None
    name = (request.view_args or {}).get("name")
    unknown = name is None or "\0" in name  # the route itself says so
    return lambda: unknown or auth._get_registered_model_permission(name).can_read
