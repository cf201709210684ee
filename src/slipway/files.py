"""Files that appear whole or not at all, and the pieces of them that a killed process left."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_SUFFIX = ".partial"


@contextmanager
def whole_file(file: Path, *, private: bool = False, synced: bool = False) -> Iterator[Path]:
    """Give the path of a hidden file beside `file` to write to; it replaces `file` when all went well, and is gone otherwise.

    Args:
        file: what readers see: before, as it was; after, as it was written.
        private: only this user may read it.
        synced: content and name are on the disk when the block is left, whatever happens to the machine then.

    Raises OSError.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}{_SUFFIX}")
    try:
        if private:
            draft.unlink(missing_ok=True)  # of a process of the same number that was killed
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield draft
        if synced:
            _sync(draft)
        draft.replace(file)
        if synced:
            _sync(file.parent)
    finally:
        draft.unlink(missing_ok=True)


def sweep_dead(folder: Path, pattern: str) -> None:
    """Remove what `whole_file` was writing in the folders of a pattern, where the process that wrote is gone."""
    for left in folder.glob(f"{pattern}/.*{_SUFFIX}"):
        if not _runs(left.name.removesuffix(_SUFFIX).rpartition(".")[2]):
            left.unlink(missing_ok=True)


def is_partial(name: str) -> bool:
    """Say of a file by its name whether it is still being written, or was left so."""
    return name.startswith(".") and name.endswith(_SUFFIX)


@contextmanager
def locked_file(file: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """Open a hidden file beside `file` that only this user may read; it is gone at the end unless it was renamed.

    It is locked for as long as it is written, which tells it from those that `sweep` takes away: also in a folder that
    several machines share, where the number of a process says nothing.
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
def whole_locked_file(file: Path) -> Iterator[IO[bytes]]:
    """Open a locked file to be written that takes the place of `file` when all went well."""
    with locked_file(file) as (path, stream):
        yield stream
        stream.flush()
        os.fsync(stream.fileno())
        path.replace(file)


def sweep(file: Path) -> None:
    """Take away the locked files beside `file` that were left by processes that were killed."""
    for left in file.parent.glob(f".{file.name}.*{_SUFFIX}"):
        with suppress(OSError), left.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while somebody writes it
            left.unlink()


def _runs(pid: str) -> bool:
    """Say whether a process runs, this one left out: a file of its number is of one before it."""
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return int(pid) != os.getpid()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
