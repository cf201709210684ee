"""The limit on bodies of requests to Slipway's own routes: MLflow's bridge to Flask would hold each whole body in memory."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import Response

from slipway.registry.evidence.bundle import MOST_BYTES

MOST_FORM_BYTES = 64 * 1024
_OURS = "/api/2.0/slipway/"


class BodyLimit:
    """ASGI middleware that answers 413 as soon as a body is too long, by its Content-Length or by the bytes that arrived."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or _OURS not in scope["path"] or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return await self._app(scope, receive, send)
        headers = dict(scope["headers"])
        most = MOST_BYTES if headers.get(b"content-type", b"").startswith(b"application/zip") else MOST_FORM_BYTES
        length = headers.get(b"content-length", b"0")
        too_long = not length.isdigit() or int(length) > most
        came = 0

        async def counted() -> Any:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise _TooLong
            return message

        if not too_long:
            try:
                return await self._app(scope, counted, send)
            except _TooLong:
                pass
        await _refusal(most)(scope, receive, send)
        return None


class _TooLong(Exception):
    pass


def _refusal(most: int) -> Response:
    body = {
        "error_code": "INVALID_PARAMETER_VALUE",
        "message": f"the body is longer than the {most:,} bytes that are taken",
    }
    return Response(json.dumps(body), 413, media_type="application/json", headers={"Connection": "close"})
