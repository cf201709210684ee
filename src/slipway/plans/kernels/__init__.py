"""The native part: plain functions over arrays, compiled by numba when the first plan is made."""

from slipway.plans.kernels._native import native
from slipway.plans.kernels._registers import NATIVE_RUN, run
from slipway.plans.kernels._sums import NATIVE_SUMS, sums
from slipway.plans.kernels._walks import NATIVE_WALK_LEAVES, NATIVE_WALK_VALUES, walk_leaves, walk_values

__all__ = [
    "NATIVE_RUN",
    "NATIVE_SUMS",
    "NATIVE_WALK_LEAVES",
    "NATIVE_WALK_VALUES",
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
