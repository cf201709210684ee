import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.core.casts import to_bool, to_number, to_text, to_time, to_whole
from slipway.core.times import naive_utc

CASTS = (to_number, to_whole, to_bool, to_text, to_time)
plain = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=3))
times = st.one_of(st.datetimes(), st.dates(), st.timedeltas())
held = st.one_of(st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=2), st.integers(), max_size=2))
anything = st.one_of(plain, times, held, st.decimals(allow_nan=False))


@pytest.mark.parametrize("cast", CASTS)
@given(values=st.lists(anything, min_size=1, max_size=6))
def test_whatever_comes_is_of_the_type_or_missing_and_never_an_error(cast, values: list) -> None:
    series = pd.Series(values, dtype=object, name="x")
    result = cast(series)
    assert (len(result), result.name) == (len(series), "x")
    assert result.isna()[series.isna()].all()


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=9))
def test_whole_numbers_keep_every_digit(values: list[int]) -> None:
    assert to_whole(pd.Series(values, dtype="int64")).tolist() == values


@given(st.lists(st.integers(-(2**53), 2**53), min_size=1, max_size=9))
def test_whole_numbers_as_floats_or_text_are_the_same_numbers(values: list[int]) -> None:
    assert to_whole(pd.Series(values, dtype="float64")).tolist() == values
    assert to_whole(pd.Series([str(value) for value in values], dtype="str")).tolist() == values


@pytest.mark.parametrize(
    "value", [math.inf, -math.inf, 1.5, 1e300, 2.0**53 + 2, "x", "1.5", pd.Timestamp("2013-01-01")]
)
def test_what_is_no_whole_number_is_missing_among_the_whole_ones(value: object) -> None:
    result = to_whole(pd.Series([1, value], dtype=object))
    assert result.tolist()[0] == 1 and math.isnan(result.tolist()[1])


@pytest.mark.parametrize("kind", ["datetime64[us]", "datetime64[us, UTC]", "timedelta64[us]"])
def test_times_are_no_numbers(kind: str) -> None:
    series = (
        pd.Series([1, 2]).astype(kind) if kind != "datetime64[us, UTC]" else pd.Series(pd.to_datetime([1, 2], utc=True))
    )
    assert to_number(series).isna().all()
    assert to_whole(series).isna().all()


@pytest.mark.parametrize("dtype", ["int64", "float64", "bool"])
def test_numbers_are_no_times(dtype: str) -> None:
    result = to_time(pd.Series([1, 0]).astype(dtype))
    assert result.isna().all() and result.dtype == "datetime64[us]"


def test_numbers_are_read_from_text_and_decimals() -> None:
    assert to_number(pd.Series(["1.5", "-2", "1e3", Decimal("0.25")], dtype=object)).tolist() == [
        1.5,
        -2.0,
        1000.0,
        0.25,
    ]


@given(
    st.sampled_from([True, 1, 1.0, "true", "True", "TRUE", "1", "yes", "Y", "t", "on", np.True_]),
    st.sampled_from([False, 0, 0.0, "false", "FALSE", "0", "No", "n", "F", "off"]),
)
def test_truth_is_known_in_all_its_spellings(true: object, false: object) -> None:
    result = to_bool(pd.Series([true, false], dtype=object))
    assert result.dtype == bool and result.tolist() == [True, False]
    assert to_bool(pd.Series([true, None, "maybe", 2], dtype=object)).isna().tolist() == [False, True, True, True]


def test_text_keeps_what_is_written_and_what_is_missing() -> None:
    result = to_text(pd.Series(["007", "true", "", None, 5], dtype=object))
    assert result.dtype == "str"
    assert result.isna().tolist() == [False, False, False, True, False]
    assert result[~result.isna()].tolist() == ["007", "true", "", "5"]


@given(st.datetimes(datetime(1700, 1, 1), datetime(2260, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_a_moment_is_the_same_as_text_as_a_value_with_a_zone_and_without(moment: datetime, minutes: int) -> None:
    elsewhere = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=minutes)))
    texts = to_time(pd.Series([moment.isoformat(), elsewhere.isoformat()], dtype="str"))
    assert texts.tolist() == [moment, moment]
    assert to_time(pd.Series([elsewhere])).tolist() == [moment]
    assert naive_utc(elsewhere) == naive_utc(moment) == moment


def test_days_are_times_at_midnight_also_among_times_of_day() -> None:
    assert to_time(pd.Series(["2013-01-01", "2013-01-01 05:00"], dtype="str")).dt.hour.tolist() == [0, 5]
    assert to_time(pd.Series([date(2013, 1, 1)], dtype=object)).tolist() == [datetime(2013, 1, 1)]


def test_a_moment_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(ValueError, match="does not exist in UTC"):
        naive_utc(datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))))
