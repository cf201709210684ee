"""The log of an endpoint: a line for each thing that happened to it, between what its processes write."""

import threading
from datetime import UTC, datetime
from pathlib import Path


class Log:
    """path: the file; that of the service before is kept as `.1`. What is under /dev, as /dev/stderr, is only written to."""

    def __init__(self, path: Path):
        self.path, self._lock = path, threading.Lock()
        if path.is_relative_to("/dev"):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.replace(path.with_name(f"{path.name}.1"))
        path.touch()

    def say(self, text: str) -> None:
        """Write a line with its time, in UTC."""
        with self._lock, self.path.open("a", encoding="utf-8") as stream:
            stream.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z {text}\n")
