"""Conversions of one value to the form that a model was trained on: the text of a category, an instant in UTC.

The module stands apart from `casts` because processes that answer requests must not import pandas. The data contract, batch
scoring and the endpoint all use these conversions.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from numbers import Integral, Real

from slipway.core.times import naive_utc

EXACT = 2**53
"""The largest whole number up to which a float64 tells every whole number from the next."""

LEAST_MS, MOST_MS = 10**11, 10**14
"""Numbers between the two are taken for milliseconds since 1970 (1973 to 5138): a smaller number could be seconds, a larger
one a finer unit."""

FIRST, LAST = datetime(1677, 9, 22), datetime(2262, 4, 11)
"""MLflow holds times as nanoseconds in 64 bits."""

TIMES = (
    "ISO 8601 such as 2013-01-31T10:00:00Z is allowed, without a zone it is UTC, and in JSON a number of milliseconds "
    "since 1970, from 1973 on"
)
_MONTH = re.compile(r"[0-9]{4}(-[0-9]{2})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}")
_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]{0,15})(\.0*)?")
_TRUTHS = {"true": "True", "false": "False"}


def text_of(value: object) -> object:
    """Return the text of a category: 1, 1.0 and Decimal("1.00") are "1", true is "True", 1.5 is "1.5"; a text is itself.

    A day, for which Parquet has a type, is "2013-01-31".
    Missing values and values without a text, such as bytes or a list, are returned as they are.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Integral) or type(value).__name__ == "bool":  # numpy's truth value is no Integral
        return str(value)
    if isinstance(value, Decimal):
        return _of_decimal(value)
    if isinstance(value, Real):
        number = float(value)
        if number != number:
            return value
        return str(int(number)) if abs(number) <= EXACT and number.is_integer() else str(value)
    return value.isoformat() if type(value) is date else value


class Spellings:
    """The known categories of a column. Calling Spellings with a text finds the category that the text stands for.

    Spellings of one number or truth value stand for each other where only one of them is a category: "1.0", "+1" and "1", or
    "true" and "True". "01" does not stand for "1": a leading zero marks a code.
    """

    def __init__(self, known: Iterable[str]):
        self.known = frozenset(known)
        by_plain: dict[str, list[str]] = {}
        for each in self.known:
            if (plain := _plain(each)) is not None:
                by_plain.setdefault(plain, []).append(each)
        self._by_plain = {plain: each[0] for plain, each in by_plain.items() if len(each) == 1}

    def __call__(self, text: str) -> str:
        """Return the category that a text stands for; the text itself where no category fits."""
        if text in self.known or not self._by_plain:
            return text
        plain = _plain(text)
        return self._by_plain.get(plain, text) if plain is not None else text


def _plain(text: str) -> str | None:
    if _WHOLE.fullmatch(text):
        return str(int(text.partition(".")[0]))
    return _TRUTHS.get(text.lower())


def time_of(value: object) -> str | None:
    """Return an instant as a text in UTC without a zone; None for a missing value.

    All texts have the same length, so they compare as the instants do. A text has to be ISO 8601, and is UTC where it has no
    zone. A number is milliseconds since 1970, as pandas writes times into JSON. Raises ValueError that says what was found.
    """
    moment = moment_of(value)
    return None if moment is None else moment.isoformat(timespec="microseconds")


def moment_of(value: object) -> datetime | None:
    """Return an instant in UTC without a zone, read as `time_of` reads it; None for a missing value. Raises ValueError."""
    if value is None or value != value:
        return None
    moment = _moment(value)
    if not FIRST <= moment <= LAST:
        raise ValueError(f"a time outside of {FIRST:%Y-%m-%d} to {LAST:%Y-%m-%d}")
    return moment


def _moment(value: object) -> datetime:
    if isinstance(value, str):
        return naive_utc(_of_text(value))
    if isinstance(value, datetime):
        return naive_utc(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a value that is not a time")
    if not LEAST_MS <= abs(value) < MOST_MS:
        raise ValueError("a number that may be of another unit than milliseconds")
    return datetime(1970, 1, 1) + timedelta(milliseconds=value)


def _of_text(text: str) -> datetime:
    text = text.strip()
    if _MONTH.fullmatch(text):
        text += "-01-01" if len(text) == 4 else "-01"
    day, rest = text[:10], text[10:].replace(" ", "T", 1).replace(" ", "")
    if not _DAY.match(day):
        raise ValueError("a text that is not a time")
    try:
        return datetime.fromisoformat(day + rest)
    except ValueError:
        raise ValueError("a text that is not a time") from None


def _of_decimal(value: Decimal) -> object:
    if not value.is_finite():
        return value if value.is_nan() else str(value)
    return str(int(value)) if value == value.to_integral_value() else format(value.normalize(), "f")
