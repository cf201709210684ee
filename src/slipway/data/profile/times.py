"""The forms of times in texts: ISO 8601, and those for which a format has to be declared."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from itertools import product

import pandas as pd

from slipway.core.casts import to_time

_DAYS = (
    "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%y", "%m/%d/%y",
    "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%d%b%Y", "%Y-%m-%d",
    "%a, %d %b %Y", "%a %d %b %Y", "%Y%m%d",
)  # fmt: skip
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S", ", %H:%M", ":%H:%M:%S")
_ZONES = ("", " %z")
FORMATS = tuple("".join(parts) for parts in product(_DAYS, _CLOCKS, _ZONES) if not (parts[1] == "" and parts[2]))
_ISO = re.compile(r"^\s*\d{4}-\d{2}(-\d{2}([T ]\d{2}(:?\d{2}(:?\d{2}([.,]\d+)?)?)?\s?(Z|[+-]\d{2}(:?\d{2})?)?)?)?\s*$")
_COMPACT = re.compile(r"^(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$")
_LIKE_A_TIME = r"\d[\s./:,-]?\D{0,10}\d"
_FIRST = 200


def iso_times(texts: Sequence[str]) -> bool:
    """Return whether all texts are times in ISO 8601."""
    pattern = _ISO if _ISO.match(texts[0]) else _COMPACT
    # The first text settles most columns: pandas takes a thousand times as long to say no.
    return all(map(pattern.match, texts)) and bool(to_time(pd.Series(texts, dtype="str")).notna().all())


def formats_of(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the formats that read every text, the likeliest first; none where the texts are no times.

    More than one remain where day and month cannot be told apart: no day is above the twelfth.
    """
    given = pd.Series(texts, dtype="str").str.strip()
    few = given.iloc[:_FIRST]
    if not few.str.contains(_LIKE_A_TIME, regex=True).all():
        return ()
    fitting = [form for form in FORMATS if _fits(few.iloc[0], form)]  # pandas takes thirty times as long for one text
    fitting = [form for form in fitting if reads(few, form)]
    return tuple(form for form in fitting if reads(given, form))


def reads(texts: pd.Series, form: str) -> bool:
    """Return whether a format reads every text as a time between 1800 and 2200."""
    times = pd.to_datetime(texts, format=form, errors="coerce", utc=True)
    if times.isna().any():
        return False
    return bool(times.dt.year.between(1800, 2200).all())


def _fits(text: str, form: str) -> bool:
    with suppress(ValueError):
        return bool(datetime.strptime(text, form))
    return False
