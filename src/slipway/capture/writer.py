"""The capture writer: the process that reads the records of the fronts from the ring, and closes a segment every few seconds.

No other process waits for the writer. Records that are not on disk yet stay in the ring: when the writer is killed, its
successor writes the same segment again; when the disk is full, the writer tries again, and the fronts drop new records
meanwhile. The writer outlives the service: the records of a service that was killed, or that did not wait, are written all the
same.
"""

import contextlib
import json
import os
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slipway.sharedmem import ANSWERED, AnsweringVersion, Left, Record, Ring, leave, left_in

if TYPE_CHECKING:
    from slipway.capture.tables import Labels, Requests

_POLL_S = 0.1
_MOST_BYTES = 8_000_000
"""A segment with so many bytes of records is closed early."""

_MOST_ATTEMPTS = 3
"""How many writers the same records may end before the records are dropped."""

_NICE = 10
_AGAIN_S = 0.5
_BEATS_EACH = 100
"""Number of records that are read between two beats."""


@dataclass(frozen=True)
class CaptureLimits:
    """The limits of the capture writer.

    Attributes:
        segment_s: How long a segment is gathered.
        max_bytes: Bytes of a model's segments on disk at most.
        last_s: For how long the last segment is tried again where the disk has no room for it.
    """

    segment_s: float = 5.0
    max_bytes: int = 1_000_000_000
    last_s: float = 10.0


def writer(ring: Ring, folder: Path, limits: CaptureLimits, control: Connection) -> None:
    """Write segments until something comes over `control` or its other end is gone, then the rest: the main of the process.

    Args:
        ring: The ring of the service.
        folder: Where the segments are written.
        limits: Limits of the writer.
        control: The pipe to the supervisor.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the supervisor
        signal.signal(number, signal.SIG_IGN)
    os.nice(_NICE)
    os.umask(0o077)
    ring.beat()
    import pyarrow as pa

    pa.set_cpu_count(1)
    _write_left(folder, limits, ring.beat)  # before take_over, which counts the writers that the ring's records ended
    attempt = ring.take_over()
    taking = _SegmentWriter(ring, folder, limits)
    if attempt > _MOST_ATTEMPTS:
        taking.give_up()
    while not _told_to_end(control):
        taking.turn()
    if not taking.end():
        _say(leave(ring, folder))


def _write_left(folder: Path, limits: CaptureLimits, beat: Callable[[], None]) -> None:
    """Write the records that services before have left."""
    with left_in(folder) as files:
        for left in files:
            try:
                _write_one(left, folder, limits, beat)
            except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
                _say(f"{left.path}, which an earlier service left, cannot be written: {error}")


def _write_one(left: Left, folder: Path, limits: CaptureLimits, beat: Callable[[], None]) -> None:
    beat()
    ring = left.ring()
    if ring is None:
        _say(f"{left.path}, which an earlier service left, ended several writers and is put aside")
    elif _SegmentWriter(ring, folder, replace(limits, last_s=0.0), beat).end():
        left.remove()
        _say(f"the records that an earlier service left in {left.path} are written")
    else:
        left.try_again()


def _told_to_end(control: Connection) -> bool:
    with contextlib.suppress(OSError):
        return control.poll(_POLL_S)
    return True


class _SegmentWriter:
    """A writer of the segments of one ring. beat: called while it is at work; the ring's own by default."""

    def __init__(self, ring: Ring, folder: Path, limits: CaptureLimits, beat: Callable[[], None] | None = None):
        from slipway.capture.segments import Store

        self._ring = ring
        self._limits = limits
        self._beat = beat or ring.beat
        self._stores: dict[str, Store] = {name: Store(folder, name, limits.max_bytes) for name in ring.names}
        self._seen = ring.heads()
        self._read = [ring.committed(producer) for producer in range(ring.producers)]
        self._abouts: dict[bytes, AnsweringVersion] = {}
        self._failed = False
        self._records = 0
        self._start_anew()
        for store in self._stores.values():
            store.clean()

    def turn(self) -> None:
        """Gather the records that are there, and close the segment when it is time."""
        self._beat()
        self._take()
        full = self._bytes >= _MOST_BYTES and not self._failed
        if self._gathered and (full or time.monotonic() >= self._due):
            self._close()

    def end(self) -> bool:
        """Write the rest, trying again for a while; return False where the disk has no room for it."""
        for _ in range(2):  # records that were put a moment ago are seen the second time
            while self._take():
                if self._bytes >= _MOST_BYTES and not self._close_at_last():
                    return False
        return not self._gathered or self._close_at_last()

    def give_up(self) -> None:
        """Drop the records that ended one writer after the other, and count them."""
        _say("the records that ended several writers are dropped")
        for producer, until in enumerate(self._seen):
            for content, _ in self._ring.records(producer, self._read[producer], until):
                self._ring.count(self._ring.producers, self._about(Record.of(content).about).model, "writer")
        self._ring.commit(self._seen)
        self._read = list(self._seen)

    # ---- taking

    def _take(self) -> bool:
        """Gather the records that were there at the last call; return whether there were any."""
        before = self._bytes
        for producer in range(self._ring.producers):
            for content, behind in self._ring.records(producer, self._read[producer], self._seen[producer]):
                if self._bytes >= _MOST_BYTES:
                    return True
                self._add(content)
                self._read[producer] = behind
                self._records += 1
                if self._records % _BEATS_EACH == 0:
                    self._beat()
        self._seen = self._ring.heads()
        return self._bytes > before

    def _add(self, content: bytes) -> None:
        if not self._gathered:
            self._due = time.monotonic() + self._limits.segment_s
            self._ring.began(time.time_ns())
        self._bytes += len(content)
        record = Record.of(content)
        about = self._about(record.about)
        key = (record.kind, about.model, about.version)
        if key not in self._gathered:
            self._gathered[key] = about, self._new(record.kind, about)
        self._gathered[key][1].add(record, about.stage)

    def _new(self, kind: int, about: AnsweringVersion) -> "Requests | Labels":
        from slipway.capture.tables import Labels, Requests

        return (Requests if kind == ANSWERED else Labels)(about)

    def _about(self, encoded: bytes) -> AnsweringVersion:
        if encoded not in self._abouts:
            self._abouts[encoded] = AnsweringVersion.of(encoded)
        return self._abouts[encoded]

    # ---- writing

    def _close_at_last(self) -> bool:
        until = time.monotonic() + self._limits.last_s
        self._close()
        if self._failed and self._limits.last_s:
            _say(
                f"no segment can be written at the end of the service; it is tried again for {self._limits.last_s:.0f} s"
            )
        while self._failed and time.monotonic() < until:
            time.sleep(_AGAIN_S)
            self._beat()
            self._close()
        return not self._failed

    def _close(self) -> None:
        try:
            for key, (about, rows) in self._gathered.items():
                if key not in self._unwritable:
                    self._write(key, about, rows)
        except OSError as error:
            self._fail(error)
            return
        ring = self._ring
        ring.commit(self._read)
        for key, (about, rows) in self._gathered.items():
            if key in self._unwritable:
                ring.count(ring.producers, about.model, "writer", rows.records)
            elif key[0] == ANSWERED:
                ring.count(ring.producers, about.model, "rows", len(rows))
        self._start_anew()
        if self._failed:
            _say("segments are written again")
            self._failed = False
            ring.fail(failing=False)
        for store in self._stores.values():
            with contextlib.suppress(OSError):
                store.trim()

    def _write(self, key: tuple[int, str, int], about: AnsweringVersion, rows: Any) -> None:
        from slipway.capture.segments import LABELS, REQUESTS, Named

        ring = self._ring
        try:
            table = rows.table()
        except Exception:  # a fault of Slipway; the other rows are written all the same  # noqa: BLE001
            _say(f"{len(rows)} rows of {about.model} cannot be written:\n{traceback.format_exc()}")
            self._unwritable.add(key)
            return
        named = Named(
            REQUESTS if key[0] == ANSWERED else LABELS,
            about.version,
            ring.session,
            ring.number,
            ring.began(time.time_ns()),
        )
        self._stores[about.model].write(named, table, _metadata(ring, about))

    def _fail(self, error: OSError) -> None:
        if not self._failed:
            # Arrow puts a sentence of its own into strerror where a write fails in the middle of a file.
            why = os.strerror(error.errno) if error.errno else error
            _say(f"no segment can be written ({why}); new requests are dropped and counted meanwhile")
        self._failed = True
        self._ring.fail(failing=True)
        self._due = time.monotonic() + self._limits.segment_s

    def _start_anew(self) -> None:
        self._gathered: dict[tuple[int, str, int], tuple[AnsweringVersion, Requests | Labels]] = {}
        self._unwritable: set[tuple[int, str, int]] = set()
        self._bytes, self._due = 0, 0.0


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # the log may be on the same full disk
        print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z capture: {text}", file=sys.stderr, flush=True)


def _metadata(ring: Ring, about: AnsweringVersion) -> dict[str, str]:
    """Return the metadata of a segment, among them the records that its session has dropped so far, by reason."""
    dropped = {
        reason: count for reason in ("full", "large", "disk", "writer") if (count := ring.total(about.model, reason))
    }
    return {
        "slipway.model": about.model,
        "slipway.version": str(about.version),
        "slipway.stage": about.stage,
        "slipway.session": ring.session,
        "slipway.dropped": json.dumps(dropped),
    }
