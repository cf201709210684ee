"""The mirror: a front sends copies of requests and answers to the comparer, and drops a copy for which there is no room."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from slipway.serving.counters.variant import DROPPED, VariantRow
from slipway.serving.ipc.frames import MOST_BYTES, MirroredRequest

_TOGETHER_S = 0.02
_AGAIN_S = 0.2


class Mirror(asyncio.Protocol):
    """Sends the copies of one front. path: the Unix socket of the comparer. row: counts the copies that were dropped."""

    def __init__(self, path: str, row: VariantRow):
        self._path, self._row = path, row
        self._pending: list[bytearray] = []
        self._bytes = 0
        self._due = False
        self._transport: Any = None
        self._connecting: asyncio.Task[None] | None = None

    def offer(self, copy: MirroredRequest) -> None:
        """Send a copy soon, together with others; where there is no room for the copy, drop and count it."""
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
        frames: Sequence[bytearray] = self._pending
        self._pending, self._bytes = [], 0
        self._transport.writelines(frames)

    async def _connect(self) -> None:
        with suppress(OSError):  # the comparer is being started; the copies wait
            await asyncio.get_running_loop().create_unix_connection(lambda: self, self._path)
