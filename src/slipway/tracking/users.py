"""Users of a server with MLflow's basic auth, and the roles that Slipway speaks of, which are MLflow's own permissions."""

from enum import StrEnum
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request, verify_rest_response

from slipway.errors import OutsideError, Refusal, UsageError

EVERY_MODEL = "*"
_WORKSPACE = "default"  # where MLflow keeps the roles of a server without workspaces


class Role(StrEnum):
    """What somebody is to a registered model; the value is MLflow's permission on it."""

    APPROVER = "EDIT"
    PROMOTER = "MANAGE"


def add_user(uri: str, name: str, password: str) -> bool:
    """Make a user, and say whether it was not there before; the password of one that is there stays.

    Raises UsageError for a name or password that MLflow does not take, Refusal when the caller is no admin.
    """
    return _ask(uri, "2.0/mlflow/users/create", {"username": name, "password": password}) is not None


def give_role(uri: str, name: str, role: Role, model: str) -> None:
    """Give a user a role for a registered model, or for `EVERY_MODEL`; to give it twice does nothing more."""
    called = f"{role.name.lower()} of {'all models' if model == EVERY_MODEL else model}"
    made = _ask(uri, "3.0/mlflow/roles/create", {"workspace": _WORKSPACE, "name": called})
    if made is not None:
        id_ = made["role"]["id"]
        permission = {"resource_type": "registered_model", "resource_pattern": model, "permission": role.value}
        _ask(uri, "3.0/mlflow/roles/permissions/add", {"role_id": id_, **permission})
    else:
        id_ = next(r["id"] for r in _roles(uri) if r["name"] == called)
    _ask(uri, "3.0/mlflow/roles/assign", {"username": name, "role_id": id_})


def _roles(uri: str) -> Any:
    creds = get_default_host_creds(uri)
    answer = http_request(creds, "/api/3.0/mlflow/roles/list", "GET", params={"workspace": _WORKSPACE})
    return verify_rest_response(answer, "roles/list").json()["roles"]


def _ask(uri: str, path: str, told: dict[str, Any]) -> Any:
    """Ask the server, with the credentials of MLflow's settings; None when what was to be made is there already."""
    answer = http_request(get_default_host_creds(uri), f"/api/{path}", "POST", json=told)
    if answer.status_code == 404:
        raise UsageError(f"the server at {uri} knows no users; start it with `slipway up --auth`")
    if answer.status_code in (401, 403):
        raise Refusal("only an admin makes users: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD to one's")
    try:
        return verify_rest_response(answer, path).json()
    except MlflowException as error:
        if error.error_code == "RESOURCE_ALREADY_EXISTS":
            return None
        if error.error_code in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"):
            raise UsageError(error.message) from None
        raise OutsideError(f"the server did not do it: {error.message}") from error
