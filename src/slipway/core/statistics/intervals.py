"""Confidence intervals by the bootstrap, and paired differences on the same rows.

Percentile intervals after Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13. Rows are taken as
independent; where they come in clusters (days, customers) the true interval is wider.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from slipway.core.statistics.metrics import Array, Weighted
from slipway.types import Interval

_P = ParamSpec("_P")
_R = TypeVar("_R")

LEVEL = 0.95
RESAMPLES = 400
# Enough for a standard error, as chapter 6 of the same book says; the ends of an interval need hundreds.
RESAMPLES_OF_A_TRIAL = 50


def one_blas_thread(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let a function run with one BLAS thread: on thousands of short sums, several threads mostly wait for one another."""
    limited: Callable[_P, _R] = threadpool_limits.wrap(limits=1, user_api="blas")(function)
    return limited


@one_blas_thread
def bootstrap(
    metrics: Mapping[str, Weighted], rows: int, *, seed: int, resamples: int = RESAMPLES
) -> dict[str, Interval]:
    """Return each metric's value with its 95 % interval; all metrics see the same resamples.

    A metric that is undefined in a resample (only one class was drawn) is left out of that resample.
    """
    drawn = np.array(
        [[metric(weights) for metric in metrics.values()] for weights in _resamples(rows, seed, resamples)]
    ).reshape(resamples, len(metrics))
    ones = np.ones(rows)
    return {name: interval_of(metric(ones), drawn[:, i]) for i, (name, metric) in enumerate(metrics.items())}


def paired_differences(
    ours: Weighted,
    others: Mapping[str, Weighted],
    rows: int,
    *,
    seed: int,
    sign: float = 1.0,
    resamples: int = RESAMPLES,
) -> dict[str, Interval]:
    """Return `sign * (ours - other)` for each other with its 95 % interval, paired on the same resamples.

    Args:
        ours: The metric of the model, prepared.
        others: The same metric of the models to compare with, by name.
        rows: The number of rows.
        seed: The seed of the resamples.
        sign: 1 where a higher metric is better, -1 where a lower one is.
        resamples: The number of resamples.
    """
    own = remembering(ours)

    def better_than(other: Weighted) -> Weighted:
        return lambda weights: sign * (own(weights) - other(weights))

    return bootstrap({name: better_than(other) for name, other in others.items()}, rows, seed=seed, resamples=resamples)


def remembering(metric: Weighted) -> Weighted:
    """Return a metric that remembers its last value: several differences ask for the same resample one after the other."""
    last: list[tuple[Array, float]] = []

    def remembered(weights: Array) -> float:
        if not last or last[0][0] is not weights:
            last[:] = [(weights, metric(weights))]
        return last[0][1]

    return remembered


def resampled(metric: Weighted, rows: int, *, seed: int) -> tuple[float, ...]:
    """Return the metric under 50 resamples; equal seeds and row counts give equal resamples, so two models can be paired."""
    return tuple(metric(counts.astype(np.float64)) for counts in _counts(rows, seed))


@lru_cache(maxsize=32)  # each trial of a search asks for the same resamples, once a fold
def _counts(rows: int, seed: int) -> NDArray[np.uint8]:
    return np.stack([weights.astype(np.uint8) for weights in _resamples(rows, seed, RESAMPLES_OF_A_TRIAL)])


def _resamples(rows: int, seed: int, resamples: int) -> Iterator[Array]:
    rng = np.random.default_rng(seed)
    for _ in range(resamples):
        yield np.bincount(rng.integers(0, rows, rows), minlength=rows).astype(np.float64)


def interval_of(value: float, drawn: Array) -> Interval:
    """Return a value with the middle 95 % of its draws; draws that are not finite are left out."""
    drawn = drawn[np.isfinite(drawn)]
    if not drawn.size:
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))
