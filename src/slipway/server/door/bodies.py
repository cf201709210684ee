"""The limits of bodies, in length and in time: MLflow's bridge to Flask holds a whole body in memory, as long as it takes."""

import asyncio
import time
from typing import Any

from slipway.registry.evidence.bundle import MOST_BYTES
from slipway.server.door.asgi import App, Receive, Scope, Send, header, headers, refuse
from slipway.server.door.counts import Counts, Reason

MOST_FORM_BYTES = 64 * 1024
MOST_JSON_BYTES = 16 * 1024 * 1024
"""The longest body for MLflow's routes: a file that its UI sends has at most 10 MB there, a batch of metrics 1 MB."""
PATIENCE_S = 60.0
"""How long the server waits for a body in all, beside a second for each `SLOWEST_BYTES` that came."""
SLOWEST_BYTES = 4096
_OURS = "/api/2.0/slipway/"
# The routes that MLflow answers in FastAPI: they write a body to the store as it comes, and hold no more than a part of it.
_STREAMED = ("/api/2.0/mlflow-artifacts/artifacts/", "/ajax-api/2.0/mlflow-artifacts/artifacts/")


class BodyLimit:
    """ASGI middleware that ends a body that is too long (413) or too slow (408), as soon as that is known."""

    def __init__(self, app: App, counts: Counts, patience_s: float = PATIENCE_S) -> None:
        self._app = app
        self._counts = counts
        self._patience_s = patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        most = most_bytes(scope)
        body = _Body(receive, send, most, self._patience_s)
        try:
            body.require_short(scope)
            await self._app(scope, body.receive, body.send)
        except Exception:  # the app may wrap what the body raised, or make an answer of it
            if body.ended is None or body.answered:
                raise
        if body.ended is None:
            return None
        self._counts.refused(body.ended)
        return None if body.answered else await _refuse(scope, receive, send, body.ended, most)


def most_bytes(scope: Scope) -> int | None:
    """Return how long the body of a request may be; None for an upload of any length, which is never held as a whole."""
    if scope["method"] == "PUT" and scope["path"].startswith(_STREAMED):
        return None
    if _OURS not in scope["path"]:
        return MOST_JSON_BYTES
    return MOST_BYTES if (header(scope, b"content-type") or "").startswith("application/zip") else MOST_FORM_BYTES


class _Body:
    """The body of one request as the app receives it, and its answer.

    ended: why the body was ended. answered: whether the app began to answer before that.
    """

    def __init__(self, receive: Receive, send: Send, most: int | None, patience_s: float) -> None:
        self.ended: Reason | None = None
        self.answered = False
        self._receive = receive
        self._send = send
        self._most = most
        self._left_s = patience_s
        self._came = 0
        self._whole = False

    def require_short(self, scope: Scope) -> None:
        """Raise what is raised for a long body, by what its headers say."""
        for length in headers(scope, b"content-length"):
            if self._most is not None and (not length.isdigit() or int(length) > self._most):
                raise self._end(Reason.TOO_LONG)

    async def receive(self) -> Any:
        if self._whole:  # what comes now is the end of the connection, whenever that is
            return await self._receive()
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._left_s):
                message = await self._receive()
        except TimeoutError:
            raise self._end(Reason.TOO_SLOW) from None
        size = len(message.get("body", b""))
        self._left_s += size / SLOWEST_BYTES - (time.monotonic() - began)
        self._came += size
        self._whole = not message.get("more_body", False)
        if self._most is not None and self._came > self._most:
            raise self._end(Reason.TOO_LONG)
        return message

    async def send(self, message: Any) -> None:
        if self.ended is not None and not self.answered:
            return  # the answer that the app makes of the end of the body
        self.answered = True
        await self._send(message)

    def _end(self, reason: Reason) -> Exception:
        self.ended = self.ended or reason
        return _Ended(reason.value)


class _Ended(Exception):
    pass


async def _refuse(scope: Scope, receive: Receive, send: Send, reason: Reason, most: int | None) -> None:
    if reason is Reason.TOO_SLOW:
        return await refuse(scope, receive, send, 408, "the body came too slowly", code=_CODE, linger=False)
    message = f"the body is longer than the {most:,} bytes that are taken"
    return await refuse(scope, receive, send, 413, message, code=_CODE)


_CODE = "INVALID_PARAMETER_VALUE"
