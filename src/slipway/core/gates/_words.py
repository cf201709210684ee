"""How a difference is told."""

from slipway.types import Interval


def in_words(difference: Interval) -> str:
    """Return "better by 0.0120 (95 % interval +0.0040 to +0.0200)"."""
    word = "better" if difference.value > 0 else "worse" if difference.value < 0 else "no different"
    amount = f" by {abs(difference.value):.4f}" if difference.value else ""
    return f"{word}{amount} (95 % interval {difference.low:+.4f} to {difference.high:+.4f})"
