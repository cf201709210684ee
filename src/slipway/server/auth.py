"""MLflow's basic auth in front of Slipway's routes, with a memory of the passwords that it verified a moment ago."""

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

from flask import Flask, Request, request

from slipway.server._mlflow import (
    Validator,
    add_validator,
    authenticated_app,
    permission_on,
    permissions,
    replace_password_check,
    sender_is_admin,
)
from slipway.server.identity import Users

REMEMBERED_S = 60.0
MOST = 1000
"""The most passwords that are remembered; the one that was verified longest ago goes first."""
_OURS = "slipway"

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
    """Return MLflow's own users, with the permissions that they have on registered models."""
    return Users(sender_is_admin, permission_on, permissions)


def create_authenticated(flask_app: Flask) -> Any:
    """Return MLflow's app with its basic auth, which lets users to our routes and to no others that it does not know."""
    # MLflow's store reads a user's stored hash for each request and asks this whether the password is its own.
    replace_password_check(Remembering)
    add_validator(_validator)
    return authenticated_app(flask_app)


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
