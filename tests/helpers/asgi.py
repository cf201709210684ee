"""Asking an ASGI app without a server: what it was sent, what it read of the body, and what it answered."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
Message = dict[str, Any]


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread: a browser of the same test process has its own loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


@dataclass
class Asked:
    """A request of an ASGI app. read: the bytes of the body that the app took. status: of its answer."""

    scope: Message
    parts: Iterable[bytes] = ()
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    read: int = 0

    async def by(self, app: Callable[..., Any]) -> "Asked":
        parts = iter(self.parts)

        async def receive() -> Message:
            part = next(parts, b"")
            self.read += len(part)
            return {"type": "http.request", "body": part, "more_body": bool(part)}

        await app(self.scope, receive, self._send)
        return self

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message["body"]


def request(
    method: str = "POST", path: str = "/api/2.0/mlflow/runs/create", address: str = "10.0.0.1", **headers: str
) -> Message:
    """The scope of a request, of which nothing but the headers is known; `_` in their names stands for `-`."""
    named = {"host": "127.0.0.1:5000", **{name.replace("_", "-"): value for name, value in headers.items()}}
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    return {"type": "http", "method": method, "path": path, "scheme": "http", "client": (address, 1), "headers": raw}


class Behind:
    """The app behind a door: it reads the whole body and says yes. times: how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        self.times += 1
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"yes", "more_body": False})
