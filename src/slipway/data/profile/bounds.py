"""Bounds of a contract, with so much room that the rows of tomorrow keep them."""

import math

_MORE_MISSING = 1.5
_NULLS_ROOM = 0.02


def numbers_with_room(low: float, high: float) -> tuple[float, float]:
    """Return ends that leave as much room on each side as the numbers span, in round numbers.

    Numbers of which none is negative stay so, and so do numbers of which none is positive.
    """
    room = high - low or max(1.0, abs(low))
    step = 10.0 ** math.floor(math.log10(room))
    least = 0.0 if low >= 0 else math.floor((low - room) / step) * step
    most = 0.0 if high <= 0 and low < 0 else math.ceil((high + room) / step) * step
    digits = max(0, -math.floor(math.log10(room)))
    return round(least, digits), round(most, digits)


def nulls_with_room(share: float) -> float:
    """Return the share of missing values to allow where `share` of the values are missing."""
    return min(1.0, math.ceil((share * _MORE_MISSING + _NULLS_ROOM) * 100) / 100) if share else 0.0
