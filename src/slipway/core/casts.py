"""Casts of a column, as a file or a function gives it, to a declared type.

Every cast takes a Series of any values and returns a Series of the type; values that are not of the type become missing. The
data contract and batch scoring use the same casts, so a value means the same when a model is trained and when it is asked. A
column with a declared Form goes through `in_plain_form` before it is cast.
"""

import re
from collections.abc import Callable
from datetime import UTC, date

import numpy as np
import pandas as pd

from slipway.core.forms import EPOCHS, Form, number_reader
from slipway.core.values import EXACT, FIRST, LAST, Spellings, text_of

_BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1", "1.0"), 1.0),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0", "0.0"), 0.0),
}
_WITH_ZONE = re.compile(r".*[0-9]\s*(Z|z|[+-][0-9]{2}(:?[0-9]{2})?)", re.DOTALL)
_FIRST_MS, _LAST_MS = (end.replace(tzinfo=UTC).timestamp() * 1000 for end in (FIRST, LAST))
_DAY_CHARACTERS = 10  # of the day in ISO 8601, whose dashes are no signs of a zone


def to_number(series: pd.Series) -> pd.Series:
    """Return the column as float64.

    A time becomes missing: pandas would count its microseconds since 1970.
    """
    plain = series.astype(object) if series.dtype.kind in "mM" else series
    return pd.to_numeric(plain, errors="coerce").astype("float64")


def to_whole(series: pd.Series) -> pd.Series:
    """Return the column as int64 where every value is a whole number that int64 holds, else as float64.

    Fractions and infinities become missing.
    """
    if series.dtype.kind == "i":
        return series.astype("int64")
    numbers = to_number(series)
    whole = numbers.where((numbers == np.floor(numbers)) & (numbers.abs() <= EXACT))
    return whole if whole.isna().any() else whole.astype("int64")


def to_bool(series: pd.Series) -> pd.Series:
    """Return the column as bool, or as float64 of 0, 1 and NaN where some values are missing.

    Values that count are true and false, t and f, yes and no, y and n, on and off, 1 and 0; texts may have any capitals.
    """
    numbers = series.astype(object).map(lambda value: _BOOLEANS.get(str(value).strip().lower())).astype("float64")
    return numbers if numbers.isna().any() else numbers.astype(bool)


def to_text(series: pd.Series) -> pd.Series:
    """Return the column as str, by `text_of`: 1 and 1.0 are the same category.

    Bytes become missing: their encoding is not known.
    """
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object)
    if series.dtype == object:
        series = series.where(~series.map(lambda value: isinstance(value, bytes)))
    # Pandas reads a column of whole numbers as floats as soon as one of them is missing.
    if series.dtype == object or pd.api.types.is_float_dtype(series):
        return series.astype(object).map(text_of).astype("str").where(series.notna())
    return series.astype("str").where(series.notna())


def spelled(texts: pd.Series, known: Spellings) -> pd.Series:
    """Return a column of texts with each text in the spelling of the category that it stands for."""
    others = {text: known(text) for text in set(texts.dropna()) - known.known}
    return texts.replace({text: other for text, other in others.items() if text != other})


def to_time(series: pd.Series) -> pd.Series:
    """Return the column as naive UTC in datetime64[us].

    A text has to be ISO 8601. A number becomes missing: it could be of any unit.
    """
    if pd.api.types.is_numeric_dtype(series):
        return pd.Series(pd.NaT, index=series.index, dtype="datetime64[us]", name=series.name)
    if series.dtype == object:
        series = series.where(series.map(lambda value: isinstance(value, str | date | np.datetime64)))
    times = pd.to_datetime(series, errors="coerce", utc=True, format=None if series.dtype.kind == "M" else "ISO8601")
    return times.dt.tz_localize(None).astype("datetime64[us]")


def in_plain_form(series: pd.Series, form: Form) -> pd.Series:
    """Return a column that is written in a Form as the cast of its type reads it; values in another form become missing.

    Numbers, truth values and times that are no texts stay as they are, but for times without a zone, which are of the Form's
    zone, and numbers that `format` says are times.
    """
    if form.type == "datetime":
        return _in_zone(_as_times(series, form), form)
    if form.type == "bool":
        words = {word.casefold(): truth for word, truth in form.words}
        return _each_text(series, lambda text: words.get(text.strip().casefold())) if words else series
    return _each_text(series, number_reader(form))


def _each_text(series: pd.Series, read: Callable[[str], object]) -> pd.Series:
    """Read each different text once."""
    texts = {value for value in series.dropna().unique() if isinstance(value, str)}
    if not texts:
        return series
    known = {text: read(text) for text in texts}
    return series.astype(object).map(lambda value: known[value] if isinstance(value, str) else value)


def _as_times(series: pd.Series, form: Form) -> pd.Series:
    """Return times with their zone where the texts name one, and without it where they do not."""
    if form.format in EPOCHS:
        milliseconds = (to_number(series) * EPOCHS[form.format]).round()
        # Milliseconds that are taken for seconds are times of the year 52671: no time, rather than a silent one.
        known = milliseconds.where(milliseconds.between(_FIRST_MS, _LAST_MS))
        read: pd.Series = pd.to_datetime(known, unit="ms", errors="coerce", utc=True)
        return read
    if not form.format or pd.api.types.is_datetime64_any_dtype(series):
        return series
    texts = series.astype(object).map(text_of).where(series.notna())
    times: pd.Series = pd.to_datetime(texts, format=form.format, errors="coerce", utc="%z" in form.format)
    return times


def _in_zone(series: pd.Series, form: Form) -> pd.Series:
    """Return times in UTC: those without a zone are of the Form's zone.

    A time that the clocks show twice, when they are set back, is the first of the two. A time that they never show, when they
    are set forward, becomes missing.
    """
    if not form.zone or isinstance(series.dtype, pd.DatetimeTZDtype):
        return series
    times = to_time(series)
    local = times.dt.tz_localize(form.zone, ambiguous=np.ones(len(times), dtype=bool), nonexistent="NaT")
    in_utc: pd.Series = local.dt.tz_convert("UTC").dt.tz_localize(None)
    return in_utc.where(~series.map(_names_its_zone).astype(bool), times)


def _names_its_zone(value: object) -> bool:
    if isinstance(value, str):
        return _WITH_ZONE.fullmatch(value.strip(), _DAY_CHARACTERS) is not None
    return getattr(value, "tzinfo", None) is not None
