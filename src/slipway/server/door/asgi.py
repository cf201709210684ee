"""The shapes of ASGI, headers, and the answer to a request that is refused before its body is read."""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import anyio

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LINGER_S = 1.0
_LINGER_BYTES = 8 * 1024 * 1024


def header(scope: Scope, name: bytes) -> str | None:
    """Return the value of a header; None where the request does not have it, or has several."""
    values = headers(scope, name)
    return values[0] if len(values) == 1 else None


def headers(scope: Scope, name: bytes) -> list[str]:
    """Return every value of a header."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def has_body(scope: Scope) -> bool:
    """Say whether a body comes after the headers, by what they say."""
    return bool(headers(scope, b"transfer-encoding")) or any(
        length.strip() != "0" for length in headers(scope, b"content-length")
    )


async def refuse(
    scope: Scope,
    receive: Receive,
    send: Send,
    status: int,
    message: str,
    *,
    code: str = "",
    more: Mapping[str, str] | None = None,
    linger: bool = True,
) -> None:
    """Answer a request without reading its body, and close the connection if there is one.

    A client that is still sending would find its connection reset and never see the answer, so what comes in the next
    moment is read and dropped: `LINGER_S` and some megabytes at the most.

    With `code`, MLflow's name of an error, the answer is JSON as MLflow gives; without it plain text. `more` are further
    headers. Without `linger` nothing is waited for.
    """
    text = json.dumps({"error_code": code, "message": message}) if code else message
    kind = "application/json" if code else "text/plain; charset=utf-8"
    body, unread = text.encode(), has_body(scope)
    told = {"content-type": kind, "content-length": str(len(body)), **(more or {})}
    if unread:
        told["connection"] = "close"
    start = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body, "more_body": unread})
    if not unread:
        return
    # A client that waits for "100 Continue" has sent nothing yet, and will not after this answer.
    if linger and header(scope, b"expect") is None:
        with anyio.move_on_after(LINGER_S):
            await _drop(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drop(receive: Receive) -> None:
    came, more = 0, True
    while more and came < _LINGER_BYTES:
        message = await receive()
        came += len(message.get("body", b""))
        more = message.get("more_body", False)
