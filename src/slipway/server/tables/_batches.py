"""Lists of values that one SQL statement can carry."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
# Databases bound how many values one statement may carry.
_AT_ONCE = 500


def batches(values: Iterable[T]) -> Iterator[list[T]]:
    """Yield the values in lists that are short enough for one statement."""
    some = list(values)
    return (some[i : i + _AT_ONCE] for i in range(0, len(some), _AT_ONCE))
