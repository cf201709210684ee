"""The native part: plain functions over arrays, compiled by numba when the first plan is made."""

from slipway.plans.kernels._native import native
from slipway.plans.kernels._registers import NATIVE_RUN, run
from slipway.plans.kernels._sums import NATIVE_SUMS, sums
from slipway.plans.kernels._terms import (
    L1,
    L2,
    NATIVE_HASH,
    NATIVE_NORMALISE,
    NATIVE_PROJECT,
    NATIVE_RUNS,
    NATIVE_SPREAD,
    hash_terms,
    normalise,
    project,
    runs,
    spread,
)
from slipway.plans.kernels._walks import NATIVE_WALK_LEAVES, NATIVE_WALK_VALUES, walk_leaves, walk_values

__all__ = [
    "L1",
    "L2",
    "NATIVE_HASH",
    "NATIVE_NORMALISE",
    "NATIVE_PROJECT",
    "NATIVE_RUN",
    "NATIVE_RUNS",
    "NATIVE_SPREAD",
    "NATIVE_SUMS",
    "NATIVE_WALK_LEAVES",
    "NATIVE_WALK_VALUES",
    "hash_terms",
    "native",
    "normalise",
    "project",
    "run",
    "runs",
    "spread",
    "sums",
    "walk_leaves",
    "walk_values",
    "warm",
]


def warm() -> None:
    """Load all machine code now, so that the first answer of a process that is forked from this one does not wait for it."""
    native(run, NATIVE_RUN)
    native(sums, NATIVE_SUMS)
    native(runs, NATIVE_RUNS)
    native(hash_terms, NATIVE_HASH)
    native(normalise, NATIVE_NORMALISE)
    native(spread, NATIVE_SPREAD)
    native(project, NATIVE_PROJECT)
    native(walk_leaves, NATIVE_WALK_LEAVES)
    native(walk_values, NATIVE_WALK_VALUES)
