"""The log of an endpoint: the supervisor writes a line for each event, between the lines that its processes write."""

import os
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from slipway import logfiles
from slipway.errors import FileUnusable


class Log:
    """The log file of one endpoint.

    path: the file, which belongs to this service alone. The logs of some services before are kept as `.1`, `.2` …; a path under
    /dev, such as /dev/stderr, is only written to.

    Raises FileUnusable where the file cannot be written, or where another process writes it.
    """

    def __init__(self, path: Path):
        self.path, self._lock = path, threading.Lock()
        self._let_go: Callable[[], object] = lambda: None
        if path.is_relative_to("/dev"):
            return
        try:
            self._let_go = weakref.finalize(self, os.close, logfiles.hold(path))
        except OSError as error:
            raise FileUnusable(f"the log {path} cannot be written: {error.strerror}; name another with --log") from None

    def close(self) -> None:
        """Release the file for another service; a last line can still be written."""
        self._let_go()

    def say(self, text: str) -> None:
        """Write a line with its time, in UTC. The line is lost where the disk is full, and serving goes on."""
        with suppress(OSError), self._lock, self.path.open("a", encoding="utf-8") as stream:
            stream.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z {text}\n")
