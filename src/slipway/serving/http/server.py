"""The HTTP server of a process: the handler, the limits, the clock and the end that its connections share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Protocol

from slipway.serving.config import ServingConfig
from slipway.serving.http.messages import LARGE_BODY_BYTES, Request, Response

Handle = Callable[[Request], Response | Awaitable[Response]]
"""Decides on a request. A Response that need not be awaited is written before the next byte is read."""

_FRAMING = (b"content-length", b"transfer-encoding")  # by which a request that offered another protocol is read anew
HANDED_ON = frozenset({b"content-type", b"authorization", b"x-api-key", b"x-request-id", b"expect", *_FRAMING})
"""The headers of a request that an HttpServer hands on by default."""


class OpenConnection(Protocol):
    """A connection as its HttpServer holds it. deadline: a time of the HttpServer's clock `now`."""

    deadline: float

    def expire(self) -> None:
        """End the connection, whose time is over."""

    def finish(self) -> None:
        """End the connection after the request under way on it."""


@dataclass
class HttpServer:
    """Holds the connections of a process and the state that they share.

    Attributes:
        handle: Decides on each request.
        config: The limits of requests and connections.
        refused: Called with the status of each request that was refused before it had arrived whole.
        connections: The open connections.
        closing: Whether each connection ends after the request under way on it.
        now: A clock that `tick` moves, exact enough for limits; in seconds.
        date: The header line of the date.
        handed_on: The headers that are handed on; names in small letters.
        large_bytes: The size of all large bodies that arrive or are under way.
        counted_from: The size above which a body is a large one.
    """

    handle: Handle
    config: ServingConfig
    refused: Callable[[int], None]
    connections: set[OpenConnection] = field(default_factory=set)
    closing: bool = False
    now: float = 0.0
    date: bytes = b""
    handed_on: frozenset[bytes] = HANDED_ON
    large_bytes: int = 0
    counted_from: int = field(init=False)

    def __post_init__(self) -> None:
        self.counted_from = min(LARGE_BODY_BYTES, self.config.max_body_bytes)

    def tick(self, now: float) -> None:
        """Set the clock to `now`, and end the connections whose time is over. Call `tick` a few times a second."""
        self.now = now
        self.date = b"date: " + formatdate(usegmt=True).encode() + b"\r\n"
        for connection in [each for each in self.connections if each.deadline < now]:
            connection.expire()

    def close(self) -> None:
        """End the idle connections now, and each other connection after the request under way on it."""
        self.closing = True
        for connection in list(self.connections):
            connection.finish()
