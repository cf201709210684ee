"""A way to a PostgreSQL that fails at a chosen commit, as a database does that is killed in the middle of something."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum

_COMMIT = b"COMMIT"


class Cut(Enum):
    BEFORE = "before"
    """The commit never arrives, so the database forgets the transaction."""
    AFTER = "after"
    """The commit is done, and its answer is lost."""


class FailingDatabase:
    """A proxy in front of a PostgreSQL. Once it has failed it takes no connection until `restart`."""

    def __init__(self, port: int):
        self._database = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._fail_at: tuple[int, Cut] | None = None
        self.commits = 0
        self.failed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def fail(self, nth: int, cut: Cut) -> None:
        """Fail at the nth commit from now on."""
        with self._lock:
            self.commits, self._fail_at = 0, (nth, cut)

    def restart(self) -> None:
        """Take connections again."""
        with self._lock:
            self.failed, self._fail_at = False, None

    def close(self) -> None:
        self._listener.close()
        self._die()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self.failed:
                    client.close()
                    continue
                server = socket.create_connection(self._database)
                for each in (client, server):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open |= {client, server}
            lost = threading.Event()
            threading.Thread(target=self._ask, args=(client, server, lost), daemon=True).start()
            threading.Thread(target=self._answer, args=(client, server, lost), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with self._ending(client, server):
            server.sendall(_message(client, kind=False))  # the first message of a connection has no kind
            while message := _message(client):
                cut = self._cut_of(message)
                if cut is Cut.BEFORE:
                    return self._die()
                if cut is Cut.AFTER:
                    lost.set()
                server.sendall(message)

    def _answer(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with self._ending(client, server):
            while said := server.recv(65536):
                if lost.is_set():  # the database has answered, so the commit is done
                    return self._die()
                client.sendall(said)

    def _cut_of(self, message: bytes) -> Cut | None:
        if message[:1] != b"Q" or not message[5:].startswith(_COMMIT):
            return None
        with self._lock:
            self.commits += 1
            return self._fail_at[1] if self._fail_at and self.commits == self._fail_at[0] else None

    def _die(self) -> None:
        with self._lock:
            self.failed = True
            for each in self._open:
                _hang_up(each)
            self._open.clear()

    @contextmanager
    def _ending(self, client: socket.socket, server: socket.socket) -> Iterator[None]:
        try:
            with suppress(OSError):
                yield
        finally:
            for each in (client, server):
                _hang_up(each)


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _message(connection: socket.socket, *, kind: bool = True) -> bytes:
    """Return the next message of PostgreSQL's protocol; empty at the end."""
    head = _exactly(connection, 5 if kind else 4)
    length = int.from_bytes(head[-4:]) - 4
    return head and head + _exactly(connection, length)


def _exactly(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = connection.recv(count - len(found))
        if not more:
            return b""
        found += more
    return found
