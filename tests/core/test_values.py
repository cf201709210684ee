"""One answer for all forms of a value."""

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from slipway.core.casts import to_text, to_time
from slipway.core.values import LEAST_MS, MOST_MS, Spellings, text_of, time_of

wholes = some.integers(-(2**53), 2**53)


@given(wholes)
def test_a_whole_number_has_one_text_in_all_its_forms(number: int) -> None:
    forms = [
        number,
        float(number),
        np.int64(number),
        np.float64(number),
        Decimal(number),
        Decimal(number) / 1,
        f"{number}",
    ]
    assert {text_of(each) for each in forms} == {str(number)}
    assert text_of(Decimal(f"{number}.00")) == str(number)


@given(wholes, some.booleans())
def test_a_column_that_has_missing_values_is_trained_on_the_same_texts_as_one_that_has_none(
    number: int, missing: bool
) -> None:
    """Pandas reads a column of whole numbers as floats as soon as one is missing."""
    series = pd.Series([number, None] if missing else [number])
    assert to_text(series).tolist()[0] == text_of(number)
    assert to_text(series.astype(object)).tolist()[0] == text_of(number)


@given(some.floats(allow_nan=False) | some.booleans() | wholes | some.text(max_size=6) | some.dates())
def test_training_and_serving_have_the_same_text_of_a_value(value: object) -> None:
    assert to_text(pd.Series([value], dtype=object)).tolist() == [text_of(value)]
    assert to_text(pd.Series([value])).tolist() == [text_of(value)]


def test_texts_are_themselves_and_what_is_none_stays() -> None:
    assert [text_of(each) for each in ("01", "1.0", "", "true")] == ["01", "1.0", "", "true"]
    assert [text_of(each) for each in (True, np.True_, 1.5, math.inf, Decimal("1.50"))] == [
        "True",
        "True",
        "1.5",
        "inf",
        "1.5",
    ]
    assert text_of(None) is None
    assert math.isnan(text_of(math.nan))  # type: ignore[arg-type]
    assert text_of(b"1") == b"1" and text_of([1]) == [1]


@given(wholes, some.sampled_from(["{}", "{}.0", "{}.", "{}.00"]), some.sampled_from(["{}", "{}.0", "{:+}.0"]))
def test_a_category_that_is_a_whole_number_is_found_in_all_its_spellings(number: int, known: str, given_: str) -> None:
    category = known.format(number)
    find = Spellings([category, "other"])
    assert find(given_.format(number)) == find(str(text_of(float(number)))) == find(category) == category
    assert find(str(number + 1)) == str(number + 1)


def test_a_text_is_itself_where_it_is_a_category_or_spells_none_or_several() -> None:
    find = Spellings(["01", "2", "2.0", "True", "a", "1.5"])
    for each in ("01", "1", "2", "2.0", "2.", "a", "1.50", "", " True", "A", "1e3", "١", "yes"):
        assert find(each) == each
    assert [find("true"), find("TRUE")] == ["True", "True"]


moments = some.datetimes(datetime(1973, 3, 4), datetime(2262, 1, 1))
zones = some.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(moments, zones)
def test_an_instant_is_the_same_in_all_its_forms(moment: datetime, zone: timezone) -> None:
    elsewhere = moment.replace(tzinfo=UTC).astimezone(zone)
    forms = [moment, moment.isoformat(), f"{moment.isoformat()}Z", elsewhere, elsewhere.isoformat(), str(elsewhere)]
    expected = moment.isoformat(timespec="microseconds")
    assert {time_of(each) for each in (*forms, pd.Timestamp(elsewhere))} == {expected}
    whole = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    milliseconds = (whole - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
    assert time_of(milliseconds) == time_of(float(milliseconds)) == whole.isoformat(timespec="microseconds")


ENDINGS = (
    "",
    "T10",
    "T10:30",
    " 10:30:05",
    "T10:30:05.5",
    "T10:30:05.123456789",
    "T10:30Z",
    " 10:30:05 +02:00",
    "T1030+0200",
)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("day", ["2013-01-31", "20130131", "2013", "2013-01"])
def test_a_text_is_the_time_that_training_reads_in_it(day: str, ending: str) -> None:
    trained = to_time(pd.Series([day + ending], dtype="str"))[0]
    try:
        found = time_of(day + ending)
    except ValueError:
        found = None
    if pd.notna(trained) and (day.count("-") == 2 or not ending):
        assert found == trained.isoformat(timespec="microseconds")
    assert found is None or pd.isna(trained) or pd.Timestamp(found) == trained


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("tomorrow", "a text that is not a time"),
        ("now", "a text that is not a time"),
        ("1357000000000", "a text that is not a time"),
        ("31/01/2013", "a text that is not a time"),
        ("2013-W01-1", "a text that is not a time"),
        ("", "a text that is not a time"),
        (True, "a value that is not a time"),
        ([1], "a value that is not a time"),
        (1357000000, "a number that may be of another unit than milliseconds"),
        (LEAST_MS - 1, "a number that may be of another unit"),
        (MOST_MS, "a number that may be of another unit"),
        ("9999-12-31", "a time outside of 1677-09-22 to 2262-04-11"),
        ("0001-01-01T00:00:00+05:00", "this time does not exist in UTC"),
    ],
)
def test_what_is_no_time_is_said(value: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        time_of(value)


def test_a_missing_time_is_missing() -> None:
    assert [time_of(None), time_of(math.nan), time_of(pd.NaT)] == [None] * 3
