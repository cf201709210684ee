"""Files of the records that no consumer brought to safety before the end, from which the consumer of the next service goes on.

A file holds the session, the number and the beginning of the segment that was being gathered, so that a segment that was
written already is written again under the same name.
"""

import fcntl
import json
import os
import struct
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from slipway.sharedmem.record import LABELS, AnsweringVersion, Record
from slipway.sharedmem.ring import Ring

_ENDING = ".left"
_FORMAT = 1
_LENGTH = struct.Struct(">I")
_MOST_ATTEMPTS = 3


def leave(ring: Ring, folder: Path) -> str:
    """Write the records that were never committed to a file of `folder`, and give their room back.

    Returns a line for the log: how many records are left in which file, or that they are lost where nothing can be written
    there; "" where there are none.
    """
    records = list(_waiting(ring))
    if not records:
        return ""
    path = folder / f"{ring.session}{_ENDING}"
    try:
        _write(ring, records, path)
        line = f"{_counted(records)} are left in {path}; the next service that captures there writes them"
    except OSError as error:
        why = error.strerror or error
        line = f"{_counted(records)} are lost: nothing can be written to {folder} ({why})"
    ring.commit(ring.heads())
    return line


@contextmanager
def left_in(folder: Path) -> Iterator[list["Left"]]:
    """Lock the files that were left in `folder`, but for those that another process has locked, and release them at the end.

    The caller removes each one once its records are written.
    """
    locked: list[Left] = []
    try:
        for path in sorted(folder.glob(f"*{_ENDING}")):
            if path.is_file() and (file := _locked(path)) is not None:
                locked.append(Left(path, file))
        yield locked
    finally:
        for each in locked:
            os.close(each.file)


class Left:
    """A file of records that were left. file: its open descriptor, which holds the lock on it."""

    def __init__(self, path: Path, file: int):
        self.path, self.file = path, file

    def ring(self) -> Ring | None:
        """Return the records as a ring with one producer; None where they ended several consumers, and the file is put aside.

        Raises ValueError where the file has another format.
        """
        attempts = int(os.pread(self.file, 1, 0)) + 1
        if attempts > _MOST_ATTEMPTS:
            self.put_aside()
            return None
        os.pwrite(self.file, b"%d" % attempts, 0)
        first_line, _, content = os.pread(self.file, os.fstat(self.file).st_size, 1).partition(b"\n")
        head = json.loads(first_line)
        if head["format"] != _FORMAT:
            raise ValueError(f"its format is {head['format']}, not {_FORMAT}")
        ring = Ring(head["names"], 1, max(len(content), 1), session=head["session"])
        ring.go_on_from(head["number"], head["began_ns"])
        for name, counts in head["counts"].items():
            for what, count in counts.items():
                ring.count(ring.producers, name, what, count)
        producer, at = ring.producer(0), 0
        while at < len(content):
            (length,) = _LENGTH.unpack_from(content, at)
            producer.put(content[at + _LENGTH.size : at + _LENGTH.size + length])
            at += _LENGTH.size + length
        return ring

    def try_again(self) -> None:
        """Let the next consumer try as if this one had not tried."""
        os.pwrite(self.file, b"0", 0)

    def put_aside(self) -> None:
        """Rename the file, so that no consumer goes on from it; it stays for a human to look at."""
        self.path.rename(self.path.with_name(f"{self.path.name}.broken"))

    def remove(self) -> None:
        """Remove the file, once all its records are safe."""
        self.path.unlink()


def _waiting(ring: Ring) -> Iterator[bytes]:
    for producer, until in enumerate(ring.heads()):
        for content, _ in ring.records(producer, ring.committed(producer), until):
            yield content


def _write(ring: Ring, records: list[bytes], path: Path) -> None:
    head = {
        "format": _FORMAT,
        "session": ring.session,
        "number": ring.number,
        "began_ns": ring.began(time.time_ns()),
        "names": ring.names,
        "counts": {name: ring.totals(name) for name in ring.names},
    }
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(b"0" + json.dumps(head).encode() + b"\n")
            for record in records:
                file.write(_LENGTH.pack(len(record)) + record)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _counted(records: list[bytes]) -> str:
    requests, labels = Counter[str](), Counter[str]()
    for record in map(Record.of, records):
        model = AnsweringVersion.of(record.about).model
        if record.kind == LABELS:
            labels[model] += len(json.loads(record.body))
        else:
            requests[model] += 1
    return ", ".join(_of(requests[model], labels[model], model) for model in sorted({*requests, *labels}))


def _of(requests: int, labels: int, model: str) -> str:
    counted = ((requests, "requests"), (labels, "labels"))
    return f"{' and '.join(f'{count} {what}' for count, what in counted if count)} of {model}"


def _locked(path: Path) -> int | None:
    """Return a descriptor with the lock on a file; None where another process has locked or removed the file."""
    with suppress(OSError):
        file = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(path.stat(), os.fstat(file)):
                return file
        except OSError:
            pass
        os.close(file)
    return None
