"""Compilation of a Python function over arrays to machine code, which is kept on disk where that is possible."""

from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def native(function: Callable[..., None], signature: str) -> Callable[..., None]:
    """Return the function as machine code for exactly one signature, with one thread and without the interpreter's lock.

    The code is kept in NUMBA_CACHE_DIR, beside the source, or in the user's cache, whichever can be written to, and the next
    process takes the code from there. Where none can be written to, each process compiles anew, which takes seconds.
    """
    import numba  # only here: who never compiles a model does not pay for the import

    # "numpy": a division by zero is infinity or NaN as in scikit-learn. No fastmath: sums keep their order.
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    made: Callable[..., None]
    try:
        made = numba.njit(signature, cache=True, **options)(function)
    except (RuntimeError, OSError):
        # RuntimeError is what numba says when there is no place for the code; anything else is raised again here.
        made = numba.njit(signature, **options)(function)
    return made
