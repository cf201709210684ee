"""MLflow's basic auth in front of Slipway's routes, with a memory of the passwords that it verified a moment ago."""

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import anyio.to_thread
from flask import Flask, Request, Response, g, request
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED
from werkzeug.security import generate_password_hash

from slipway.server._mlflow import (
    KnownUser,
    Validator,
    add_static_prefix,
    add_validator,
    admins,
    authenticated_app,
    check_password,
    is_open_route,
    permission_on,
    permission_on_experiment,
    permissions,
    replace_password_check,
    roles_of,
    sender_is_admin,
    stored_password,
    users_on,
    uses_basic_auth,
)
from slipway.server.door.asgi import App, Receive, Scope, Send, refuse
from slipway.server.door.login import Accounts
from slipway.server.identity import Users, role_by
from slipway.tracking.users import READERS
from slipway.types import UserRole

REMEMBERED_S = 60.0
MOST = 1000
"""The most passwords that are remembered; the one that was verified longest ago goes first."""
_OURS = "slipway"
_UI = "/static"
# The endpoints of MLflow that only read although their method is not GET, and that by which users change their own password.
_READING = (
    "_search_",
    "_get_latest_",
    "_batch_get_",
    "_calculate_",
    "_query_",
    "_graphql",
    "_create_presigned_download_url",
)
_READS = ("GET", "HEAD", "OPTIONS")
_PASSWORD = "update_user_password"  # noqa: S105 - the name of an endpoint

Check = Callable[[str, str], bool]
"""Whether a password is the one of a stored hash, as werkzeug's `check_password_hash` says: slow on purpose."""


class Remembering:
    """A check that does not repeat what it found right less than `REMEMBERED_S` ago.

    A client that sends a hundred requests is hashed once, not a hundred times. Remembering keeps a hash of the stored hash and
    the password, under a key of this process alone, so neither can be read from its memory. The caller read the stored hash
    just now, so a changed password or a deleted user counts at once; the stored hash is salted, so it belongs to one user.
    Wrong passwords are not remembered: guessing stays slow.
    """

    def __init__(self, check: Check, now: Callable[[], float] = time.monotonic) -> None:
        self._check = check
        self._now = now
        self._key = secrets.token_bytes(32)
        self._lock = Lock()
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def __call__(self, stored: str, password: str) -> bool:
        pair = f"{len(stored)}:{stored}{password}".encode("utf-8", "surrogatepass")
        known = hmac.digest(self._key, pair, "sha256")
        with self._lock:
            if self._until.get(known, 0.0) > self._now():
                return True
        if not self._check(stored, password):  # outside the lock: others need not wait for it
            return False
        with self._lock:
            self._until[known] = self._now() + REMEMBERED_S
            self._until.move_to_end(known)
            while len(self._until) > MOST:
                self._until.popitem(last=False)
        return True


def users() -> Users:
    """Return MLflow's own users, with the permissions that they have on registered models and experiments."""
    return Users(sender_is_admin, permission_on, permissions, permission_on_experiment, _sender_is_reader, _staff)


def accounts() -> Accounts | None:
    """Return how MLflow keeps its users; None where another function than its basic auth asks who they are."""
    if not uses_basic_auth():
        return None
    return Accounts(
        stored=stored_password,
        check=check_password,
        nobody=generate_password_hash(secrets.token_urlsafe()),
        is_open=_is_open,
        gateway=add_static_prefix("/gateway/"),
    )


def _is_open(path: str) -> bool:
    # MLflow's UI is open to everybody, too. A file of it is some megabytes, held for each one who asks and does not read.
    return is_open_route(path) and not path.startswith((_UI, add_static_prefix(_UI)))


def create_authenticated(flask_app: Flask) -> Any:
    """Return MLflow's app with its basic auth, which lets users to our routes and to no others that it does not know."""
    # MLflow's store reads a user's stored hash for each request and asks this whether the password is its own.
    replace_password_check(Remembering)
    add_validator(_validator)
    app = authenticated_app(flask_app)
    flask_app.before_request(_refuse)  # it runs after the hook of MLflow's auth, which was registered first
    return app


class ReadersRead:
    """ASGI middleware that refuses a reader's writes on the routes that MLflow answers in FastAPI, past Flask and `_refuse`.

    On these routes alone MLflow's auth leaves the name of the user in the state of the request.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        who = scope.get("state", {}).get("username") if scope["type"] == "http" else None
        if not who or scope["method"] in _READS or not await anyio.to_thread.run_sync(_is_reader, who):
            return await self._app(scope, receive, send)
        return await refuse(scope, receive, send, 403, _why_reader(who), code="PERMISSION_DENIED")


def _validator(asked: Request) -> Validator | None:
    """Return the condition under which one of our routes is asked at all; None for a route that is not ours.

    The route itself asks for more where it needs more.
    """
    endpoint = asked.endpoint or ""
    if endpoint.partition(".")[0] not in (_OURS, f"{_OURS}_board"):
        return None
    name = (request.view_args or {}).get("name")
    if name is None or "\0" in name:  # the route itself says so
        return lambda: True
    return lambda: bool(permission_on(name).can_read)


def _sender_is_reader() -> bool:
    return _is_reader(g.mlflow_authenticated_user)


def _staff(model: str) -> Mapping[str, UserRole]:
    """Return every user with the role for a registered model, in the order of their names."""
    return {user.name: _role(user) for user in sorted(users_on(model), key=lambda user: user.name)}


def _role(user: KnownUser) -> UserRole:
    if user.is_admin:
        return UserRole.ADMIN
    return UserRole.READER if READERS in user.roles else role_by(user.permission)


def _is_reader(who: str) -> bool:
    return READERS in roles_of(who)


def _why_reader(who: str) -> str:
    return f"{who} is a reader, who changes nothing; an admin gives another role: `slipway user {who} ROLE`"


def _refuse() -> Response | None:
    """Answer a reader who would write, and whoever would take away the last admin, with 403; let all others through.

    MLflow lets everybody who may read make experiments and models, and manage what they made.
    """
    who = g.get("mlflow_authenticated_user")
    if who is None or request.method in _READS:
        return None
    reason, endpoint = None, request.endpoint or ""
    if not endpoint.startswith(_READING) and endpoint != _PASSWORD and _is_reader(who):
        reason = _why_reader(who)
    elif (losing := _loses_admin(endpoint)) and admins() == [losing]:
        reason = f"{losing} is the last admin, who stays; make another one first: `slipway user NAME admin`"
    if reason is None:
        return None
    return Response(MlflowException(reason, PERMISSION_DENIED).serialize_as_json(), 403, mimetype="application/json")


def _loses_admin(endpoint: str) -> str | None:
    """Return the user who would be an admin no more after the present request; None for any other request."""
    if endpoint not in ("delete_user", "update_user_admin"):
        return None
    body = request.get_json(silent=True)
    fields = body if isinstance(body, dict) else request.args
    return None if fields.get("is_admin") else fields.get("username")
