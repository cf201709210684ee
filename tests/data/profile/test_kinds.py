"""What each odd column has to be."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from slipway.core.spec import ColumnType
from slipway.data.profile.kinds import kind_of

_RNG = np.random.default_rng(0)
_DAYS = pd.date_range("2013-01-25", periods=60)
_WORDS = ["the", "ferry", "was", "late", "and", "nobody", "said", "why", "so", "we", "left", "without", "bags"]


def _times(form: str) -> list[str]:
    return [day.strftime(form) for day in _DAYS]


def _sentence(length: int) -> str:
    return " ".join(_RNG.choice(_WORDS, length))


# name, values, type, keys, marks, a word of the doubt
COLUMNS: list[tuple[str, list[Any], str, dict[str, str], tuple[str, ...], str]] = [
    ("amount", ["1.5", "2", "3.25"], "float", {}, (), ""),
    ("count", ["1", "2", "30"], "int", {}, (), ""),
    ("count, floats of a program", ["1.0", "2.0", ""], "int", {}, (), ""),
    ("signed", ["-1", "+2", "3"], "int", {}, (), ""),
    ("scientific", ["1e-3", "2.5E+4", "7"], "float", {}, (), ""),
    ("blanks around", [" 1", "2 ", "3"], "int", {}, (), ""),
    ("decimal comma", ["1,5", "2,25", "3"], "float", {"decimal": ","}, (), ""),
    ("decimal comma, thousands", ["1.234,56", "7,5", "12"], "float", {"decimal": ",", "thousands": "."}, (), ""),
    ("whole, dots", ["1.234.567", "2.500", "3"], "int", {"decimal": ",", "thousands": "."}, (), ""),
    ("thousands comma", ["1,234,567", "7", "8.5"], "float", {"thousands": ","}, (), ""),
    ("thousands, whole", ["12,345,678", "1,234"], "int", {"thousands": ","}, (), ""),
    ("either comma", ["1,234", "5,678", "12"], "int", {"thousands": ","}, (), "decimal comma"),
    ("decimal comma, three decimals", ["0,126", "1,234", "12,500"], "float", {"decimal": ","}, (), ""),
    ("swiss", ["1'234.50", "7", "12'000"], "float", {"thousands": "'"}, (), ""),
    ("french", ["1\u202f234,5", "12", "7\u202f000"], "float", {"decimal": ",", "thousands": " "}, (), ""),
    ("three decimals", ["0.123", "1.234", "0.5"], "float", {}, (), ""),
    ("question marks", ["1", "?", "3", "?"], "int", {}, ("?",), ""),
    ("excel", ["1.5", "#N/A", "3", "#DIV/0!"], "float", {}, ("#DIV/0!", "#N/A"), ""),
    ("dashes", ["1.5", "-", "3"], "float", {}, ("-",), ""),
    ("dots", ["1.5", ".", "3"], "float", {}, (".",), ""),
    ("None among numbers", ["1.5", "None", "3"], "float", {}, ("None",), ""),
    ("None among words", ["Brick", "None", "Stone"], "category", {}, (), ""),
    ("N/A among words", ["Brick", "N/A", "Stone"], "category", {}, ("N/A",), ""),
    ("a stray word", [*map(str, range(99)), "err"], "int", {}, ("err",), "'err'"),
    ("a word in many cells", [*map(str, range(60)), *["T"] * 10], "category", {}, (), "'T'"),
    ("numbers and many words", [*map(str, range(30)), *(f"w{i}" for i in range(30))], "category", {}, (), ""),
    ("-999", [*map(str, range(30)), "-999"], "int", {}, (), "-999"),
    ("9999", [*map(str, range(30)), "9999"], "int", {}, (), "9999"),
    ("low, but no placeholder", [*map(str, range(-110, 30, 3)), "-99"], "int", {}, (), ""),
    ("yes", ["Yes", "No", "Yes"], "bool", {}, (), ""),
    ("y", ["y", "N", "Y"], "bool", {}, (), ""),
    ("t", ["T", "F"], "bool", {}, (), ""),
    ("true", ["TRUE", "False", ""], "bool", {}, (), ""),
    ("zero and one", ["0", "1", "1"], "bool", {}, (), ""),
    ("zero and one, floats", ["0.0", "1.0", ""], "bool", {}, (), ""),
    ("yes or unknown", ["Yes", "No", "?"], "bool", {}, ("?",), ""),
    ("one and two", ["1", "2", "1"], "int", {}, (), ""),
    ("male", ["male", "female"], "category", {}, (), ""),
    ("zip", ["01234", "90210"], "category", {}, (), ""),
    ("ward", ["007", "012", "112"], "category", {}, (), ""),
    ("zip code", ["90210", "10001"], "category", {}, (), ""),
    ("ProductType", ["1", "20", "7"], "category", {}, (), ""),
    ("MS SubClass", ["20", "60", "180"], "category", {}, (), ""),
    ("account number", ["12345678901234567890", "22345678901234567890"], "category", {}, (), ""),
    ("iso day", _times("%Y-%m-%d"), "datetime", {}, (), ""),
    ("iso moment", _times("%Y-%m-%d %H:%M:%S"), "datetime", {}, (), ""),
    ("iso, T and Z", _times("%Y-%m-%dT%H:%M:%SZ"), "datetime", {}, (), ""),
    ("mixed zones", ["2013-01-31T10:00:00+02:00", "2013-01-31T10:00:00Z", "2013-02-01"], "datetime", {}, (), ""),
    ("iso month", ["2013-01", "2013-02"], "datetime", {}, (), ""),
    ("compact", _times("%Y%m%d"), "datetime", {}, (), ""),
    ("german", _times("%d.%m.%Y"), "datetime", {"format": "%d.%m.%Y"}, (), ""),
    ("german clock", _times("%d.%m.%Y %H:%M"), "datetime", {"format": "%d.%m.%Y %H:%M"}, (), ""),
    ("american", _times("%m/%d/%Y"), "datetime", {"format": "%m/%d/%Y"}, (), ""),
    ("british", _times("%d/%m/%Y"), "datetime", {"format": "%d/%m/%Y"}, (), ""),
    ("either", ["01/02/2013", "03/04/2013"], "datetime", {"format": "%d/%m/%Y"}, (), "cannot be told apart"),
    ("short year", _times("%d.%m.%y"), "datetime", {"format": "%d.%m.%y"}, (), ""),
    ("month by name", _times("%d %b %Y"), "datetime", {"format": "%d %b %Y"}, (), ""),
    ("oracle", _times("%d-%b-%Y"), "datetime", {"format": "%d-%b-%Y"}, (), ""),
    ("written out", _times("%B %d, %Y"), "datetime", {"format": "%B %d, %Y"}, (), ""),
    ("am and pm", _times("%m/%d/%Y %I:%M %p"), "datetime", {"format": "%m/%d/%Y %I:%M %p"}, (), ""),
    ("slashes", _times("%Y/%m/%d"), "datetime", {"format": "%Y/%m/%d"}, (), ""),
    ("zone", _times("%Y/%m/%d %H:%M:%S +0100"), "datetime", {"format": "%Y/%m/%d %H:%M:%S %z"}, (), ""),
    ("days or nothing", ["2013-01-31", "-", "2013-02-01"], "datetime", {}, ("-",), ""),
    ("no days", ["2013-02-30", "2013-02-31"], "category", {}, (), ""),
    ("timestamp", [str(1_400_000_000 + i) for i in range(9)], "datetime", {"format": "epoch_s"}, (), ""),
    ("created, by a browser", [str(1_400_000_000_000 + i) for i in range(9)], "datetime", {"format": "epoch_ms"}, (), ""),
    ("years", ["1999", "2013", "2001"], "int", {}, (), ""),
    ("clock", ["10:15", "23:59", "00:01"], "category", {}, (), ""),
    ("versions", ["1.2.3", "1.10.0"], "category", {}, (), ""),
    ("percent", [f"{i / 2}%" for i in range(40)], "float", {"unit": "%"}, (), ""),
    ("dollars", ["$1,200", "$7", "$12,345,678"], "int", {"thousands": ",", "unit": "$"}, (), ""),
    ("euros", ["1.200,50 €", "7 €", "-"], "float", {"decimal": ",", "thousands": ".", "unit": "€"}, ("-",), ""),
    ("months of a loan", [f"{i} mo" for i in range(40)], "int", {"unit": "mo"}, (), ""),
    ("sizes", ["10mm", "12cm"], "category", {}, (), ""),
    ("review", [_sentence(9) for _ in range(60)], "text", {}, (), ""),
    ("title", ["ferry late", "ferry on time"] * 30, "category", {}, (), ""),
    ("long answers, few of them", ["I agree with all of this strongly", "I do not agree at all, sadly"] * 30, "category",
     {}, (), ""),
    ("nothing", ["", "NA", ""], "category", {}, (), ""),
    ("umlauts", ["Köln", "Zürich"], "category", {}, (), ""),
]  # fmt: skip


def test_the_table_has_sixty_odd_columns() -> None:
    assert len({name for name, *_ in COLUMNS}) == len(COLUMNS) > 60


@pytest.mark.parametrize(
    ("name", "values", "type_", "keys", "marks", "doubt"), COLUMNS, ids=[name for name, *_ in COLUMNS]
)
def test_a_column_of_texts_is_what_a_person_would_say(
    name: str, values: list[Any], type_: str, keys: dict[str, str], marks: tuple[str, ...], doubt: str
) -> None:
    kind = kind_of(pd.Series(values, name=name, dtype="str"), ("", "NA", "NaN", "nan", "null"))
    assert (kind.type, dict(kind.keys), kind.marks) == (ColumnType(type_), keys, marks)
    assert doubt in kind.doubt and bool(doubt) == bool(kind.doubt)
    assert kind.why


TYPED: list[tuple[str, pd.Series, str]] = [
    ("int64", pd.Series([1, 5, 3]), "int"),
    ("uint8", pd.Series([1, 5, 3], dtype="uint8"), "int"),
    ("float", pd.Series([1.5, np.nan]), "float"),
    ("whole floats", pd.Series([1.0, 7.0, np.nan]), "int"),
    ("bool", pd.Series([True, False]), "bool"),
    ("flags", pd.Series([0, 1, 1]), "bool"),
    ("time", pd.Series(_DAYS), "datetime"),
    ("zoned", pd.Series(_DAYS.tz_localize("Europe/Berlin")), "datetime"),
    ("categorical", pd.Series(["a", "b"], dtype="category"), "category"),
    ("objects", pd.Series(["a", None, "b"], dtype=object), "category"),
    ("days", pd.Series([day.date() for day in _DAYS], dtype=object), "datetime"),
    ("lists", pd.Series([[1], [2]], dtype=object), "text"),
    ("store type", pd.Series([1, 2, 3]), "category"),
    ("empty", pd.Series([None, None], dtype=object), "category"),
]


@pytest.mark.parametrize(("name", "values", "type_"), TYPED, ids=[name for name, *_ in TYPED])
def test_a_typed_column_is_what_its_type_and_its_values_say(name: str, values: pd.Series, type_: str) -> None:
    assert kind_of(values.rename(name)).type == type_
