"""The most memory that a process and all below it held at once, looked at ten times a second."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

EVERY_S = 0.1
_MB = 1e6


@dataclass
class Peak:
    """rss_mb counts memory that processes share once for each of them, pss_mb once."""

    rss_mb: float = 0.0
    pss_mb: float = 0.0


@contextlib.contextmanager
def watched(pid: int) -> Iterator[Peak]:
    peak, ended = Peak(), threading.Event()

    def watch() -> None:
        while not ended.wait(EVERY_S):
            rss, pss = _memory(pid)
            peak.rss_mb, peak.pss_mb = max(peak.rss_mb, rss), max(peak.pss_mb, pss)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def _memory(pid: int) -> tuple[float, float]:
    rss = pss = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        head = psutil.Process(pid)
        for each in (head, *head.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                found = each.memory_full_info()
                rss, pss = rss + found.rss / _MB, pss + found.pss / _MB
    return rss, pss
