"""The native part: plain functions over arrays, compiled by numba when the first plan is made."""

from slipway.plans.kernels._links import NATIVE_LINKS_32, NATIVE_LINKS_64, links32, links64
from slipway.plans.kernels._native import native
from slipway.plans.kernels._registers import NATIVE_RUN, run
from slipway.plans.kernels._sums import NATIVE_SUMS, sums
from slipway.plans.kernels._walks import (
    NATIVE_WALK_LEAVES,
    NATIVE_WALK_VALUES,
    NATIVE_WALK_VALUES_32,
    walk_leaves,
    walk_values,
)

__all__ = [
    "NATIVE_LINKS_32",
    "NATIVE_LINKS_64",
    "NATIVE_RUN",
    "NATIVE_SUMS",
    "NATIVE_WALK_LEAVES",
    "NATIVE_WALK_VALUES",
    "NATIVE_WALK_VALUES_32",
    "links32",
    "links64",
    "native",
    "run",
    "sums",
    "walk_leaves",
    "walk_values",
    "warm",
]


def warm() -> None:
    """Load all machine code now, so that the first answer of a process that is forked from this one does not wait for it."""
    native(run, NATIVE_RUN)
    native(sums, NATIVE_SUMS)
    native(walk_leaves, NATIVE_WALK_LEAVES)
    native(walk_values, NATIVE_WALK_VALUES)
    native(walk_values, NATIVE_WALK_VALUES_32)
    native(links32, NATIVE_LINKS_32)
    native(links64, NATIVE_LINKS_64)
