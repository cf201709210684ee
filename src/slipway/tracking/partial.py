"""A file that appears whole or not at all, and the pieces of it that a killed process left."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_SUFFIX = ".partial"


@contextmanager
def partial_file(file: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """Open a hidden file beside `file` that only this user may read; it is gone at the end unless it was renamed.

    It is locked for as long as it is written, which tells it from those that `sweep` takes away.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=_SUFFIX, dir=file.parent)
    except OSError as error:
        error.filename = str(file.parent)  # which is what is missing or closed, and not the hidden file
        raise
    with os.fdopen(descriptor, "wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        try:
            yield Path(name), stream
        finally:
            Path(name).unlink(missing_ok=True)


@contextmanager
def whole_file(file: Path) -> Iterator[IO[bytes]]:
    """Open a file to be written that takes the place of `file` when all went well."""
    with partial_file(file) as (path, stream):
        yield stream
        stream.flush()
        os.fsync(stream.fileno())
        path.replace(file)


def sweep(file: Path) -> None:
    """Take away what was left beside `file` by processes that were killed."""
    for left in file.parent.glob(f".{file.name}.*{_SUFFIX}"):
        with suppress(OSError), left.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while somebody writes it
            left.unlink()
