"""The words for a difference between two models."""

from slipway.types import Interval


def in_words(difference: Interval) -> str:
    """Return "better by 0.0120 (95 % interval +0.0040 to +0.0200)"; better or worse only where the whole interval says so."""
    ends = f"95 % interval {difference.low:+.4f} to {difference.high:+.4f}"
    if difference.low > 0 or difference.high < 0:
        return f"{'better' if difference.low > 0 else 'worse'} by {abs(difference.value):.4f} ({ends})"
    if not difference.value:
        return f"no different ({ends})"
    return f"not clearly better or worse ({difference.value:+.4f}, {ends})"
