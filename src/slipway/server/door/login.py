"""The login before everything else: of a request without user and password nothing but the headers is read."""

import asyncio
import base64
import binascii
import hmac
import logging
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import anyio.to_thread

from slipway.server.door.asgi import App, Receive, Scope, Send, has_body, header, refuse
from slipway.server.door.counts import Counts, Reason
from slipway.server.door.guesses import Guesses

REMEMBERED_S = 60.0
MOST = 1000
AT_ONCE = 2
"""How many passwords are hashed at a time: each takes a core for 50 ms, and 32 MB."""
MOST_WAITING = 100
_GATEWAY_HEADER = b"x-mlflow-authorization"
_PLEASE = (
    "You are not authenticated. Please see https://www.mlflow.org/docs/latest/auth/index.html#authenticating-to-mlflow "
    "on how to authenticate."
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Accounts:
    """How the passwords of users are kept.

    Attributes:
        stored: returns the stored hash of a user's password; None where there is no such user.
        check: whether a password is the one of a stored hash; slow on purpose.
        nobody: the stored hash of a password that nobody knows, compared in place of that of an unknown user.
        is_open: whether everybody may ask for a path.
        gateway: what the paths begin with at which MLflow takes user and password from a header of its own.
    """

    stored: Callable[[str], str | None]
    check: Callable[[str, str], bool]
    nobody: str
    is_open: Callable[[str], bool]
    gateway: str = "/gateway/"


class Login:
    """ASGI middleware that answers 401 before a body is read, and 429 to whoever guesses passwords.

    MLflow's basic auth comes behind it, and asks again: this one is in front because MLflow reads the body first, answers
    unknown users sooner than known ones, and compares passwords as fast as they come.
    An unknown user costs the same hash as a known one. Right passwords are remembered for a while, as a hash.
    """

    def __init__(self, app: App, accounts: Accounts, counts: Counts, guesses: Guesses | None = None) -> None:
        self._app = app
        self._accounts = accounts
        self._counts = counts
        self._guesses = guesses or Guesses()
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, float] = OrderedDict()
        self._compared: dict[bytes, asyncio.Task[bool]] = {}
        self._hashing = anyio.CapacityLimiter(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_for_everybody(scope):
            return await self._app(scope, receive, send)
        named = credentials(scope, self._accounts.gateway)
        if named is None:
            return await self._please(scope, receive, send)
        address = (scope.get("client") or ("", 0))[0]
        if wait_s := self._guesses.wait_s(named[0], address):
            return await self._later(scope, receive, send, wait_s)
        if self._is_remembered(named):
            return await self._app(scope, receive, send)
        if self._hashing.statistics().tasks_waiting >= MOST_WAITING:
            return await self._busy(scope, receive, send)
        if await self._is_right(named, address):
            return await self._app(scope, receive, send)
        return await self._please(scope, receive, send)

    def _is_for_everybody(self, scope: Scope) -> bool:
        # A browser asks without a user whether a page of another origin may ask at all.
        preflight = scope["method"] == "OPTIONS" and header(scope, b"access-control-request-method") is not None
        return (preflight or self._accounts.is_open(scope["path"])) and not has_body(scope)

    def _is_remembered(self, named: tuple[str, str]) -> bool:
        return self._right.get(self._hash(*named), 0.0) > time.monotonic()

    async def _is_right(self, named: tuple[str, str], address: str) -> bool:
        """Compare a password once, however many requests come with it at the same time."""
        asked = self._hash(*named, address)
        if asked not in self._compared:
            self._guesses.begin(named[0], address)
            self._compared[asked] = asyncio.create_task(self._compare(*named, address))
            self._compared[asked].add_done_callback(lambda _: self._compared.pop(asked))
        return await asyncio.shield(self._compared[asked])

    async def _compare(self, user: str, password: str, address: str) -> bool:
        accounts, guesses = self._accounts, self._guesses
        same = False
        try:
            stored = await anyio.to_thread.run_sync(accounts.stored, user, limiter=self._hashing)
            compared = stored or accounts.nobody
            guess = guesses.hash_of(compared, password)
            if guesses.was_wrong(user, address, guess):
                guesses.again(user, address)
                return False
            same = await anyio.to_thread.run_sync(accounts.check, compared, password, limiter=self._hashing)
        except BaseException:  # nothing was found out
            guesses.again(user, address)
            raise
        if same and stored is not None:
            guesses.right(user, address)
            self._remember(self._hash(user, password))
            return True
        self._counts.guessed()
        if wait_s := guesses.wrong(user, address, guess):
            # A name that nobody has may be a password that was typed into the wrong field.
            who = f"the user {user[:100]!a}" if stored is not None else "a user that there is not"
            logger.warning("wrong passwords for %s from %s: the next is compared in %.0f s", who, address, wait_s)
        return False

    def _remember(self, known: bytes) -> None:
        self._right[known] = time.monotonic() + REMEMBERED_S
        self._right.move_to_end(known)
        while len(self._right) > MOST:
            self._right.popitem(last=False)

    def _hash(self, *parts: str) -> bytes:
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")

    async def _please(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._counts.refused(Reason.LOGIN)
        await refuse(scope, receive, send, 401, _PLEASE, more={"www-authenticate": 'Basic realm="mlflow"'})

    async def _later(self, scope: Scope, receive: Receive, send: Send, wait_s: float) -> None:
        self._counts.refused(Reason.THROTTLED)
        seconds = math.ceil(wait_s)
        message = f"too many wrong passwords; the next is compared in {seconds} s"
        more = {"retry-after": str(seconds)}
        await refuse(scope, receive, send, 429, message, code="REQUEST_LIMIT_EXCEEDED", more=more)

    async def _busy(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._counts.refused(Reason.BUSY)
        message = "too many passwords are being compared; ask again in a moment"
        await refuse(scope, receive, send, 503, message, code="TEMPORARILY_UNAVAILABLE", more={"retry-after": "1"})


def credentials(scope: Scope, gateway: str) -> tuple[str, str] | None:
    """Return user and password of a request with basic auth; None for a request without."""
    said = _basic(header(scope, b"authorization"))
    if not scope["path"].startswith(gateway):
        return said
    # There Authorization may be for the provider of a model. Two users at once are none: MLflow might ask the other one.
    beside = _basic(header(scope, _GATEWAY_HEADER))
    return None if said and beside else said or beside


def _basic(said: str | None) -> tuple[str, str] | None:
    scheme, _, encoded = (said or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip()).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon and "\0" not in user else None
