from datetime import UTC, datetime

import pytest

from slipway.reports.words import spelling
from slipway.types import Interval


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.71428571, "0.7143"),
        (0.0, "0.0000"),
        (-3.5, "-3.5000"),
        (0.00002131, "0.0000213"),
        (12.3456, "12.35"),
        (123456.7, "123,457"),
        (327346, "327,346"),
        (float("nan"), "not defined"),
        (float("inf"), "not defined"),
        (None, "–"),
    ],
)
def test_numbers_get_the_decimals_their_size_deserves(value, written):
    assert spelling.number(value) == written


def test_an_interval_is_written_like_its_value():
    assert spelling.interval(Interval(12.3456, 9.1234, 15.9)) == "9.12 to 15.90"
    assert spelling.interval(Interval(0.5, float("nan"), 0.6)) == "not defined"


@pytest.mark.parametrize(
    ("share", "written"),
    [
        (0.0, "0%"),
        (1.0, "100%"),
        (0.0004, "<0.1%"),
        (0.9999, ">99.9%"),
        (0.17, "17.0%"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_a_share_is_nothing_or_all_only_where_it_is(share, written):
    assert spelling.percent(share) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.42, "0.4 s"), (59.6, "60 s"), (312, "5 min"), (9000, "2.5 h"), (None, "–"), (float("nan"), "–")],
)
def test_durations_are_written_in_the_unit_of_their_size(seconds, written):
    assert spelling.duration(seconds) == written


def test_a_time_without_a_zone_claims_none():
    assert spelling.moment(datetime(2026, 11, 3, 14, 5)) == "2026-11-03 14:05"
    assert spelling.moment(datetime(2026, 11, 3, 14, 5, tzinfo=UTC)) == "2026-11-03 14:05 UTC"


def test_parameters_can_be_set_again_from_what_is_written():
    assert float(spelling.parameter(0.00002131415)) == pytest.approx(0.00002131415, rel=1e-5)
    assert [spelling.parameter(value) for value in (312, None, "l2", True)] == ["312", "None", "l2", "True"]


@pytest.mark.parametrize(
    ("difference", "value", "ends"),
    [
        (Interval(-0.02, -0.031, 0.004), "-0.0200", "-0.0310 to +0.0040"),
        (Interval(-4.13e-05, -0.0113, 0.00958), "-0.0000", "-0.0113 to +0.0096"),
        (Interval(-0.5, -1234.5, 12.0), "-0", "-1,234 to +12"),
        (Interval(0.0, float("nan"), 0.1), "+0.0000", "not defined"),
        (Interval(float("nan"), 0.0, 0.0), "not defined", "+0.0000 to +0.0000"),
    ],
)
def test_differences_have_their_sign_and_the_decimals_of_their_interval(difference, value, ends):
    assert (spelling.signed(difference), spelling.signed_interval(difference)) == (value, ends)


@pytest.mark.parametrize(
    ("count", "written"),
    [(0, "–"), (512, "512 B"), (48_300, "48.3 kB"), (1_234_567, "1.23 MB"), (2.5e9, "2.5 GB"), (float("nan"), "–")],
)
def test_sizes_are_written_in_the_unit_of_their_size(count, written):
    assert spelling.size(count) == written


@pytest.mark.parametrize(
    ("value", "written"), [(0.0, "–"), (0.42, "0.42 ms"), (3.14159, "3.1 ms"), (1234.5, "1,234 ms")]
)
def test_milliseconds_that_were_not_measured_are_not_zero(value, written):
    assert spelling.milliseconds(value) == written
