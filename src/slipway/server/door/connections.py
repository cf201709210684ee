"""The limits of connections: how many, how long one may take to say what it wants, and how much it may say.

uvicorn waits for a request without end, and takes headers of any length. `mlflow server` is told to use this protocol by
`--uvicorn-opts "--http slipway.server.door.connections:GuardedHttp"`.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from uvicorn.protocols.http.auto import AutoHTTPProtocol

MOST_CONNECTIONS = 600
"""The most open connections: below the 1,024 files that a process may open on most systems."""
MOST_AN_ADDRESS = 300
"""The most of one address. All who come by a proxy have the address of the proxy."""
HEADERS_S = 20.0
MOST_HEADER_BYTES = 64 * 1024
UNREAD_S = 60.0
"""How long an answer may wait to be read; MLflow's bridge to Flask holds the whole answer until then."""
_STATE = "slipway.connections"
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Closed(StrEnum):
    """Why the server closed a connection."""

    FULL = "full"
    REPLACED = "replaced"
    SLOW_HEADERS = "slow_headers"
    LONG_HEADERS = "long_headers"
    UNREAD = "unread"


class Held(Protocol):
    """A connection. waits: whether it waits for no answer. asked: whether it ever did."""

    @property
    def waits(self) -> bool: ...
    @property
    def asked(self) -> bool: ...
    def end(self, reason: Closed) -> None: ...


class Connections:
    """The open connections of one server process, the oldest first.

    Where there are too many, the oldest that has not asked for anything makes room: whoever opens a thousand connections and
    says nothing pushes out his own, and a request that comes later is answered.
    """

    def __init__(self, most: int = MOST_CONNECTIONS, most_an_address: int = MOST_AN_ADDRESS) -> None:
        self.closed: Counter[Closed] = Counter()
        self._most = most
        self._most_an_address = most_an_address
        self._open: dict[Any, str] = {}

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Held, address: str) -> bool:
        """Take a connection in, in place of another one if need be; False when all others are being answered."""
        own = [each for each, its in self._open.items() if its == address]
        if len(own) >= self._most_an_address or len(self._open) >= self._most:
            oldest = _first_to_go(own if len(own) >= self._most_an_address else list(self._open))
            if oldest is None:
                return False
            self.leave(oldest)
            oldest.end(Closed.REPLACED)
        self._open[connection] = address
        return True

    def leave(self, connection: Held) -> None:
        self._open.pop(connection, None)


def _first_to_go(connections: list[Held]) -> Held | None:
    waiting = [each for each in connections if each.waits]
    return next((each for each in waiting if not each.asked), waiting[0] if waiting else None)


def connections_of(scope: Mapping[str, Any]) -> Connections | None:
    """Return the connections of the server process that a request came to; None where uvicorn runs another protocol."""
    found = scope.get("state", {}).get(_STATE)
    return found if isinstance(found, Connections) else None


if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol as _Uvicorns
else:
    _Uvicorns = AutoHTTPProtocol


class GuardedHttp(_Uvicorns):
    """uvicorn's protocol of one connection, which is closed when it says too much or takes too long."""

    headers_s = HEADERS_S
    unread_s = UNREAD_S

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._timer: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._header_bytes = 0
        # uvicorn gives one dictionary to all connections of a process, and a copy of it to each request.
        self._all: Connections = self.app_state.setdefault(_STATE, Connections())
        if self._all.admit(self, self.client[0] if self.client else ""):
            self._wait()
        else:
            self.end(Closed.FULL, _FULL)

    @property
    def waits(self) -> bool:
        # An answer that began before the body was there is a refusal; what is still sent is dropped.
        return self._between or (self.cycle.response_started and self.cycle.more_body)

    @property
    def asked(self) -> bool:
        return self.cycle is not None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._between:
            return self._found()
        if (
            self.cycle is None or not self.cycle.more_body
        ):  # else it is the body of a request that was answered without it
            self._header_bytes += len(data)
        if self._header_bytes > MOST_HEADER_BYTES:
            return self.end(Closed.LONG_HEADERS, _LONG)
        if self._timer is None:
            self._wait()
        return None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(self.unread_s, self.end, Closed.UNREAD)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.leave(self)
        self._found()
        if self._unread is not None:
            self._unread.cancel()
        super().connection_lost(exc)

    def end(self, reason: Closed, last_words: bytes = b"") -> None:
        """Close the connection, whatever it is at."""
        self._found()
        if self.transport.is_closing():
            return
        self._all.closed[reason] += 1
        if last_words:
            self.transport.write(last_words)
            self.transport.close()
        else:
            self.transport.abort()

    @property
    def _between(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.headers_s, self.end, Closed.SLOW_HEADERS)

    def _found(self) -> None:
        self._header_bytes = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
