"""The listening socket of an endpoint, and how connections are accepted from it."""

import asyncio
import errno
import socket
from collections.abc import Callable

from slipway.errors import ServiceFailed, UsageError

_BACKLOG = 1024


def listen(host: str, port: int) -> socket.socket:
    """Listen on a port of a host, or on any free port for 0.

    Raises ServiceFailed when the port is taken, UsageError when this user cannot listen on that host or port at all.
    """
    if not host:  # which would be every address of this machine
        raise UsageError("--host is empty; name an address, such as 127.0.0.1, or 0.0.0.0 to answer other machines")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named: CPython's servers do not know a socket handed on with protocol 0 as TCP, leave TCP_NODELAY
    # off, and each answer on a kept connection waits 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted sockets inherit the option
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ServiceFailed(
                f"port {port} is taken on {host}; name another with --port, or 0 for any that is free"
            ) from None
        if isinstance(error, PermissionError):
            raise UsageError(f"this user may not listen on port {port}; name one from 1024 up with --port") from error
        raise UsageError(f"'{host}' is not an address of this machine: {error.strerror}") from error
    return listener


_YIELD_S = 0.001
_FULL_S = 0.1


class Acceptor:
    """Accepts connections on a socket that other processes share, and sets TCP_NODELAY on each connection.

    A listening socket does not always hand that option down; without it answers on a kept connection wait 40 ms for a delayed
    acknowledgement.

    Args:
        listener: The socket that listens.
        protocol: Makes the protocol of each connection.
        lighter: Says whether another process has fewer connections; that process gets a moment to accept first.
    """

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        lighter: Callable[[], bool],
    ):
        self._listener, self._protocol, self._lighter = listener, protocol, lighter
        self._loop = asyncio.get_running_loop()
        self._under_way: set[asyncio.Task[object]] = set()
        self._open = True
        self._yielded = False
        listener.setblocking(False)
        self._watch()

    def close(self) -> None:
        """Accept the connections that wait already, and no more. The socket stays open for the other processes."""
        self._open = False
        self._loop.remove_reader(self._listener.fileno())
        while self._accept_one():
            pass

    def _watch(self) -> None:
        if self._open:
            self._loop.add_reader(self._listener.fileno(), self._accept)

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self._listener.fileno())
        self._loop.call_later(seconds, self._watch)

    def _accept(self) -> None:
        if not self._yielded and self._lighter():
            self._yielded = True
            self._pause(_YIELD_S)
            return
        self._yielded = False
        self._accept_one()

    def _accept_one(self) -> bool:
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return False
        except OSError:  # no more files: another process may have some, or connections end
            self._pause(_FULL_S)
            return False
        connection.setblocking(False)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task: asyncio.Task[object] = self._loop.create_task(self._take(connection))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return True

    async def _take(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol, connection)
        except OSError:  # the caller has gone already
            connection.close()
