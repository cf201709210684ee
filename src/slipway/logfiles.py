"""Log files: each process locks its own while it writes, and a bounded number of earlier logs stays beside it."""

import fcntl
import os
import re
import time
from contextlib import suppress
from pathlib import Path

from slipway.errors import FileUnusable

KEPT = 5
"""The number of earlier logs that are kept, from `.1`, the newest, to `.5`."""

_TRIES = 20
_PAUSE_S = 0.05
_ROTATED = re.compile(r".*\.log(\.\d+)?")


def hold(log: Path) -> int:
    """Begin a log and return its descriptor; until the descriptor is closed no other process can `hold` the log.

    Raises FileUnusable when another process holds the log, OSError when no such file can be made.
    """
    for _ in range(_TRIES):
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.is_dir():  # `rotate` would move the whole folder aside
            raise IsADirectoryError(None, "it is a folder")
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            if not lock(file):  # `make_room` of another process locks it for a moment, a writer for good
                time.sleep(_PAUSE_S)
            elif _is(log, file):
                if not os.fstat(file).st_size:
                    descriptor, file = file, -1
                    return descriptor
                rotate(log)
        finally:
            if file >= 0:
                os.close(file)
    raise FileUnusable(f"the log {log} is written by another process that runs; name another with --log")


def rotate(log: Path) -> None:
    """Rename a log to `.1` and each earlier log to the next number; the oldest is removed."""
    if not log.exists():
        return
    earlier = [log.with_name(f"{log.name}.{number}") for number in range(1, KEPT + 1)]
    for older, newer in zip(reversed(earlier), reversed([log, *earlier[:-1]]), strict=True):
        with suppress(FileNotFoundError):
            newer.replace(older)


def lock(file: int) -> bool:
    """Lock an open log until every process has closed it; return False when another process has locked the log."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def make_room(log: Path) -> None:
    """Remove the oldest of the logs whose names differ from that of `log` only in the port at the end.

    Logs that a process still writes stay, and so do the newest of the others.
    """
    alike = re.compile(rf"{re.escape(log.stem.rpartition('-')[0])}-\d+\.log")
    others = [path for path in log.parent.glob("*.log") if alike.fullmatch(path.name) and path != log]
    for path in sorted(filter(_is_free, others), key=_modified)[:-KEPT]:
        for each in (path, *path.parent.glob(f"{path.name}.*")):
            if _ROTATED.fullmatch(each.name):
                each.unlink(missing_ok=True)


def _is_free(log: Path) -> bool:
    with suppress(OSError):
        file = os.open(log, os.O_RDONLY)
        try:
            return lock(file)
        finally:
            os.close(file)
    return False


def _modified(log: Path) -> float:
    try:
        return log.stat().st_mtime
    except OSError:
        return 0.0


def _is(log: Path, file: int) -> bool:
    try:
        return os.path.samestat(log.stat(), os.fstat(file))
    except FileNotFoundError:
        return False
