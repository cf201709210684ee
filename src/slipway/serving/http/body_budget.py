"""The bytes of large bodies, from their arrival until their answer, of a connection and of all connections of an HttpServer.

Small bodies are not counted: the small bodies of all connections are not much together.
"""

from slipway.serving.http.server import HttpServer


class BodyBudget:
    """Counts the large bodies of one connection. bytes: the size of all that have not been answered."""

    __slots__ = ("_server", "bytes")

    def __init__(self, server: HttpServer):
        self._server, self.bytes = server, 0

    def grew(self, length: int, size: int) -> None:
        """Count a piece of `length` bytes of a large body. size: the bytes of that body so far, this piece included."""
        self._add(length if size - length > self._server.counted_from else size)

    def gone(self, size: int) -> None:
        """Give back the bytes of a body of this size, if the body was counted."""
        if size > self._server.counted_from:
            self._add(-size)

    def all_gone(self) -> None:
        """Give back the bytes of all bodies."""
        self._add(-self.bytes)

    def _add(self, more: int) -> None:
        self.bytes += more
        self._server.large_bytes += more
