"""The mailbox of a thread: calls from other threads, and calls whose time has come, made one after the other."""

import heapq
import itertools
import queue
import time
from collections.abc import Callable
from typing import Any

_NEVER_S = 3600.0


class Mailbox:
    """A queue of calls. Any thread may use `post`; only the thread that makes the calls may use `later` and `next`."""

    def __init__(self) -> None:
        self._calls: queue.Queue[Callable[[], None]] = queue.Queue()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def post(self, call: Callable[..., None], *args: Any) -> None:
        """Have a call made as soon as those before it are done."""
        self._calls.put(lambda: call(*args))

    def later(self, seconds: float, call: Callable[..., None], *args: Any) -> None:
        """Have a call made after a number of seconds."""
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), lambda: call(*args)))

    def next(self) -> None:
        """Wait for the next call and make it."""
        wait_s = min(self._due[0][0] - time.monotonic(), _NEVER_S) if self._due else _NEVER_S
        if wait_s <= 0:
            heapq.heappop(self._due)[2]()
            return
        try:
            call = self._calls.get(timeout=wait_s)
        except queue.Empty:
            return
        call()
