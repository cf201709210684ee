"""Files that appear whole or not at all, and the partial files that a killed process left."""

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
    """Give the path of a hidden file beside `file` to write to.

    The hidden file replaces `file` when the block ends without an error, and is removed otherwise.

    Args:
        file: the file that readers see, with its old content until the block ends, and with the new content from then on.
        private: only this user may read the file.
        synced: content and name are on the disk when the block ends, so that they survive a crash of the machine.

    Raises OSError.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}{_SUFFIX}")
    try:
        if private:
            draft.unlink(missing_ok=True)  # left by a killed process that had the same pid
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
    """Remove the partial files of `whole_file` whose process is gone, in the folders below `folder` that match `pattern`."""
    for left in folder.glob(f"{pattern}/.*{_SUFFIX}"):
        if not _runs(left.name.removesuffix(_SUFFIX).rpartition(".")[2]):
            left.unlink(missing_ok=True)


def is_partial(name: str) -> bool:
    """Return whether the name is that of a partial file, which is still being written or was left so."""
    return name.startswith(".") and name.endswith(_SUFFIX)


@contextmanager
def locked_file(file: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """Open a hidden file beside `file` that only this user may read.

    The hidden file is removed at the end unless it was renamed. A lock keeps `sweep` from removing the file while somebody
    writes it; unlike a pid, a lock also works in a folder that several machines share.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=_SUFFIX, dir=file.parent)
    except OSError as error:
        error.filename = str(file.parent)  # the folder is missing or closed; the hidden file's name would mislead
        raise
    with os.fdopen(descriptor, "wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        try:
            yield Path(name), stream
        finally:
            Path(name).unlink(missing_ok=True)


@contextmanager
def whole_locked_file(file: Path) -> Iterator[IO[bytes]]:
    """Open a locked hidden file that replaces `file` when the block ends without an error."""
    with locked_file(file) as (path, stream):
        yield stream
        stream.flush()
        os.fsync(stream.fileno())
        path.replace(file)


def sweep(file: Path) -> None:
    """Remove the hidden files beside `file` that killed processes left."""
    for left in file.parent.glob(f".{file.name}.*{_SUFFIX}"):
        with suppress(OSError), left.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while somebody writes it
            left.unlink()


def _runs(pid: str) -> bool:
    """Return whether another process with this pid runs; a file with this process's own pid is an earlier process's."""
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
