"""The writing of trials beside the search: one thread, one queue, and nothing lost while the server is away."""

import queue
import threading
import time
from collections.abc import Callable
from types import TracebackType

from slipway.errors import NoServer

_PAUSE_S = 2.0


class TrialWriter:
    """A thread that runs one write after the other, and repeats a write for `patience_s` while the server is away.

    The end of the block waits until all is written. It raises NoServer when the server stayed away for longer, and any other
    error of a write as it is.
    """

    def __init__(self, patience_s: float = 600.0) -> None:
        self._patience_s = patience_s
        self._queue: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._failed: Exception | None = None
        self._busy_s = 0.0
        self._thread = threading.Thread(target=self._work, name="slipway-writer", daemon=True)

    @property
    def busy_s(self) -> float:
        """Seconds spent on writes so far."""
        return self._busy_s

    def put(self, write: Callable[[], object]) -> None:
        """Queue a write. Raises the error of an earlier write that failed."""
        if self._failed:
            raise self._failed
        self._queue.put(write)

    def __enter__(self) -> "TrialWriter":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._queue.put(None)
        self._thread.join()
        if self._failed and error is None:
            raise self._failed

    def _work(self) -> None:
        while (write := self._queue.get()) is not None:
            if self._failed is None:
                clock = time.perf_counter()
                self._failed = self._try(write)
                self._busy_s += time.perf_counter() - clock

    def _try(self, write: Callable[[], object]) -> Exception | None:
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                write()
                return None
            except Exception as error:  # noqa: BLE001 - handed over to the thread that waits
                if not _server_is_away(error):
                    return error
                if time.monotonic() > deadline:
                    return NoServer(f"the tracking server was away for more than {self._patience_s:g} s ({error})")
                time.sleep(_PAUSE_S)


def _server_is_away(error: BaseException) -> bool:
    import requests

    link: BaseException | None = error
    while link is not None:
        if isinstance(link, requests.ConnectionError | requests.Timeout):
            return True
        link = link.__cause__ or link.__context__
    return any(status in str(error) for status in ("502", "503", "504"))
