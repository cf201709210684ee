"""Users of a server with MLflow's basic auth, and Slipway's roles, which are permissions of MLflow."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request, verify_rest_response

from slipway.errors import OutsideError, Refusal, UnknownName, UsageError
from slipway.identity import caller_unknown
from slipway.types import UserRole

EVERY_MODEL = "*"
SHORTEST = 12  # characters of a password, as MLflow wants them
GRANTED = {UserRole.READER: "READ", UserRole.APPROVER: "EDIT", UserRole.PROMOTER: "MANAGE"}
"""The permission on a registered model that a role is; an admin needs none, and an author has that of everybody."""
READERS = f"{UserRole.READER} of all models"
"""MLflow's role of the readers, to whom the guarded server refuses every write."""
_MODEL, _EXPERIMENT = "registered_model", "experiment"
_TRAINS = "EDIT"
"""The permission on a model's experiment that a role comes with: to write runs, and neither to delete nor to share it."""
_EXPERIMENTS = "2.0/mlflow/experiments"
_ROLES, _USERS, _GRANTS = "3.0/mlflow/roles", "2.0/mlflow/users", "3.0/mlflow/users/permissions"
_WORKSPACE = "default"  # where MLflow keeps the roles of a server without workspaces
_ADMINS_ONLY = (
    "only an admin sees and changes users: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD to one's"
)
_OWN = "__user_"  # MLflow's role of one user alone begins so: with that role it lets whoever made a thing manage it


@dataclass(frozen=True)
class Grant:
    """A permission of MLflow that a user has by one of MLflow's roles.

    Attributes:
        kind: the kind of thing, such as registered_model or experiment.
        of: the name of the thing; `*` for all of its kind.
        permission: MLflow's word for the permission.
        role: the name of MLflow's role.
        role_id: the number of MLflow's role.
    """

    kind: str
    of: str
    permission: str
    role: str
    role_id: int

    @property
    def own(self) -> bool:
        """Whether MLflow gave it to this user alone, as it does to whoever makes a thing."""
        return self.role.startswith(_OWN)

    @property
    def on_model(self) -> bool:
        return self.kind == _MODEL

    @property
    def authored(self) -> str:
        """The one model that the user was made an author of by it; empty for any other grant."""
        begins = f"{UserRole.AUTHOR} of "
        return self.role.removeprefix(begins) if self.role.startswith(begins) else ""

    def is_of(self, model: str, experiment: str | None) -> bool:
        """Say whether it is a permission on a registered model, or on the experiment that the model is trained in."""
        return self.of == (model if self.on_model else experiment) and self.kind in (_MODEL, _EXPERIMENT)


@dataclass(frozen=True)
class Account:
    """A user of the server, with the permissions that the user has beyond those of everybody."""

    name: str
    is_admin: bool
    grants: tuple[Grant, ...] = ()

    @property
    def is_reader(self) -> bool:
        return any(grant.role == READERS for grant in self.grants)


def is_user(uri: str, name: str) -> bool:
    """Say whether a server knows a user. Raises UsageError for a server without auth, Refusal when the caller is no admin."""
    return _ask(uri, "GET", f"{_USERS}/get", {"username": name}) is not None


def list_accounts(uri: str) -> list[Account]:
    """Return the users by name. Raises as `is_user` does.

    MLflow lets everybody list the users, but shows only an admin the roles of others.
    """
    if not _ask(uri, "GET", f"{_USERS}/current", {})["user"]["is_admin"]:
        raise Refusal(_ADMINS_ONLY)
    listed = _ask(uri, "GET", f"{_USERS}/list", {})["users"]
    return sorted((_account(user) for user in listed), key=lambda account: account.name)


def add_user(uri: str, name: str, password: str) -> None:
    """Make a user. Raises UsageError for a name or password that MLflow does not take."""
    if len(password) < SHORTEST:
        raise UsageError(
            f"the password of {name} has {len(password)} characters; it takes at least {SHORTEST}. Nobody was made"
        )
    _ask(uri, "POST", f"{_USERS}/create", {"username": name, "password": password})


def remove_user(uri: str, name: str) -> None:
    """Remove a user with everything that was granted to the user; runs and versions stay."""
    _ask(uri, "DELETE", f"{_USERS}/delete", {"username": name})


def account_of(uri: str, name: str) -> Account:
    """Return a user. Raises UnknownName for one whom the server does not know."""
    accounts = {account.name: account for account in list_accounts(uri)}
    if name not in accounts:
        raise UnknownName("user", name, accounts)
    return accounts[name]


def experiment_of(uri: str, model: str) -> str | None:
    """Return the id of the experiment that a model is trained in; `*` for `EVERY_MODEL`, None where there is none yet."""
    if model == EVERY_MODEL:
        return EVERY_MODEL
    found = _ask(uri, "GET", f"{_EXPERIMENTS}/get-by-name", {"experiment_name": model})
    return str(found["experiment"]["experiment_id"]) if found else None


def give_role(uri: str, name: str, role: UserRole, model: str) -> bool:
    """Give a user a role for a registered model, or for `EVERY_MODEL`, in place of the one that the user had for it.

    A reader has no other role, and no model or experiment of his own; whoever gets another role is a reader no more. An author
    of all models has no role of MLflow's: everybody is one.

    Returns whether the user may write to the experiment of the model by the role: not before there is one.
    """
    account = account_of(uri, name)
    if role is UserRole.ADMIN:
        take_back(uri, name, [grant for grant in account.grants if grant.role == READERS])
        set_admin(uri, name, True)
        return False
    called = _called(role, model)
    others = {READERS, *(_called(each, model) for each in (UserRole.AUTHOR, *GRANTED))} - {called}
    replaced = [grant for grant in account.grants if role is UserRole.READER or grant.role in others]
    take_back(uri, name, [grant for grant in replaced if grant.role != called])
    allows = [(_MODEL, model, GRANTED[role])] if role in GRANTED else []
    trained_in = None if role is UserRole.READER else experiment_of(uri, model)
    if trained_in and (allows or model != EVERY_MODEL):
        allows.append((_EXPERIMENT, trained_in, _TRAINS))
    if allows:
        _ask(uri, "POST", f"{_ROLES}/assign", {"username": name, "role_id": _role_id(uri, called, allows)})
    return (_EXPERIMENT, trained_in, _TRAINS) in allows


def set_admin(uri: str, name: str, admin: bool) -> None:
    """Make a user an admin, or no admin."""
    _ask(uri, "PATCH", f"{_USERS}/update-admin", {"username": name, "is_admin": admin})


def take_back(uri: str, name: str, grants: Iterable[Grant]) -> None:
    """Take permissions from a user: each role as a whole, and what the user has alone by itself."""
    by_role = {grant if grant.own else grant.role_id: grant for grant in grants}
    for grant in by_role.values():
        if grant.own:
            thing = {"resource_type": grant.kind, "resource_id": grant.of}
            _ask(uri, "POST", f"{_GRANTS}/revoke", {"username": name, **thing})
        else:
            _ask(uri, "DELETE", f"{_ROLES}/unassign", {"username": name, "role_id": grant.role_id})


def _called(role: UserRole, model: str) -> str:
    """Return the name of MLflow's role for a role and a model."""
    return f"{role} of {'all models' if model == EVERY_MODEL else model}"


def _role_id(uri: str, called: str, allows: Iterable[tuple[str, str, str]]) -> int:
    """Return the number of MLflow's role of that name, which is made where it is not there.

    allows: kind and name of each thing with the permission on it. A role that was made before the experiment of its model lacks
    that one, so all of them are added each time; MLflow says of what is there already that it is.
    """
    made = _ask(uri, "POST", f"{_ROLES}/create", {"workspace": _WORKSPACE, "name": called})
    if made is None:
        listed = _ask(uri, "GET", f"{_ROLES}/list", {"workspace": _WORKSPACE})["roles"]
        id_ = int(next(each["id"] for each in listed if each["name"] == called))
    else:
        id_ = int(made["role"]["id"])
    for kind, of, permission in allows:
        thing = {"resource_type": kind, "resource_pattern": of, "permission": permission}
        _ask(uri, "POST", f"{_ROLES}/permissions/add", {"role_id": id_, **thing})
    return id_


def _account(user: Mapping[str, Any]) -> Account:
    grants = tuple(
        Grant(each["resource_type"], each["resource_pattern"], each["permission"], role["name"], int(role["id"]))
        for role in user["roles"]
        for each in role["permissions"]
    )
    return Account(user["username"], bool(user["is_admin"]), grants)


def _ask(uri: str, method: str, path: str, fields: dict[str, Any]) -> Any:
    """Send a request with the credentials of MLflow's settings, and return the answer.

    Returns None when a thing to make is there already, or a thing to get or take away is not there.
    """
    sent: dict[str, Any] = {"params" if method == "GET" else "json": fields}
    answer = http_request(get_default_host_creds(uri), f"/api/{path}", method, **sent)
    if answer.status_code == 401:
        raise caller_unknown()
    if answer.status_code == 403:
        raise Refusal(_refused(answer))
    try:
        return verify_rest_response(answer, path).json()
    except MlflowException as error:
        if error.error_code in ("RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"):
            return None
        if answer.status_code == 404:
            raise UsageError(f"the server at {uri} knows no users; start it with `slipway up --auth`") from None
        if error.error_code in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST"):
            raise UsageError(error.message) from None
        raise OutsideError(f"the server did not do it: {error.message}") from error


def _refused(answer: Any) -> str:
    """Return the reason that a guarded server gave for a refusal; MLflow's own gives none."""
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return _ADMINS_ONLY
