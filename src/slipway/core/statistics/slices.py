"""Slices: parts of the test rows by the values of a column, and the metric on each part.

A model that is good on the whole can fail on one carrier or one month. A slice counts as worse only where it is worse than
the rest of the rows beyond the noise of both.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slipway.core.statistics.intervals import interval_of, one_blas_thread
from slipway.core.statistics.metrics import Array, Metric, Outcome
from slipway.types import Interval

OTHER, MISSING = "(other)", "(missing)"
FEWEST_ROWS = 30
_FEWEST_MONTHS = 3
RESAMPLES = 200
# A larger part is resampled by so many rows, and the spread is scaled to all its rows by the square-root law: Bickel, Götze
# and van Zwet, Resampling Fewer Than n Observations, Statistica Sinica 7 (1997). 60 slices take seconds so.
MOST_RESAMPLED = 8192

Places = NDArray[np.intp]
Named = tuple[Places, list[str]]
"""The position of each row's name among the names, -1 for a missing value, and the names."""


@dataclass(frozen=True)
class Slice:
    """The rows that have one value of a column.

    Attributes:
        column: The name of the column.
        value: The name of the value.
        rows: The number of rows.
        interval: The metric on the rows; None where the metric is not defined.
        reason: Why the metric is not defined; empty where it is.
        difference: How much better the metric is on the slice than on the rest of the rows, negative where it is worse, with
            independent resamples of both; None where one of the two is not defined.
    """

    column: str
    value: str
    rows: int
    interval: Interval | None
    reason: str = ""
    difference: Interval | None = None

    @property
    def worse(self) -> bool:
        """Whether the slice is worse than the rest beyond the noise: the whole interval of the difference is below 0."""
        return self.difference is not None and self.difference.high < 0


@dataclass(frozen=True)
class SliceEstimate:
    """The metric on a slice, or how much better one model is on the slice than another, with the standard error."""

    column: str
    value: str
    rows: int
    estimate: float
    error: float


@one_blas_thread
def slices(outcome: Outcome, labels: Mapping[str, pd.Series], metric: Metric, *, seed: int) -> tuple[Slice, ...]:
    """Measure every slice of every column, with 95 % intervals from 200 resamples.

    Args:
        outcome: The Outcome of all test rows.
        labels: By column the name of each row's slice, (rows,) in the Outcome's order, as `slice_labels` makes them. Slices
            are returned in the order of its categories.
        metric: The metric to measure.
        seed: The seed of the resamples.
    """
    ranked = _ranked(outcome)
    outcome = outcome.take(ranked)
    return tuple(
        _slice(outcome, column, value, mask[ranked], metric, seed)
        for column, names in labels.items()
        for value, mask in _masks(names)
    )


@one_blas_thread
def estimates(
    outcome: Outcome, labels: Mapping[str, pd.Series], metric: Metric, *, seed: int, other: Outcome | None = None
) -> tuple[SliceEstimate, ...]:
    """Estimate the metric on every slice where it is defined, with standard errors from 200 resamples.

    Args:
        outcome: The Outcome of all test rows.
        labels: By column the name of each row's slice, as for `slices`.
        metric: The metric to estimate.
        seed: The seed of the resamples.
        other: Another Outcome of the same rows. The estimate is then how much better `outcome` is than `other`, and both see
            the same resamples.
    """
    return tuple(
        found
        for column, names in labels.items()
        for value, mask in _masks(names)
        if (found := _estimate(column, value, [o.take(mask) for o in (outcome, other) if o], metric, seed))
    )


def values_beside(
    ours: Outcome, theirs: Outcome, labels: Mapping[str, pd.Series], metric: Metric
) -> Mapping[tuple[str, str], tuple[float, float]]:
    """Return the metric of two Outcomes of the same rows on every slice where it is defined, by column and value.

    No row is resampled, so that a page can ask for it. Arguments as for `estimates`.
    """
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for column, names in labels.items():
        for value, mask in _masks(names):
            parts = [outcome.take(mask) for outcome in (ours, theirs)]
            if not any(_undefined(part, metric) for part in parts):
                ones = np.ones(parts[0].rows)
                first, second = (metric.prepare(part)(ones) for part in parts)
                found[column, value] = float(first), float(second)
    return found


def _estimate(column: str, value: str, parts: list[Outcome], metric: Metric, seed: int) -> SliceEstimate | None:
    if any(_undefined(part, metric) for part in parts):
        return None
    values, drawn = zip(*(_resampled(part, metric, seed, 0) for part in parts), strict=True)
    sign = 1.0 if metric.greater_is_better else -1.0
    estimate, spread = (
        (values[0], drawn[0]) if len(parts) == 1 else (metric.better(*values), sign * (drawn[0] - drawn[1]))
    )
    spread = spread[np.isfinite(spread)]
    if not np.isfinite(estimate) or len(spread) < 2:
        return None
    return SliceEstimate(column, value, parts[0].rows, float(estimate), float(spread.std(ddof=1)))


def _ranked(outcome: Outcome) -> Places:
    """Return the order of the rows by score: parts of sorted rows are sorted, so metrics that rank rows have little to do."""
    if outcome.scores is None or outcome.scores.ndim > 1:
        return np.arange(outcome.rows)
    return np.argsort(outcome.scores, kind="stable")


def _masks(names: pd.Series) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    categorical = names.astype("category").cat
    codes = categorical.codes.to_numpy()
    for code, value in enumerate(categorical.categories):
        mask = codes == code
        if mask.any():
            yield str(value), mask


def _slice(outcome: Outcome, column: str, value: str, mask: NDArray[np.bool_], metric: Metric, seed: int) -> Slice:
    part, rest = outcome.take(mask), outcome.take(~mask)
    if reason := _undefined(part, metric):
        return Slice(column, value, part.rows, None, reason)
    own, drawn = _resampled(part, metric, seed, 0)
    interval = interval_of(own, drawn)
    if not np.isfinite(own):
        return Slice(column, value, part.rows, None, f"{metric.name} is not defined on these rows")
    if _undefined(rest, metric):
        return Slice(column, value, part.rows, interval)
    other, drawn_of_rest = _resampled(rest, metric, seed, 1)
    sign = 1.0 if metric.greater_is_better else -1.0
    difference = interval_of(metric.better(own, other), sign * (drawn - drawn_of_rest))
    return Slice(column, value, part.rows, interval, difference=difference if np.isfinite(other) else None)


def _undefined(part: Outcome, metric: Metric) -> str:
    """Say why the metric is not defined on a part; empty where it may be."""
    if part.rows < FEWEST_ROWS:
        return f"fewer than {FEWEST_ROWS} rows"
    counted = part.truth if part.weights is None else part.truth[part.weights > 0]
    if not len(counted):
        return "no row with a weight above 0"
    return "one class only" if metric.compares_classes and np.ptp(counted) == 0 else ""


def _resampled(part: Outcome, metric: Metric, seed: int, stream: int) -> tuple[float, Array]:
    """Return the metric on a part, and its values under resamples; different streams are independent."""
    value = metric.prepare(part)(np.ones(part.rows))
    few = part
    if part.rows > MOST_RESAMPLED:
        few = part.take(np.sort(np.random.default_rng([seed, stream, 0]).permutation(part.rows)[:MOST_RESAMPLED]))
    prepared = metric.prepare(few)
    drawn = np.array([prepared(counts.astype(np.float64)) for counts in _counts(few.rows, seed, stream)])
    if few is part:
        return value, drawn
    return value, value + (drawn - prepared(np.ones(few.rows))) * np.sqrt(few.rows / part.rows)


@lru_cache(maxsize=2)  # all large parts share their resamples
def _counts(rows: int, seed: int, stream: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng([seed, stream, 1])
    drawn = (np.bincount(rng.integers(0, rows, rows), minlength=rows) for _ in range(RESAMPLES))
    return np.stack([counts.astype(np.uint8) for counts in drawn])


def slice_labels(column: pd.Series, most: int = 12) -> pd.Series:
    """Name the slice of each row, as an ordered categorical whose categories are in the order in which slices are read.

    Categories and truth values have a slice a value; values beyond the `most` frequent ones share "(other)". Numbers have a
    slice a value where there are at most `most` values, else quarters of the rows, named by their ends: "12 to 40". Times have
    a slice a calendar month, or a day where there are one or two months; more than `most` of these become quarters of the rows.
    Missing values are in "(missing)".
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        codes, names = _times(column, most)
    elif pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        codes, names = _numbers(column, most)
    else:
        codes, names = _categories(column, most)
    order = list(dict.fromkeys([*names, MISSING]))
    places: Places = np.where(codes < 0, order.index(MISSING), codes)
    named = pd.Categorical.from_codes(places, pd.Index(order), ordered=True)
    return pd.Series(named.remove_unused_categories(), index=column.index, name=column.name)


def _categories(column: pd.Series, most: int) -> Named:
    codes, values = pd.factorize(column)
    names = [str(value) or "(empty)" for value in values]
    rows = Counter[str]()
    for name, count in zip(names, np.bincount(codes[codes >= 0], minlength=len(names)), strict=True):
        rows[name] += int(count)
    frequent = sorted(sorted(rows, key=lambda name: (-rows[name], name))[:most])
    order = list(dict.fromkeys([*frequent, OTHER]))
    place = {name: order.index(name if name in frequent else OTHER) for name in rows}
    return np.array([*(place[name] for name in names), -1])[codes], order


def _numbers(column: pd.Series, most: int) -> Named:
    codes, values = pd.factorize(column.to_numpy(dtype=np.float64, na_value=np.nan), sort=True)
    if len(values) <= most:
        return codes, _told_apart(lambda digits: [_written(value, digits) for value in values.tolist()], 10)
    parts, starts, ends = _quarters(codes)
    names = {place: float(values[place]) for place in (*starts, *ends)}
    return parts, _told_apart(
        lambda digits: _spans(starts, ends, {place: _written(value, digits) for place, value in names.items()}), 4
    )


def _times(column: pd.Series, most: int) -> Named:
    wall = column.dt.tz_localize(None)
    codes, periods = pd.factorize(wall.dt.to_period("M"), sort=True)
    if len(periods) < _FEWEST_MONTHS:
        codes, periods = pd.factorize(wall.dt.to_period("D"), sort=True)
    names = [str(period) for period in periods]
    if len(names) <= most:
        return codes, names
    parts, starts, ends = _quarters(codes)
    return parts, _spans(starts, ends, dict(enumerate(names)))


def _quarters(codes: Places) -> tuple[Places, list[int], list[int]]:
    """Cut rows along the order of their values in four parts of about equally many rows; one frequent value makes parts fewer.

    Returns the part of each row, -1 where the value is missing, and the first and the last value of each part.
    """
    ends = np.unique(np.quantile(codes[codes >= 0], [0.25, 0.5, 0.75, 1], method="inverted_cdf"))
    parts = np.where(codes < 0, -1, np.searchsorted(ends, codes))
    return parts, [0, *(int(end) + 1 for end in ends[:-1])], [int(end) for end in ends]


def _spans(starts: list[int], ends: list[int], names: Mapping[int, str]) -> list[str]:
    return [names[a] if a == b else f"{names[a]} to {names[b]}" for a, b in zip(starts, ends, strict=True)]


def _written(value: float, digits: int) -> str:
    return f"{value:.0f}" if value.is_integer() or abs(value) >= 10**digits else f"{value:.{digits}g}"


def _told_apart(name: Callable[[int], list[str]], digits: int) -> list[str]:
    """Return the names with so many significant digits, or with as many more as make the names different."""
    written = (name(enough) for enough in (digits, 10, 17))
    return next((names for names in written if len(set(names)) == len(names)), name(17))
