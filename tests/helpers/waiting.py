"""Waiting for what comes about by itself, for as long as a busy machine takes."""

import time
from collections.abc import Callable


def wait_for(truth: Callable[[], object], within_s: float = 120.0) -> None:
    """Return when something is true; fail when it does not become so."""
    deadline = time.monotonic() + within_s
    while not truth():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)
