"""The socket that all fronts of an endpoint accept from."""

import errno
import socket

from slipway.errors import ServiceFailed, UsageError

_BACKLOG = 1024


def listen(host: str, port: int) -> socket.socket:
    """Listen on this very port, or on any free one for 0.

    Raises ServiceFailed when the port is taken, UsageError when this user cannot listen on that host or port at all.
    """
    if not host:  # which would be every address of this machine
        raise UsageError("--host is empty; name an address, such as 127.0.0.1, or 0.0.0.0 to answer other machines")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named: of a socket that is handed on with protocol 0, CPython's servers do not know that it is TCP, leave
    # TCP_NODELAY off, and each answer over a kept connection waits 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is accepted inherits it
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
