"""Requests and their answers on the way to the process that compares: what does not fit is dropped, and nobody waits."""

import asyncio
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from slipway.serving.arm_numbers import DROPPED, ArmRow

MOST_BYTES = 16_000_000
"""Of what a front keeps for a process that does not take it."""

_TOGETHER_S = 0.02
_AGAIN_S = 0.2
_HEAD = struct.Struct(">IQQdHI")


@dataclass(frozen=True)
class Copy:
    """A request and its answer. pair: the generations of the first and of the second version when it was answered.

    seconds: that the answer took.
    """

    pair: tuple[int, int]
    seconds: float
    content_type: bytes
    body: bytes
    answer: bytes

    @property
    def size(self) -> int:
        return len(self.body) + len(self.answer)

    def frame(self) -> bytes:
        """Return the bytes of it: four of length, then what `copy_of` reads."""
        kind, body = self.content_type, self.body
        size = _HEAD.size - 4 + len(kind) + len(body) + len(self.answer)
        head = _HEAD.pack(size, *self.pair, self.seconds, len(kind), len(body))
        return b"".join((head, kind, body, self.answer))


def copy_of(content: bytes) -> Copy:
    """Read the content of a frame, without its length."""
    _, first, second, seconds, kind, body = _HEAD.unpack_from(b"\0\0\0\0" + content[: _HEAD.size])
    at = _HEAD.size - 4
    ends = at + kind, at + kind + body
    return Copy((first, second), seconds, content[at : ends[0]], content[ends[0] : ends[1]], content[ends[1] :])


class Mirror(asyncio.Protocol):
    """What a front sends copies through. path: the Unix socket of the process that compares."""

    def __init__(self, path: str, row: ArmRow):
        self._path, self._row = path, row
        self._pending: list[bytes] = []
        self._bytes = 0
        self._due = False
        self._transport: Any = None
        self._connecting: asyncio.Task[None] | None = None

    def offer(self, copy: Copy) -> None:
        """Send it soon, together with others; or count that there was no room for it."""
        size = copy.size
        written = self._transport.get_write_buffer_size() if self._transport else 0
        if self._bytes + written + size > MOST_BYTES:
            self._row.add(DROPPED)
            return
        self._pending.append(copy.frame())
        self._bytes += size
        self._flush_in(_TOGETHER_S)

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None

    def _flush_in(self, seconds: float) -> None:
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_later(seconds, self._flush)

    def _flush(self) -> None:
        self._due = False
        if self._transport is None:
            if self._connecting is None or self._connecting.done():
                self._connecting = asyncio.get_running_loop().create_task(self._connect())
            self._flush_in(_AGAIN_S)
            return
        frames: Sequence[bytes] = self._pending
        self._pending, self._bytes = [], 0
        self._transport.writelines(frames)

    async def _connect(self) -> None:
        with suppress(OSError):  # it is being started; what is kept for it waits
            await asyncio.get_running_loop().create_unix_connection(lambda: self, self._path)
