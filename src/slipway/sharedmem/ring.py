"""The ring: records that several producers hand to one consumer through shared memory. No process waits for another one.

Each producer has a ring of its own, so no lock is needed: a producer puts a record behind its head, or finds no room. The
consumer reads records without giving their room back. Once the consumer has brought the records to safety, it calls `commit`,
which takes effect by a single store. A consumer that is killed before leaves all records to its successor, which writes the
same segment again under the same `number` and `began`.

The supervisor maps the memory as well, so no record is lost with a process; the memory is gone when the last process is.
"""

import mmap
import os
import secrets
import struct
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing import reduction
from typing import Any

RING_BYTES = 16_000_000
"""Size of one producer's ring. Only the part that is used takes memory."""

COUNTED = ("full", "large", "disk", "writer", "labels", "rows")
"""Counts by model: records that were dropped, by reason; then labels that were taken, and rows that were written."""
REASONS = COUNTED[:4]

_LENGTH = struct.Struct(">I")
_NUMBER, _ATTEMPTS, _BEAT, _FAILING = range(4)
_SLOTS = 4
_COUNT_AT = {what: number for number, what in enumerate(COUNTED)}


class Ring:
    """The rings of several producers, and the counts by model. Can be handed to a process that is started.

    Args:
        names: Names of the models.
        producers: Number of producers.
        size: Size of each ring in bytes.
        session: Name of this memory, which no other one has; "" to make one.
    """

    def __init__(
        self,
        names: Sequence[str],
        producers: int,
        size: int = RING_BYTES,
        *,
        session: str = "",
        _file: int | None = None,
    ):
        self.names = tuple(names)
        self.producers = producers
        self.size = size
        self.session = session or secrets.token_hex(4)
        self._name_at = {name: number for number, name in enumerate(self.names)}
        self._heads = _SLOTS + 2 * (1 + producers)
        self._counts = self._heads + producers
        words = self._counts + (producers + 1) * len(self.names) * len(COUNTED)
        self._base = 8 * words
        self._file = _unnamed(self._base + producers * size) if _file is None else _file
        weakref.finalize(self, os.close, self._file)  # else the memory would stay when nobody has the ring any more
        self._map = mmap.mmap(self._file, self._base + producers * size)
        self._bytes = memoryview(self._map)
        self._words = self._bytes[: self._base].cast("Q")
        if _file is None:
            self.beat()  # a consumer that is not there yet must not count as silent

    def __reduce__(self) -> tuple[Any, ...]:
        return _attach, (self.names, self.producers, self.size, self.session, reduction.DupFd(self._file))

    # ---- a producer's side

    def producer(self, row: int) -> "Producer":
        """Return the Producer of a row, for one thread of one process at a time."""
        return Producer(
            self._words,
            self._heads + row,
            self._bytes,
            self._base + row * self.size,
            self.size,
            partial(self.committed, row),
        )

    @property
    def failing(self) -> bool:
        """Whether the consumer cannot bring records to safety at present."""
        return bool(self._words[_FAILING])

    @property
    def silent_s(self) -> float:
        """Seconds since the last beat of the consumer, which beats several times a second when it is well."""
        return (time.monotonic_ns() - self._words[_BEAT]) / 1e9

    # ---- the consumer's side

    def take_over(self) -> int:
        """Begin to consume; return how many consumers have begun since the last `commit` or `fail`, this one included."""
        self._words[_ATTEMPTS] += 1
        return int(self._words[_ATTEMPTS])

    def beat(self) -> None:
        """Tell the other processes that the consumer is well."""
        self._words[_BEAT] = time.monotonic_ns()

    def fail(self, failing: bool) -> None:
        """Tell the other processes whether records cannot be brought to safety.

        The consumer was not ended by the records then, so its attempts are counted anew.
        """
        self._words[_FAILING] = failing
        self._words[_ATTEMPTS] = 0

    @property
    def number(self) -> int:
        """Number of commits, which is the number of the segment that is gathered now."""
        return int(self._words[_NUMBER])

    def began(self, now_ns: int) -> int:
        """Return when the present segment was begun, in nanoseconds since 1970: `now_ns` at the first call of the segment."""
        at = self._slot(self.number)
        if not self._words[at]:
            self._words[at] = now_ns
        return int(self._words[at])

    def heads(self) -> list[int]:
        """Return the position of each producer's head, behind its last record."""
        return list(self._words[self._heads : self._heads + self.producers])

    @property
    def waiting(self) -> bool:
        """Whether there are records that were not committed."""
        return any(head > self.committed(producer) for producer, head in enumerate(self.heads()))

    def go_on_from(self, number: int, began_ns: int) -> None:
        """Begin a new ring at the number and the beginning of a segment that another ring has left."""
        self._words[_NUMBER] = number
        self._words[self._slot(number)] = began_ns

    def committed(self, producer: int) -> int:
        """Return the position up to which a producer's records are safe."""
        return int(self._words[self._slot(self._words[_NUMBER]) + 1 + producer])

    def records(self, producer: int, since: int, until: int) -> Iterator[tuple[bytes, int]]:
        """Yield the records between two positions, each with the position behind it.

        until: a head, best one of an earlier call of `heads`: by now every processor sees the bytes of the records before it.
        """
        while since < until:
            (length,) = _LENGTH.unpack(self._copied(producer, since, _LENGTH.size))
            since += _LENGTH.size
            content = self._copied(producer, since, length)
            since += length
            yield content, since

    def commit(self, positions: Sequence[int]) -> None:
        """Give back the room before these positions, one a producer, once the records there are safe."""
        number = self.number + 1
        at = self._slot(number)
        self._words[at] = 0
        for producer, position in enumerate(positions):
            self._words[at + 1 + producer] = position
        self._words[_NUMBER] = number  # the one store by which all of it takes effect
        self._words[_ATTEMPTS] = 0

    # ---- counts

    def count(self, row: int, name: str, what: str, amount: int = 1) -> None:
        """Count one of COUNTED for a model. row: of a producer, or `producers` for the consumer."""
        at = self._counts + (row * len(self.names) + self._name_at[name]) * len(COUNTED) + _COUNT_AT[what]
        self._words[at] += amount

    def total(self, name: str, what: str) -> int:
        """Return the sum of one of COUNTED over all processes."""
        width, first = len(self.names) * len(COUNTED), self._name_at[name] * len(COUNTED) + _COUNT_AT[what]
        return sum(self._words[self._counts + row * width + first] for row in range(self.producers + 1))

    def totals(self, name: str) -> dict[str, int]:
        """Return the sums of all of COUNTED for a model."""
        return {what: self.total(name, what) for what in COUNTED}

    def _slot(self, number: int) -> int:
        """Return the index of a segment's beginning and positions. Two slots alternate: the next is filled before it counts."""
        return _SLOTS + (number & 1) * (1 + self.producers)

    def _copied(self, producer: int, position: int, length: int) -> bytes:
        base, at = self._base + producer * self.size, position % self.size
        first = min(length, self.size - at)
        return bytes(self._bytes[base + at : base + at + first]) + bytes(self._bytes[base : base + length - first])


class Producer:
    """The end of the ring where one producer puts its records.

    Args:
        words: The numbers of the ring.
        at: Index in `words` of the producer's head.
        memory: All bytes of the ring.
        base: Index in `memory` where the producer's bytes begin.
        size: Their number.
        committed: Returns the position up to which the records are safe.
    """

    def __init__(
        self, words: memoryview, at: int, memory: memoryview, base: int, size: int, committed: Callable[[], int]
    ):
        self._words = words
        self._at = at
        self._bytes = memory
        self._base = base
        self._size = size
        self._committed = committed
        self._head = words[at]
        self._most = 0

    def put(self, record: bytes) -> bool:
        """Put a record; return False where there is no room for it."""
        at, behind = self._head % self._size, self._head + _LENGTH.size + len(record)
        if behind > self._most:
            self._most = self._committed() + self._size
            if behind > self._most:
                return False
        begin, length = self._base + at + _LENGTH.size, len(record)
        if at + _LENGTH.size + length <= self._size:
            _LENGTH.pack_into(self._bytes, self._base + at, length)
            self._bytes[begin : begin + length] = record
        else:
            self._wrap(at, _LENGTH.pack(length) + record)
        self._head = self._words[self._at] = behind
        return True

    def _wrap(self, at: int, content: bytes) -> None:
        first = self._size - at
        self._bytes[self._base + at : self._base + self._size] = content[:first]
        self._bytes[self._base : self._base + len(content) - first] = content[first:]


def _attach(names: Sequence[str], producers: int, size: int, session: str, file: Any) -> Ring:
    return Ring(names, producers, size, session=session, _file=file.detach())


def _unnamed(size: int) -> int:
    """Return an unnamed file of zeros, in memory where the system has such files."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("slipway")
        os.truncate(file, size)
        return file
    with tempfile.TemporaryFile() as made:
        made.truncate(size)
        return os.dup(made.fileno())
