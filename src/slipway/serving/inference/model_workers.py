"""The links from a process to the backs, which hold the model itself."""

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

from slipway.serving.ipc import frames
from slipway.serving.ipc.frames import Frames, ModelRequest, ModelResponse

_RECONNECT_S = 0.05


class WorkerLost(Exception):
    """The back ended before it answered."""


class WorkerLink(asyncio.Protocol):
    """One connection to one back, for many requests at a time, which are answered in any order."""

    def __init__(self, path: str, lost: "Callable[[WorkerLink], None]"):
        self.path, self._lost = path, lost
        self._frames = Frames()
        self.waiting: dict[int, asyncio.Future[ModelResponse]] = {}

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, _exc: Exception | None) -> None:
        self._lost(self)
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(WorkerLost())
        self.waiting.clear()

    def data_received(self, data: bytes) -> None:
        for content in self._frames.feed(data):
            answer = frames.answer(content)
            future = self.waiting.pop(answer.id, None)
            if future is not None and not future.done():
                future.set_result(answer)

    async def ask(self, ask: ModelRequest) -> ModelResponse:
        """Send a request and return its answer. Raises WorkerLost when the back ends, TimeoutError at the deadline."""
        future: asyncio.Future[ModelResponse] = asyncio.get_running_loop().create_future()
        self.waiting[ask.id] = future
        self._transport.write(frames.frame(ask))
        try:
            async with asyncio.timeout(ask.deadline - time.monotonic()):
                return await future
        finally:
            self.waiting.pop(ask.id, None)

    def close(self) -> None:
        self._transport.close()


class ModelWorkers:
    """Asks the backs of the generations that a process serves.

    Args:
        stuck: Called with the socket of a back that let a deadline pass.
        patient: Whether to wait for a back that is being started; else WorkerLost is raised.
    """

    def __init__(self, stuck: Callable[[str], None], *, patient: bool = True):
        self._stuck, self._patient = stuck, patient
        self._links: dict[str, WorkerLink] = {}
        self._connecting: dict[str, asyncio.Lock] = {}
        self._ids = itertools.count(1)

    async def ask(self, paths: Sequence[str], content_type: str, body: bytes, deadline: float) -> ModelResponse:
        """Return the answer of the least busy back.

        Args:
            paths: The Unix sockets of the backs.
            content_type: The content type of the body, as `normalised` spells it.
            body: The body of the request.
            deadline: The time of `time.monotonic()` until which the answer is waited for.

        Raises:
            WorkerLost: The back ended before it answered, or is being started and this ModelWorkers is not patient.
            TimeoutError: The deadline passed.
        """
        path = min(paths, key=self._busy)
        async with asyncio.timeout(deadline - time.monotonic()):
            link = await self._link(path)
        try:
            return await link.ask(ModelRequest(next(self._ids), deadline, content_type, body))
        except TimeoutError:
            self._stuck(path)
            raise

    def keep(self, paths: Sequence[str]) -> None:
        """Close the links to all backs but these, where no answer is due on them."""
        for path, link in list(self._links.items()):
            if path not in paths and not link.waiting:
                link.close()

    def _busy(self, path: str) -> int:
        link = self._links.get(path)
        return len(link.waiting) if link is not None else 0

    async def _link(self, path: str) -> WorkerLink:
        async with self._connecting.setdefault(path, asyncio.Lock()):
            while path not in self._links:
                try:
                    loop = asyncio.get_running_loop()
                    _, link = await loop.create_unix_connection(lambda: WorkerLink(path, self._forget), path)
                    self._links[path] = link
                except OSError:  # the back is being started
                    if not self._patient:
                        raise WorkerLost from None
                    await asyncio.sleep(_RECONNECT_S)
            return self._links[path]

    def _forget(self, link: WorkerLink) -> None:
        if self._links.get(link.path) is link:
            del self._links[link.path]
