"""The native part: plain functions over arrays, compiled by numba when the first plan is made."""

from slipway.compile._kernels._native import native
from slipway.compile._kernels._registers import NATIVE_RUN, run
from slipway.compile._kernels._sums import NATIVE_SUMS, sums
from slipway.compile._kernels._walks import NATIVE_WALK_LEAVES, NATIVE_WALK_VALUES, walk_leaves, walk_values

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
]
