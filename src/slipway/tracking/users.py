"""Users of a server with MLflow's basic auth, and Slipway's roles, which are permissions of MLflow."""

from enum import StrEnum
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request, verify_rest_response

from slipway.errors import OutsideError, Refusal, UsageError
from slipway.identity import caller_unknown

EVERY_MODEL = "*"
SHORTEST = 12  # characters of a password, as MLflow wants them
_ROLES = "3.0/mlflow/roles"
_WORKSPACE = "default"  # where MLflow keeps the roles of a server without workspaces


class UserRole(StrEnum):
    """The role of a user for a registered model; the value is MLflow's permission on the model."""

    APPROVER = "EDIT"
    PROMOTER = "MANAGE"


def is_user(uri: str, name: str) -> bool:
    """Say whether a server knows a user. Raises UsageError for a server without auth, Refusal when the caller is no admin."""
    return _ask(uri, "GET", "2.0/mlflow/users/get", {"username": name}) is not None


def add_user(uri: str, name: str, password: str) -> None:
    """Make a user. Raises UsageError for a name or password that MLflow does not take."""
    if len(password) < SHORTEST:
        raise UsageError(
            f"the password of {name} has {len(password)} characters; it takes at least {SHORTEST}. Nobody was made"
        )
    _ask(uri, "POST", "2.0/mlflow/users/create", {"username": name, "password": password})


def give_role(uri: str, name: str, role: UserRole, model: str) -> None:
    """Give a user a role for a registered model, or for `EVERY_MODEL`; a second call changes nothing."""
    called = f"{role.name.lower()} of {'all models' if model == EVERY_MODEL else model}"
    made = _ask(uri, "POST", f"{_ROLES}/create", {"workspace": _WORKSPACE, "name": called})
    if made is None:
        listed = _ask(uri, "GET", f"{_ROLES}/list", {"workspace": _WORKSPACE})["roles"]
        id_ = next(role["id"] for role in listed if role["name"] == called)
    else:
        id_ = made["role"]["id"]
        permission = {"resource_type": "registered_model", "resource_pattern": model, "permission": role.value}
        _ask(uri, "POST", f"{_ROLES}/permissions/add", {"role_id": id_, **permission})
    _ask(uri, "POST", f"{_ROLES}/assign", {"username": name, "role_id": id_})


def _ask(uri: str, method: str, path: str, fields: dict[str, Any]) -> Any:
    """Send a request with the credentials of MLflow's settings, and return the answer.

    Returns None when a thing to make is there already, or a thing to get is not there.
    """
    sent: dict[str, Any] = {"params" if method == "GET" else "json": fields}
    answer = http_request(get_default_host_creds(uri), f"/api/{path}", method, **sent)
    if answer.status_code == 401:
        raise caller_unknown()
    if answer.status_code == 403:
        raise Refusal("only an admin makes users: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD to one's")
    try:
        return verify_rest_response(answer, path).json()
    except MlflowException as error:
        if error.error_code in ("RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"):
            return None
        if answer.status_code == 404:
            raise UsageError(f"the server at {uri} knows no users; start it with `slipway up --auth`") from None
        if error.error_code == "INVALID_PARAMETER_VALUE":
            raise UsageError(error.message) from None
        raise OutsideError(f"the server did not do it: {error.message}") from error
