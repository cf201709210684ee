"""Counters of a variant, shared by the fronts and the comparer, each with a row of its own.

The fronts count the requests of a canary, the comparer counts those of a shadow; the sums read alike.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slipway.serving.counters.models import STATUSES, Counters, ModelCounters
from slipway.sharedmem.floats import SharedFloats

BOUNDS_S = tuple(round(10 ** (step / 10 - 4), 7) for step in range(55))
"""Upper bounds of the latency histograms in seconds, ten a decade from 0.1 ms to 25 s: percentiles are judged by them."""

DISTANCE_BOUNDS = (0.0, 0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 10.0, 100.0, 1000.0)
"""Upper bounds of the histogram of distances: between scores, 0 to 1, or between values in their own unit."""

# The layout of a row.
ROWS, ERRORS, COMPARED, COMPARED_ROWS, DISAGREEMENTS, DROPPED = range(6)
_STATUSES = 6
_STATUS_AT = {status: _STATUSES + number for number, status in enumerate(STATUSES)}
_OTHER = _STATUSES + len(STATUSES)

VARIANT_LATENCY = _OTHER + 1
"""Latency of the variant: its buckets, then the sum of seconds."""

PRIMARY_LATENCY = VARIANT_LATENCY + len(BOUNDS_S) + 2
"""Latency of the primary meanwhile, alike."""

DISTANCES = PRIMARY_LATENCY + len(BOUNDS_S) + 2
"""Distances: their buckets, then their sum."""

_WIDTH = DISTANCES + len(DISTANCE_BOUNDS) + 2


class VariantCounters:
    """The rows of `fronts` fronts and, as the last one, the row of the comparer. Can be handed to a forked process."""

    def __init__(self, fronts: int, shared: SharedFloats | None = None):
        self.fronts = fronts
        self._shared = shared or SharedFloats(_WIDTH * (fronts + 1))

    def __reduce__(self) -> tuple[Any, ...]:
        return VariantCounters, (self.fronts, self._shared)

    @property
    def comparing(self) -> int:
        """The number of the comparer's row."""
        return self.fronts

    def row(self, number: int) -> "VariantRow":
        """Return the row that one process counts in."""
        return VariantRow(self._shared.values, _WIDTH * number)

    def tally(self) -> "Tally":
        """Return the sums over all processes."""
        values = self._shared.values
        rows = [values[at : at + _WIDTH] for at in range(0, len(values), _WIDTH)]
        return Tally(tuple(map(sum, zip(*rows, strict=True))))


class VariantRow:
    """The counters of a variant in the row of one process."""

    __slots__ = ("_at", "_values")

    def __init__(self, values: "memoryview[float]", at: int):
        self._values, self._at = values, at

    def add(self, number: int, amount: float = 1.0) -> None:
        """Count one of the plain numbers, such as ERRORS."""
        self._values[self._at + number] += amount

    def answered(self, status: int, seconds: float) -> None:
        """Count an answer of the variant."""
        self.add(_STATUS_AT.get(status, _OTHER))
        self.took(VARIANT_LATENCY, seconds)

    def took(self, whose: int, seconds: float) -> None:
        """Count the seconds that an answer took. whose: VARIANT_LATENCY or PRIMARY_LATENCY."""
        self._observe(whose, BOUNDS_S, seconds)

    def apart(self, distances: Sequence[float]) -> None:
        """Count the distances between the answers to one request."""
        for distance in distances:
            self._observe(DISTANCES, DISTANCE_BOUNDS, distance)

    def _observe(self, first: int, bounds: Sequence[float], value: float) -> None:
        at = self._at + first
        self._values[at + bisect_left(bounds, value)] += 1
        self._values[at + len(bounds) + 1] += value


@dataclass(frozen=True)
class Histogram:
    """A histogram. counts: values within each of `bounds`, and beyond the last. total: the sum of the values."""

    bounds: tuple[float, ...]
    counts: tuple[float, ...]
    total: float

    @property
    def count(self) -> float:
        return sum(self.counts)

    def quantile(self, share: float) -> float | None:
        """Return the value below which a share of the values lies, interpolated within its bucket; None for no values."""
        rest = share * self.count
        if not rest:
            return None
        for number, count in enumerate(self.counts[:-1]):
            if count and rest <= count:
                low = self.bounds[number - 1] if number else 0.0
                return low + (self.bounds[number] - low) * rest / count
            rest -= count
        return self.bounds[-1]

    def above(self, value: float) -> float:
        """Return how many values are certainly above `value`: those in the bucket of `value` are not counted."""
        lows = (0.0, *self.bounds)
        return sum(count for low, count in zip(lows, self.counts, strict=True) if low >= value)


@dataclass(frozen=True)
class Tally:
    """The sums over all processes at one time, or the difference between two such."""

    values: tuple[float, ...]

    def __sub__(self, earlier: "Tally") -> "Tally":
        return Tally(tuple(now - then for now, then in zip(self.values, earlier.values, strict=True)))

    def __getitem__(self, number: int) -> float:
        return self.values[number]

    @property
    def statuses(self) -> dict[int, float]:
        """Answers of the variant by status, 0 for others."""
        return dict(zip((*STATUSES, 0), self.values[_STATUSES:], strict=False))

    @property
    def requests(self) -> float:
        """Number of requests to the variant."""
        return sum(self.values[_STATUSES : _OTHER + 1])

    @property
    def variant_latency(self) -> Histogram:
        return self._histogram(VARIANT_LATENCY, BOUNDS_S)

    @property
    def primary_latency(self) -> Histogram:
        return self._histogram(PRIMARY_LATENCY, BOUNDS_S)

    @property
    def distances(self) -> Histogram:
        return self._histogram(DISTANCES, DISTANCE_BOUNDS)

    def _histogram(self, at: int, bounds: tuple[float, ...]) -> Histogram:
        end = at + len(bounds) + 1
        return Histogram(bounds, self.values[at:end], self.values[end])


class CanaryCounters(ModelCounters):
    """The counters of a model whose rows a canary answers: they are counted for the model, and for the variant."""

    __slots__ = ("_row",)

    def __init__(self, counters: Counters, number: int, model: str, row: VariantRow):
        super().__init__(counters, number, model)
        self._row = row

    def count_rows(self, rows: int, where: int) -> None:
        super().count_rows(rows, where)
        self._row.add(ROWS, rows)


@dataclass(frozen=True)
class VariantLink:
    """The part of a variant that a front needs. numbers: its counters. copies: the Unix socket of the comparer."""

    numbers: VariantCounters
    copies: str
