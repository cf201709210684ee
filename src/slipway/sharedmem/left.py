"""What no taker brought to safety before the end: a file, from which the next taker goes on.

It has the session, the number and the beginning of what was gathered, so that whatever was made of it already is made again
under the same name.
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
    """Leave what was put and never committed in a file of `folder`, give its room back, and return what is to be said of it.

    Where nothing can be written there it is lost, and that is said.
    """
    records = list(_waiting(ring))
    if not records:
        return ""
    path = folder / f"{ring.session}{_ENDING}"
    try:
        _write(ring, records, path)
        said = f"{_counted(records)} are left in {path}; the next service that captures there writes them"
    except OSError as error:
        why = error.strerror or error
        said = f"{_counted(records)} are lost: nothing can be written to {folder} ({why})"
    ring.commit(ring.heads())
    return said


@contextmanager
def left_in(folder: Path) -> Iterator[list["Left"]]:
    """Hold the files that were left in `folder` and that nobody else goes on from, each to be removed when it is written."""
    found: list[Left] = []
    try:
        for path in sorted(folder.glob(f"*{_ENDING}")):
            if path.is_file() and (held := _held(path)) is not None:
                found.append(Left(path, held))
        yield found
    finally:
        for each in found:
            os.close(each.file)


class Left:
    """A file that was left. file: its open descriptor, which holds the lock on it."""

    def __init__(self, path: Path, file: int):
        self.path, self.file = path, file

    def ring(self) -> Ring | None:
        """Return what was left as a ring with one giver; None where the file is put aside, since it ended its takers.

        Raises ValueError when it is none of ours.
        """
        attempts = int(os.pread(self.file, 1, 0)) + 1
        if attempts > _MOST_ATTEMPTS:
            self.put_aside()
            return None
        os.pwrite(self.file, b"%d" % attempts, 0)
        head, _, content = os.pread(self.file, os.fstat(self.file).st_size, 1).partition(b"\n")
        said = json.loads(head)
        if said["format"] != _FORMAT:
            raise ValueError(f"its format is {said['format']}, not {_FORMAT}")
        ring = Ring(said["names"], 1, max(len(content), 1), session=said["session"])
        ring.go_on_from(said["number"], said["began_ns"])
        for name, counts in said["counts"].items():
            for what, count in counts.items():
                ring.count(ring.givers, name, what, count)
        producer, at = ring.producer(0), 0
        while at < len(content):
            (length,) = _LENGTH.unpack_from(content, at)
            producer.put(content[at + _LENGTH.size : at + _LENGTH.size + length])
            at += _LENGTH.size + length
        return ring

    def try_again(self) -> None:
        """Let the next one try as if this one had not."""
        os.pwrite(self.file, b"0", 0)

    def put_aside(self) -> None:
        """Let nobody go on from it again; it stays for a human."""
        self.path.rename(self.path.with_name(f"{self.path.name}.broken"))

    def remove(self) -> None:
        """Remove it: all of it is safe."""
        self.path.unlink()


def _waiting(ring: Ring) -> Iterator[bytes]:
    for producer, until in enumerate(ring.heads()):
        for content, _ in ring.records(producer, ring.kept(producer), until):
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
    said = [_of(requests[model], labels[model], model) for model in sorted({*requests, *labels})]
    return ", ".join(said)


def _of(requests: int, labels: int, model: str) -> str:
    counted = ((requests, "requests"), (labels, "labels"))
    return f"{' and '.join(f'{count} {what}' for count, what in counted if count)} of {model}"


def _held(path: Path) -> int | None:
    """Return a descriptor with the lock on a file; None where somebody else has it, or has removed it."""
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
