"""What large bodies take, from when they arrive until they are answered: those of a connection, and of all of a door.

Small ones are not: those of all connections are not much together.
"""

from slipway.serving.http.server import HttpServer


class BodyBudget:
    """Those of one connection. bytes: of all that have not been answered."""

    __slots__ = ("_server", "bytes")

    def __init__(self, server: HttpServer):
        self._server, self.bytes = server, 0

    def grew(self, length: int, size: int) -> None:
        """Count a piece of a body. size: of that body with this piece, which makes it a large one."""
        self._add(length if size - length > self._server.counted_from else size)

    def gone(self, size: int) -> None:
        """Let go of a body of this size, if it was counted."""
        if size > self._server.counted_from:
            self._add(-size)

    def all_gone(self) -> None:
        """Let go of all."""
        self._add(-self.bytes)

    def _add(self, more: int) -> None:
        self.bytes += more
        self._server.large_bytes += more
