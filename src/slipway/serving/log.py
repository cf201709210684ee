"""The log of an endpoint: a line for each thing that happened to it, between what its processes write."""

import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from slipway.errors import FileUnusable


class Log:
    """path: the file; that of the service before is kept as `.1`. What is under /dev, as /dev/stderr, is only written to.

    Raises FileUnusable where no such file can be.
    """

    def __init__(self, path: Path):
        self.path, self._lock = path, threading.Lock()
        if path.is_relative_to("/dev"):
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():  # which is not to be moved out of the way
                raise IsADirectoryError(None, "it is a folder")
            if path.exists():
                path.replace(path.with_name(f"{path.name}.1"))
            path.touch()
        except OSError as error:
            raise FileUnusable(f"the log {path} cannot be written: {error.strerror}; name another with --log") from None

    def say(self, text: str) -> None:
        """Write a line with its time, in UTC. A disk that is full keeps nobody from serving."""
        with suppress(OSError), self._lock, self.path.open("a", encoding="utf-8") as stream:
            stream.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z {text}\n")
