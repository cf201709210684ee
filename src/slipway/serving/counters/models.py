"""Counters of the models of an endpoint, shared by all its processes, so that any front can show their sums.

Every process maps the counters. Each front writes to a row of its own, so no lock is needed. The supervisor holds the memory,
so the counts of a front that died stay, and its successor goes on from them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from slipway.core.expectations import Find, Unexpected
from slipway.sharedmem.floats import SharedFloats

STATUSES = (200, 303, 400, 401, 404, 405, 408, 411, 413, 415, 431, 500, 501, 503, 504)
"""Every status that a front answers with; any other one is counted as 0."""

BOUNDS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the latency histogram, in seconds."""

_STATUS_AT = {status: number for number, status in enumerate(STATUSES)}

# A model's part of a row.
_OTHER = len(STATUSES)
_BUCKETS = _OTHER + 1
_SECONDS = _BUCKETS + len(BOUNDS_S) + 1
ROWS, FAST_PATH, BACK = _SECONDS + 1, _SECONDS + 2, _SECONDS + 3
_FINDS = _SECONDS + 4

MOST_COLUMNS = 256
"""Columns of a model, over all its versions, whose unexpected values are counted; further columns are counted under ""."""

_PER_COLUMN = 1 + len(Unexpected)
"""The hash of a column's name, and its counts."""

_PER_MODEL = _FINDS + _PER_COLUMN * (MOST_COLUMNS + 1)

# The part of a row before those of the models: numbers of the front itself.
CONNECTIONS, WAITING, TURNS = 0, 1, 2
# The same of the supervisor, which has a row of its own.
SWAPS, FAILED_GENERATIONS, FRONTS_REPLACED, BACKS_REPLACED = 3, 4, 5, 6
_OWN = 1 + max(CONNECTIONS, WAITING, TURNS, SWAPS, FAILED_GENERATIONS, FRONTS_REPLACED, BACKS_REPLACED)
"""The length of that part. A new number belongs into this list: without it, the number lies on the first model's part."""


class Counters:
    """The counters of all fronts, a row each, and of the supervisor in the last row. Can be handed to a forked process.

    Args:
        models: Names, in the order of their parts of a row; requests to no model are counted under "".
        fronts: Number of fronts.
        shared: The memory; None to make it.
    """

    def __init__(self, models: tuple[str, ...], fronts: int, shared: SharedFloats | None = None):
        self.models, self.fronts = models, fronts
        self._width = _OWN + _PER_MODEL * (len(models) + 1)
        self._shared = shared or SharedFloats(self._width * (fronts + 1))
        self.values = self._shared.values
        self._part = {model: number for number, model in enumerate((*models, ""))}

    def __reduce__(self) -> tuple[Any, ...]:
        return Counters, (self.models, self.fronts, self._shared)

    @property
    def supervisor(self) -> int:
        """The number of the supervisor's row."""
        return self.fronts

    def offset(self, row: int, model: str) -> int:
        """Return the index in `values` where a row's part of a model begins."""
        return row * self._width + _OWN + _PER_MODEL * self._part[model]

    def add(self, row: int, number: int, amount: float = 1.0) -> None:
        """Count one of a row's own numbers, such as SWAPS."""
        self.values[row * self._width + number] += amount

    def put(self, row: int, number: int, value: float) -> None:
        """Set one of a row's own numbers, such as WAITING."""
        self.values[row * self._width + number] = value

    def own(self, row: int, number: int) -> float:
        """Return one of a row's own numbers."""
        return self.values[row * self._width + number]

    def total(self, number: int) -> float:
        """Return the sum of one of the rows' own numbers over all processes."""
        return sum(self.own(row, number) for row in range(self.fronts + 1))


class ModelCounters:
    """The counters of one model in the row of one front."""

    __slots__ = ("_at", "_values")

    def __init__(self, counters: Counters, row: int, model: str):
        self._values = counters.values
        self._at = counters.offset(row, model)

    def count(self, status: int, seconds: float) -> None:
        """Count an answer and the seconds that it took."""
        values, at = self._values, self._at
        values[at + _STATUS_AT.get(status, _OTHER)] += 1
        values[at + _BUCKETS + bisect_left(BOUNDS_S, seconds)] += 1
        values[at + _SECONDS] += seconds

    def count_rows(self, rows: int, where: int) -> None:
        """Count the rows of an answered request. where: FAST_PATH or BACK. The rows of a back's answer are not known: 0."""
        values, at = self._values, self._at
        values[at + ROWS] += rows
        values[at + where] += 1

    def count_finds(self, finds: Iterable[tuple[str, Find]]) -> None:
        """Count values that a contract does not expect, by the names of their columns."""
        for name, find in finds:
            self._values[self._place(name) + 1 + find.kind] += find.count

    def _place(self, name: str) -> int:
        """Return the index where a column is counted; a new column takes the first free place.

        The hash of the name marks the place, since versions differ in their columns and the successor of a front has to go on
        with its counts.
        """
        key, first = _key(name), self._at + _FINDS
        for at in range(first + _PER_COLUMN, first + _PER_COLUMN * (MOST_COLUMNS + 1), _PER_COLUMN):
            if self._values[at] in (key, 0.0):
                self._values[at] = key
                return at
        return first


def _key(name: str) -> float:
    """Return the hash of a column's name as a number that a float holds exactly, never 0."""
    return 1.0 + int.from_bytes(blake2b(name.encode(), digest_size=6).digest(), "big")


def found_by_column(counters: Counters, model: str, names: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Return the sums over all fronts by column: one number for each Unexpected."""
    sums: dict[float, list[float]] = {}
    for row in range(counters.fronts):
        first = counters.offset(row, model) + _FINDS
        for at in range(first, first + _PER_COLUMN * (MOST_COLUMNS + 1), _PER_COLUMN):
            key, *counts = counters.values[at : at + _PER_COLUMN]
            if not key and at > first:  # all places behind it are free
                break
            if any(counts):
                sums[key] = [a + b for a, b in zip(sums.get(key, [0.0] * len(Unexpected)), counts, strict=True)]
    return {name: tuple(sums.get(_key(name) if name else 0.0, [0.0] * len(Unexpected))) for name in names}


@dataclass(frozen=True)
class Totals:
    """The sums over all fronts for one model.

    Attributes:
        statuses: Answers by status, 0 for others.
        buckets: Answers within each of BOUNDS_S, and beyond the last.
        seconds: Sum of the latencies.
        rows: Rows that were answered.
        fast_path: Requests that the fast path answered.
        back: Requests that a back answered.
    """

    statuses: dict[int, float]
    buckets: tuple[float, ...]
    seconds: float
    rows: float
    fast_path: float
    back: float


def totals(counters: Counters, model: str) -> Totals:
    """Return the sums over all fronts for one model."""
    parts = [counters.offset(row, model) for row in range(counters.fronts)]
    sums = [sum(counters.values[at + number] for at in parts) for number in range(_PER_MODEL)]
    statuses = dict(zip((*STATUSES, 0), sums, strict=False))
    return Totals(statuses, tuple(sums[_BUCKETS:_SECONDS]), sums[_SECONDS], sums[ROWS], sums[FAST_PATH], sums[BACK])
