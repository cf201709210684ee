"""The forms in which reports write values."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from math import floor, isfinite, log10

from markupsafe import Markup

from slipway.types import Interval

_LEAST_WITHOUT_POWERS = 1e-9


def number(value: object) -> str:
    """Write a number: a whole number with separators of thousands, any other with decimals that suit its size."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:{_spelling(value)}}" if isfinite(value) else "not defined"


def interval(bounds: Interval) -> str:
    """Write both ends of an Interval with as many decimals as its value gets."""
    if not (isfinite(bounds.low) and isfinite(bounds.high)):
        return "not defined"
    spelling = _spelling(bounds.value)
    return f"{bounds.low:{spelling}} to {bounds.high:{spelling}}"


def parameter(value: object) -> str:
    """Write a parameter; a decimal has six digits, which are enough to set the parameter again."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _spelling(value: float) -> str:
    size = abs(value)
    if _LEAST_WITHOUT_POWERS <= size < 0.001:
        return f".{2 - floor(log10(size))}f"  # three digits; a power of ten is not read at a glance
    if 0 < size < _LEAST_WITHOUT_POWERS:
        return ".3g"
    return ".4f" if size < 10 else ",.2f" if size < 1000 else ",.0f"


def percent(share: float | None) -> str:
    """Write a share, 0 to 1, as a percentage; only exact shares become 0% and 100%."""
    if share is None or not isfinite(share):
        return "–"
    if share in (0, 1):
        return f"{share:.0%}"
    return "<0.1%" if share < 0.001 else ">99.9%" if share > 0.999 else f"{share:.1%}"


def moment(when: datetime | None) -> str:
    """Write a time to the minute; a time with a zone in UTC."""
    if when is None:
        return "–"
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if when.tzinfo else f"{when:%Y-%m-%d %H:%M}"


def duration(seconds: float | None) -> str:
    """Write a duration in the unit that suits its size."""
    if seconds is None or not isfinite(seconds):
        return "–"
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def signed(difference: Interval) -> str:
    """Write a difference with its sign, and with as many decimals as its interval gets."""
    return f"{difference.value:+{_spelling_of_ends(difference)}}" if isfinite(difference.value) else "not defined"


def signed_interval(difference: Interval) -> str:
    """Write both ends of the interval of a difference, with their signs."""
    if not (isfinite(difference.low) and isfinite(difference.high)):
        return "not defined"
    spelling = _spelling_of_ends(difference)
    return f"{difference.low:+{spelling}} to {difference.high:+{spelling}}"


def plus(value: float | None) -> str:
    """Write a difference with its sign."""
    if value is None or not isfinite(value):
        return "–" if value is None else "not defined"
    return f"{value:+{_spelling(value)}}"


def _spelling_of_ends(difference: Interval) -> str:
    ends = [abs(end) for end in (difference.value, difference.low, difference.high) if isfinite(end)]
    return _spelling(max(ends, default=0.0))


def milliseconds(value: float) -> str:
    """Write a duration in milliseconds; 0 means not measured and becomes a dash."""
    if not value or not isfinite(value):
        return "–"
    return f"{value:.2g} ms" if value < 10 else f"{value:,.0f} ms"


def size(count: float) -> str:
    """Write a number of bytes in the unit that suits its size; 0 means not measured and becomes a dash."""
    if not count or not isfinite(count):
        return "–"
    for unit, bytes_ in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= bytes_:
            return f"{count / bytes_:.3g} {unit}"
    return f"{count:.0f} B"


def markdown_text(value: object) -> object:
    """Escape the characters that Markdown, or HTML in Markdown, would act on; a value stays in its line and its cell.

    Underscores inside of a word stay: GitHub-flavoured Markdown does not act on them, and names stay readable.
    """
    if isinstance(value, Markup):
        return value
    text = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*\[\]|~$])", r"\\\1", text)
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\_", text)
    return re.sub(r"^(#+|[-+=])(?=\s|$)|^(\d+)(?=[.)]\s)", _disarmed, text)


def _disarmed(found: re.Match[str]) -> str:
    """Return the start of a heading, a list or a rule as plain text."""
    return f"\\{found[1]}" if found[1] else f"{found[2]}\\"


SPELLINGS: tuple[Callable[..., str], ...] = (
    *(number, interval, parameter, percent, moment, duration),
    *(signed, plus, signed_interval, milliseconds, size),
)
"""The functions that templates use as filters, each under its own name."""
