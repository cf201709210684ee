"""The guess of a column's type, from a sample of its values and its name."""

from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow as pa

from slipway.core.spec import NUMBERS, ColumnType
from slipway.core.values import EXACT, LEAST_MS
from slipway.data.profile import marks, numbers, times
from slipway.data.profile.kind import ColumnKind
from slipway.data.profile.names import says_code, says_moment

_TRUTHS = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"))
_MOST_CODES = 1_000
EPOCH_FORMATS = {"seconds": "epoch_s", "milliseconds": "epoch_ms"}
# Words that a number column has beside its numbers are marks up to so many, in so small a share of the rows.
_MOST_STRAYS, _STRAY_SHARE, _LEAST_NUMBERS = 3, 0.05, 20
_WORDS_OF_TEXT, _CHARACTERS_OF_TEXT, _DISTINCT_OF_TEXT = 3, 40, 0.2


def kind_of(values: pd.Series, missing: Sequence[str] = ()) -> ColumnKind:
    """Return the ColumnKind of a column.

    Args:
        values: the values of a sample as the source gives them, (rows,); texts, or numbers, booleans and times. Its name is
            that of the column.
        missing: the texts that the reader of the source takes for missing anyway.
    """
    given = values[values.notna()]
    if not len(given):
        return ColumnKind(ColumnType.CATEGORY, "no value at all")
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _of_texts(given.astype(object).map(str), str(values.name), missing)
    if values.dtype.kind in "biufmM":
        return _of_typed(given, str(values.name))
    first = given.iloc[0]
    if isinstance(first, str):
        return _of_texts(given.astype("str"), str(values.name), missing)
    return _of_objects(given, str(values.name))


def _of_typed(given: pd.Series, name: str) -> ColumnKind:
    match given.dtype.kind:
        case "b":
            return ColumnKind(ColumnType.BOOL, "true and false")
        case "M":
            return ColumnKind(ColumnType.DATETIME, "times")
        case "m":
            return ColumnKind(
                ColumnType.TEXT, "spans of time", doubt="spans of time are not read; give them as a number"
            )
    distinct = pd.Series(given.unique())
    whole = bool((distinct == distinct.round()).all())
    return _of_numbers(distinct.astype("float64"), name, whole, {}, (), "")


def _of_objects(given: pd.Series, name: str) -> ColumnKind:
    """Return the ColumnKind of values that are neither texts nor of a type of numpy: decimals, days, lists, bytes."""
    as_numbers = pd.to_numeric(given, errors="coerce")
    if as_numbers.notna().all():
        return _of_typed(as_numbers.astype("float64"), name)
    if pd.to_datetime(given, errors="coerce", utc=True).notna().all():
        return ColumnKind(ColumnType.DATETIME, "days or times")
    kinds = sorted({type(value).__name__ for value in given.head(1_000)})
    doubt = f"its values are of the kind {', '.join(kinds)}, which no column type holds; turn them into columns"
    return ColumnKind(ColumnType.TEXT, "no plain values", doubt=doubt)


def _of_texts(given: pd.Series, name: str, missing: Sequence[str]) -> ColumnKind:
    counts = given.value_counts()
    counts = counts[~counts.index.isin(list(missing))]
    if not len(counts):
        return ColumnKind(ColumnType.CATEGORY, "no value at all")
    everywhere = marks.marks_in(counts.index, among_numbers=False)
    rest = counts.drop(list(everywhere))
    if not len(rest):
        return ColumnKind(ColumnType.CATEGORY, "no value at all", marks=everywhere)
    found = _numbers_or_times(rest, name)
    if not found:
        among = marks.marks_in(rest.index, among_numbers=True)
        strays = rest.drop(list(among))
        found = _numbers_or_times(strays, name, among) if among and len(strays) else None
        found = found or _despite_strays(rest, name)
    if not found:
        return _of_words(rest, everywhere, _nearly_numbers(rest))
    return ColumnKind(found.type, found.why, found.keys, tuple(sorted({*everywhere, *found.marks})), found.doubt)


def _numbers_or_times(counts: pd.Series, name: str, found: tuple[str, ...] = ()) -> ColumnKind | None:
    """Return the ColumnKind of texts that are all truth values, numbers or times; None where they are not."""
    texts = pd.Index(counts.index).astype(object)
    folded = {text.strip().lower() for text in texts}
    if any(folded == set(pair) for pair in _TRUTHS):
        return ColumnKind(
            ColumnType.BOOL, " and ".join(sorted({text.strip() for text in texts}, key=str.lower)), marks=found
        )
    array = pa.array(texts, pa.string())
    if numbers.is_code(array) and numbers.matches(array, numbers.WHOLE).false_count == 0:
        if times.iso_times(list(texts)):
            return ColumnKind(ColumnType.DATETIME, "times in ISO 8601", marks=found)
        return ColumnKind(ColumnType.CATEGORY, "whole numbers with leading zeros are codes", marks=found)
    form, doubt = numbers.style_of(array)
    if form is numbers.STYLES[0] and times.iso_times(list(texts)):
        return ColumnKind(ColumnType.DATETIME, f"days such as {texts[0].strip()}", marks=found)
    if form:
        return _of_numbers(
            numbers.values(array, form.keys).to_pandas(), name, numbers.is_whole(array, form), form.keys, found, doubt
        )
    if unit := numbers.unit_of(array):
        return _with_unit(counts, name, unit, found)
    return _of_times(list(texts), found)


def _with_unit(counts: pd.Series, name: str, unit: str, found: tuple[str, ...]) -> ColumnKind | None:
    """Return the ColumnKind of numbers that all have the same sign beside them; None where they are no numbers without it."""
    bare = counts.set_axis(counts.index.str.replace(unit, "", regex=False).str.strip())
    kind = _numbers_or_times(bare.groupby(level=0).sum(), name, found)
    if kind is None or kind.type not in NUMBERS:
        return None
    return ColumnKind(kind.type, f"{kind.why}, with {unit}", {**kind.keys, "unit": unit}, found, kind.doubt)


def _of_times(texts: list[str], found: tuple[str, ...]) -> ColumnKind | None:
    if times.iso_times(texts):
        return ColumnKind(ColumnType.DATETIME, "times in ISO 8601", marks=found)
    formats = times.formats_of(texts)
    if not formats:
        return None
    doubt = ""
    if len(formats) > 1:
        doubt = f"day and month cannot be told apart: {formats[0]} is a guess, {formats[1]} reads every value too"
    return ColumnKind(ColumnType.DATETIME, f"times such as {texts[0].strip()}", {"format": formats[0]}, found, doubt)


def _of_numbers(
    distinct: pd.Series, name: str, whole: bool, keys: Mapping[str, str], found: tuple[str, ...], doubt: str
) -> ColumnKind:
    """Return the ColumnKind of numbers by their distinct values."""
    known = set(distinct)
    if whole and known == {0.0, 1.0}:
        return ColumnKind(ColumnType.BOOL, "0 and 1", marks=found)
    if whole and distinct.abs().max() > EXACT:
        return ColumnKind(ColumnType.CATEGORY, "whole numbers too long for a number", marks=found)
    if whole and says_code(name) and len(known) <= _MOST_CODES:
        return ColumnKind(ColumnType.CATEGORY, "whole numbers that are codes, by the name", marks=found)
    forms = ", ".join(f"{key} {mark!r}" for key, mark in keys.items())
    why = ("whole numbers" if whole else "numbers") + (f" with {forms}" if forms else "")
    if whole and not keys and (unit := _since_1970(distinct, name)):
        return ColumnKind(
            ColumnType.DATETIME, f"{unit} since 1970, by the name", {"format": EPOCH_FORMATS[unit]}, found
        )
    doubt = doubt or _placeholder(distinct)
    return ColumnKind(ColumnType.INT if whole else ColumnType.FLOAT, why, keys, found, doubt)


def _since_1970(distinct: pd.Series, name: str) -> str:
    """Return the unit of whole numbers that are times since 1970; "" where they are none."""
    for unit, low, high in (("seconds", 10**8, 4 * 10**9), ("milliseconds", LEAST_MS, 4 * 10**12)):
        if says_moment(name) and distinct.between(low, high).all():
            return unit
    return ""


def _placeholder(distinct: pd.Series) -> str:
    """Name a number that looks like a missing value: far from all others."""
    if len(distinct) < _LEAST_NUMBERS:
        return ""
    for suspect in marks.PLACEHOLDERS:
        others = distinct[distinct != suspect]
        if len(others) == len(distinct):
            continue
        low, high = others.min(), others.max()
        if suspect < low - (high - low) or suspect > high + (high - low) or (suspect < 0 <= low):
            return f"{suspect:g} may stand for a missing value; if it does, list it in data.source.nulls"
    return ""


def _despite_strays(counts: pd.Series, name: str) -> ColumnKind | None:
    """Return the ColumnKind of a column of numbers in which a few cells hold words; the words are taken for marks."""
    strays, kind = _among_numbers(counts, name)
    cells = int(counts[strays].sum())
    if kind is None or cells > _STRAY_SHARE * counts.sum():
        return None
    doubt = f"{cells} cells hold {', '.join(map(repr, strays))} among numbers; they are taken for missing"
    return ColumnKind(kind.type, kind.why, kind.keys, tuple(strays), doubt)


def _nearly_numbers(counts: pd.Series) -> str:
    """Name the words that keep a column from being one of numbers, where they are few and their cells are not."""
    words, kind = _among_numbers(counts, "")
    if kind is None:
        return ""
    return (
        f"{int(counts[words].sum())} cells hold {', '.join(map(repr, words))} among numbers or times, too many to be taken for "
        "missing, so it is a category; if they are, list them in data.source.nulls and declare its type"
    )


def _among_numbers(counts: pd.Series, name: str) -> tuple[list[str], ColumnKind | None]:
    """Return the texts without a digit, and the ColumnKind of the others; None unless the words are few, the others not."""
    texts = pa.array(counts.index.astype(object), pa.string())
    words = [str(text) for text in texts.filter(pa.compute.invert(numbers.matches(texts, r"\d"))).to_pylist()]
    others = counts.drop(words)
    if not 0 < len(words) <= _MOST_STRAYS or len(others) < _LEAST_NUMBERS:
        return words, None
    kind = _numbers_or_times(others, name)
    return words, kind if kind and kind.type in (*NUMBERS, ColumnType.DATETIME) else None


def _of_words(counts: pd.Series, found: tuple[str, ...], doubt: str = "") -> ColumnKind:
    texts = pd.Series(counts.index, dtype="str")
    rows = int(counts.sum())
    words, characters = texts.str.count(r"\S+").mean(), texts.str.len().mean()
    long = (words >= _WORDS_OF_TEXT and characters >= _CHARACTERS_OF_TEXT / 2) or characters >= 2 * _CHARACTERS_OF_TEXT
    if long and len(counts) > max(_LEAST_NUMBERS, _DISTINCT_OF_TEXT * rows):
        return ColumnKind(ColumnType.TEXT, f"free text, {words:.0f} words on average", marks=found)
    spelled = f"{len(counts):,} values" if len(counts) > 1 else "one value"
    return ColumnKind(ColumnType.CATEGORY, spelled, marks=found, doubt=doubt)
