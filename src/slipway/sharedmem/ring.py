"""Bytes that some processes hand to one other through memory that they share: nobody waits, nothing is lost with a process.

Each giver has a ring of its own, so nothing is locked: it puts a record behind its head or finds no room. The taker reads
without giving the room back; only when it has brought what it read to safety does it `commit`, and that is a single store. A
taker that is killed before leaves all to its successor, which makes the same thing under the same `number` and `began` again.

The supervisor holds the memory as well; it is gone when the last process is.
"""

import mmap
import os
import secrets
import struct
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing import reduction
from typing import Any

RING_BYTES = 16_000_000
"""Of a giver. Only what is used takes memory."""

COUNTED = ("full", "large", "disk", "writer", "labels", "rows")
"""What is counted by name of a model: records that were dropped, by reason, then labels that were taken and rows written."""
REASONS = COUNTED[:4]

_LENGTH = struct.Struct(">I")
_NUMBER, _ATTEMPTS, _BEAT, _FAILING = range(4)
_SLOTS = 4
_COUNT_AT = {what: number for number, what in enumerate(COUNTED)}


class Ring:
    """The rings of `givers` processes, and what they and the taker count by name. Can be handed to a process that is started.

    session: of this memory; no other one has the same.
    """

    def __init__(
        self, names: Sequence[str], givers: int, size: int = RING_BYTES, *, session: str = "", _file: int | None = None
    ):
        self.names, self.givers, self.size = tuple(names), givers, size
        self.session = session or secrets.token_hex(4)
        self._name_at = {name: number for number, name in enumerate(self.names)}
        self._heads = _SLOTS + 2 * (1 + givers)
        self._counts = self._heads + givers
        words = self._counts + (givers + 1) * len(self.names) * len(COUNTED)
        self._base = 8 * words
        self._file = _unnamed(self._base + givers * size) if _file is None else _file
        self._map = mmap.mmap(self._file, self._base + givers * size)
        self._bytes = memoryview(self._map)
        self._words = self._bytes[: self._base].cast("Q")
        if _file is None:
            self.beat()  # a taker that is not there yet has its time to come

    def __reduce__(self) -> tuple[Any, ...]:
        return _attach, (self.names, self.givers, self.size, self.session, reduction.DupFd(self._file))

    # ---- a giver's side

    def producer(self, row: int) -> "Producer":
        """Return the end of one giver, which is one thread of one process at a time."""
        return Producer(
            self._words,
            self._heads + row,
            self._bytes,
            self._base + row * self.size,
            self.size,
            partial(self.kept, row),
        )

    @property
    def failing(self) -> bool:
        """Whether the taker cannot bring anything to safety at present."""
        return bool(self._words[_FAILING])

    @property
    def silent_s(self) -> float:
        """How long the taker has done nothing; it does something several times a second when it is well."""
        return (time.monotonic_ns() - self._words[_BEAT]) / 1e9

    # ---- the taker's side

    def take_over(self) -> int:
        """Begin to take; return how many have begun since one came to an end with the records, this one included."""
        self._words[_ATTEMPTS] += 1
        return int(self._words[_ATTEMPTS])

    def beat(self) -> None:
        """Say that the taker is well."""
        self._words[_BEAT] = time.monotonic_ns()

    def fail(self, failing: bool) -> None:
        """Say whether it cannot bring anything to safety. It came as far as that, so the records did not end it."""
        self._words[_FAILING] = failing
        self._words[_ATTEMPTS] = 0

    @property
    def number(self) -> int:
        """How often was committed: the number of what is gathered now."""
        return int(self._words[_NUMBER])

    def began(self, now_ns: int) -> int:
        """Return when what is gathered now was begun, in nanoseconds since 1970: `now_ns` when it is asked first."""
        at = self._slot(self.number)
        if not self._words[at]:
            self._words[at] = now_ns
        return int(self._words[at])

    def heads(self) -> list[int]:
        """Return up to where the givers have put something."""
        return list(self._words[self._heads : self._heads + self.givers])

    @property
    def waiting(self) -> bool:
        """Whether anything was put that is not safe."""
        return any(head > self.kept(producer) for producer, head in enumerate(self.heads()))

    def go_on_from(self, number: int, began_ns: int) -> None:
        """Gather under this number from here on, as begun then: in a ring that was just made, for what is left of another."""
        self._words[_NUMBER] = number
        self._words[self._slot(number)] = began_ns

    def kept(self, producer: int) -> int:
        """Return up to where a giver's records are safe."""
        return int(self._words[self._slot(self._words[_NUMBER]) + 1 + producer])

    def records(self, producer: int, since: int, until: int) -> Iterator[tuple[bytes, int]]:
        """Yield the records between two positions, each with the position behind it.

        until: of `heads`, and best of those of a while ago, when every processor has seen what is before it.
        """
        while since < until:
            (length,) = _LENGTH.unpack(self._copied(producer, since, _LENGTH.size))
            since += _LENGTH.size
            content = self._copied(producer, since, length)
            since += length
            yield content, since

    def commit(self, positions: Sequence[int]) -> None:
        """Give back the room up to these positions, one a giver: what is before them is safe."""
        number = self.number + 1
        at = self._slot(number)
        self._words[at] = 0
        for producer, position in enumerate(positions):
            self._words[at + 1 + producer] = position
        self._words[_NUMBER] = number
        self._words[_ATTEMPTS] = 0

    # ---- counts

    def count(self, row: int, name: str, what: str, amount: int = 1) -> None:
        """Count one of COUNTED. row: of a giver, or `givers` for the taker."""
        at = self._counts + (row * len(self.names) + self._name_at[name]) * len(COUNTED) + _COUNT_AT[what]
        self._words[at] += amount

    def total(self, name: str, what: str) -> int:
        """Return what all have counted."""
        width, first = len(self.names) * len(COUNTED), self._name_at[name] * len(COUNTED) + _COUNT_AT[what]
        return sum(self._words[self._counts + row * width + first] for row in range(self.givers + 1))

    def totals(self, name: str) -> dict[str, int]:
        """Return all that was counted under a name."""
        return {what: self.total(name, what) for what in COUNTED}

    def _slot(self, number: int) -> int:
        """Where the beginning and the positions of a number are; those of the next one are elsewhere, to be made ready."""
        return _SLOTS + (number & 1) * (1 + self.givers)

    def _copied(self, producer: int, position: int, length: int) -> bytes:
        base, at = self._base + producer * self.size, position % self.size
        first = min(length, self.size - at)
        return bytes(self._bytes[base + at : base + at + first]) + bytes(self._bytes[base : base + length - first])


class Producer:
    """Where a giver puts its records. words[at]: its head. kept: up to where its records are safe."""

    def __init__(self, words: memoryview, at: int, memory: memoryview, base: int, size: int, kept: Callable[[], int]):
        self._words, self._at, self._bytes, self._base, self._size, self._kept = words, at, memory, base, size, kept
        self._head, self._most = words[at], 0

    def put(self, record: bytes) -> bool:
        """Put a record; False where there is no room for it."""
        at, behind = self._head % self._size, self._head + _LENGTH.size + len(record)
        if behind > self._most:
            self._most = self._kept() + self._size
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


def _attach(names: Sequence[str], givers: int, size: int, session: str, file: Any) -> Ring:
    return Ring(names, givers, size, session=session, _file=file.detach())


def _unnamed(size: int) -> int:
    """Return a file of zeros without a name; in memory alone where there is such a thing."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("slipway")
        os.truncate(file, size)
        return file
    with tempfile.TemporaryFile() as made:
        made.truncate(size)
        return os.dup(made.fileno())
