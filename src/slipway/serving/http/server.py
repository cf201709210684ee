"""What all connections of a process have in common: who decides, the limits, the clock, and the end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Protocol

from slipway.serving.config import ServingConfig
from slipway.serving.http.messages import LARGE_BODY_BYTES, Request, Response

Handle = Callable[[Request], Response | Awaitable[Response]]
"""Decides. What is not awaited is written before the next byte is read."""

_FRAMING = (b"content-length", b"transfer-encoding")  # by which a request that offered another protocol is read anew
KEPT = frozenset({b"content-type", b"authorization", b"x-api-key", b"x-request-id", b"expect", *_FRAMING})
"""Headers that are handed on."""


class OpenConnection(Protocol):
    """A connection as its HttpServer holds it. deadline: of the server's clock `now`."""

    deadline: float

    def expire(self) -> None:
        """End the connection, whose time is over."""

    def finish(self) -> None:
        """End the connection after the request under way on it."""


@dataclass
class HttpServer:
    """What the connections of a process share.

    now: a clock that `tick` moves, exact enough for limits. kept: headers that are handed on.
    large_bytes: of the large bodies that arrive or are under way. counted_from: above which size a body is a large one.
    """

    handle: Handle
    config: ServingConfig
    refused: Callable[[int], None]
    connections: set[OpenConnection] = field(default_factory=set)
    closing: bool = False
    now: float = 0.0
    date: bytes = b""
    kept: frozenset[bytes] = KEPT
    large_bytes: int = 0
    counted_from: int = field(init=False)

    def __post_init__(self) -> None:
        self.counted_from = min(LARGE_BODY_BYTES, self.config.max_body_bytes)

    def tick(self, now: float) -> None:
        """Take the time, and end the connections whose time is over. To be called about twice a second."""
        self.now = now
        self.date = b"date: " + formatdate(usegmt=True).encode() + b"\r\n"
        for connection in [each for each in self.connections if each.deadline < now]:
            connection.expire()

    def close(self) -> None:
        """Let each connection end after what is under way on it; those that are idle, now."""
        self.closing = True
        for connection in list(self.connections):
            connection.finish()
