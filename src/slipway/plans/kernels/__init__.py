"""The native part: plain functions over arrays, compiled by numba when the first plan is made."""

from slipway.plans.kernels._links import NATIVE_LINKS_32, NATIVE_LINKS_64, links32, links64
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
from slipway.plans.kernels._walks import (
    NATIVE_WALK_LEAVES,
    NATIVE_WALK_VALUES,
    NATIVE_WALK_VALUES_32,
    walk_leaves,
    walk_values,
)

__all__ = [
    "L1",
    "L2",
    "NATIVE_HASH",
    "NATIVE_LINKS_32",
    "NATIVE_LINKS_64",
    "NATIVE_NORMALISE",
    "NATIVE_PROJECT",
    "NATIVE_RUN",
    "NATIVE_RUNS",
    "NATIVE_SPREAD",
    "NATIVE_SUMS",
    "NATIVE_WALK_LEAVES",
    "NATIVE_WALK_VALUES",
    "NATIVE_WALK_VALUES_32",
    "hash_terms",
    "links32",
    "links64",
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
    native(walk_values, NATIVE_WALK_VALUES_32)
    native(links32, NATIVE_LINKS_32)
    native(links64, NATIVE_LINKS_64)
