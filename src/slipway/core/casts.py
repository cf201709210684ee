"""Casts of a column, as a file or a function gives it, to a declared type.

Every cast takes a Series of any values and returns a Series of the type; values that are not of the type become missing. The
data contract and batch scoring use the same casts, so a value means the same when a model is trained and when it is asked.
"""

from datetime import date

import numpy as np
import pandas as pd

from slipway.core.values import EXACT, Spellings, text_of

_BOOLEANS = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}


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

    Values that count are true, false, 1 and 0; texts may be capitalised in any way.
    """
    numbers = series.astype(object).map(lambda value: _BOOLEANS.get(str(value).lower())).astype("float64")
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
