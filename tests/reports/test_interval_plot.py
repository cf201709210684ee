import re
from math import nan

import pytest

from slipway.reports._interval_plot import MARGIN, WIDTH, interval_plot
from slipway.types import Interval


def places(svg: str) -> tuple[float, float, float]:
    """Where the interval starts and ends, and where the value is."""
    left, width = (float(found) for found in re.search(r'x="([\d.]+)" y="8" width="([\d.]+)"', svg).groups())
    return left, left + width, float(re.search(r'cx="([\d.]+)"', svg)[1])


def test_the_strip_reaches_from_the_lowest_to_the_highest_of_all_that_is_shown():
    svg = interval_plot(Interval(0.7, 0.6, 0.8), {"prior": 0.5})
    low, high, value = places(svg)
    third = (WIDTH - 2 * MARGIN) / 3
    assert (low, value, high) == pytest.approx((MARGIN + third, MARGIN + 2 * third, WIDTH - MARGIN), abs=0.2)
    assert f"M{MARGIN}.0 " in svg, "the baseline is at the left end"


def test_each_baseline_that_is_finite_has_a_mark_and_a_name():
    svg = interval_plot(Interval(0.7, 0.6, 0.8), {"prior": 0.5, "rule": 0.65, "broken": nan})
    assert svg.count('class="baseline"') == 2
    assert "rule: 0.65" in svg and "broken" not in svg


def test_names_are_escaped():
    svg = interval_plot(Interval(0.7, 0.6, 0.8), {'"><script>': 0.5})
    assert "<script>" not in svg and "&lt;script&gt;" in svg


def test_a_value_without_an_interval_or_a_width_is_still_shown():
    assert "circle" in interval_plot(Interval(0.7, nan, nan), {})
    assert places(interval_plot(Interval(0.5, 0.5, 0.5), {"same": 0.5}))[2] == WIDTH / 2
    assert interval_plot(Interval(nan, nan, nan), {"prior": 0.5}) == ""
