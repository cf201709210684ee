"""A connection says what it wants in time and in few words, and makes room for others until then."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn

from slipway.server.door.connections import MOST_HEADER_BYTES, Closed, Connections, GuardedHttp, connections_of

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass(eq=False)
class Held:
    waits: bool = True
    asked: bool = False
    ended: Closed | None = None

    def end(self, reason: Closed) -> None:
        self.ended = reason


def test_the_oldest_that_never_asked_makes_room_then_the_oldest_that_has_its_answer() -> None:
    connections = Connections(most=10, most_an_address=3)
    answered, busy, fresh, more = Held(asked=True), Held(waits=False, asked=True), Held(), [Held() for _ in range(3)]
    assert all(connections.admit(each, "a") for each in (answered, busy, fresh, more[0]))
    assert fresh.ended is Closed.REPLACED and len(connections) == 3
    assert connections.admit(more[1], "a") and more[0].ended is Closed.REPLACED
    more[1].waits = False
    assert connections.admit(more[2], "a") and answered.ended is Closed.REPLACED
    more[2].waits = False
    assert not connections.admit(Held(), "a") and connections.admit(Held(), "b")
    connections.leave(busy)
    assert connections.admit(Held(), "a")


def test_there_is_a_most_of_all_addresses_together() -> None:
    connections = Connections(most=5, most_an_address=3)
    held = [Held() for _ in range(20)]
    assert all(connections.admit(each, f"10.0.0.{i}") for i, each in enumerate(held))
    assert len(connections) == 5 and [each.ended for each in held] == [Closed.REPLACED] * 15 + [None] * 5


class Sent:
    """An app that answers as much as it is told to, and notes the connections that are open."""

    def __init__(self) -> None:
        self.connections: Connections | None = None
        self.long = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.connections = connections_of(scope)
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-length", b"%d" % (len(self.long) or 3))],
            }
        )
        await send({"type": "http.response.body", "body": self.long or b"yes"})


class Impatient(GuardedHttp):
    headers_s = 0.3
    unread_s = 0.3


@dataclass
class Served:
    app: Sent
    port: int

    def connect(self, said: bytes = b"") -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        opened.sendall(said)
        return opened


@pytest.fixture
def served() -> Iterator[Served]:
    app = Sent()
    config = uvicorn.Config(
        app, port=0, http=Impatient, lifespan="off", timeout_keep_alive=1, log_level="critical", ws="none"
    )
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield Served(app, listener.getsockname()[1])
        server.should_exit = True
        thread.join()


def everything(opened: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    came = b""
    with contextlib.suppress(ConnectionResetError):
        while part := opened.recv(65536):
            came += part
    return came


@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", GET + b"GET / HT"], ids=["none", "half", "second"]
)
def test_half_a_request_ends(served: Served, said: bytes) -> None:
    with served.connect(said) as slow:
        assert everything(slow).count(b"200 OK") == said.count(GET)


def test_headers_without_end_end(served: Served) -> None:
    with served.connect(b"GET / HTTP/1.1\r\nHost: x\r\nX: ") as long:
        with contextlib.suppress(ConnectionError):
            long.sendall(b"x" * 2 * MOST_HEADER_BYTES)
        assert b"200 OK" not in everything(long)
    with served.connect(GET) as other:
        assert b"200 OK" in other.recv(1000)
    assert served.app.connections is not None
    assert served.app.connections.closed[Closed.LONG_HEADERS] == 1


def test_an_answer_that_nobody_reads_ends(served: Served) -> None:
    served.app.long = b"x" * 64 * 2**20
    with served.connect(GET) as deaf:
        while served.app.connections is None or not served.app.connections.closed[Closed.UNREAD]:
            threading.Event().wait(0.02)
        assert len(everything(deaf)) < 64 * 2**20


def test_a_thousand_that_say_nothing_leave_room_for_one_who_asks(served: Served) -> None:
    idle = []
    try:
        for _ in range(1000):
            with contextlib.suppress(ConnectionError):
                idle.append(served.connect(b"GET /"))
        with served.connect(GET) as one:
            assert b"200 OK" in one.recv(1000)
        assert served.app.connections is not None and len(served.app.connections) <= 300
    finally:
        for each in idle:
            each.close()
