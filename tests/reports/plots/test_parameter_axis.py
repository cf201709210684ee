import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.reports.plots._parameter_axis import MOST_STEPS, MOST_TICKS, ParameterAxis, parameter_axis

settings = st.lists(
    st.one_of(
        st.floats(allow_nan=True),
        st.integers(-(2**53), 2**53),
        st.booleans(),
        st.none(),
        st.text(max_size=3),
        st.lists(st.integers(0, 9), max_size=2),
    ),
    min_size=1,
    max_size=20,
)


def axis_of(*values: object) -> ParameterAxis:
    return parameter_axis("p", [{"p": value} for value in values])


@given(drawn=settings)
def test_every_value_has_a_height_on_the_axis_and_so_has_every_tick(drawn):
    axis = axis_of(*drawn)
    for height in (*axis.heights, *axis.ticks):
        assert -1e-9 <= height <= 1 + 1e-9
    assert 1 <= len(axis.ticks) <= max(MOST_TICKS, MOST_STEPS)


@given(drawn=st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=20))
def test_larger_numbers_are_never_lower(drawn):
    heights = axis_of(*sorted(drawn)).heights
    assert (np.diff(heights) >= 0).all()


def test_numbers_that_are_drawn_by_their_logarithm_lie_on_a_logarithmic_axis():
    rng = np.random.default_rng(0)
    even, by_logarithm = rng.uniform(10, 500, 50), np.exp(rng.uniform(np.log(1e-4), np.log(10), 50))
    gaps = np.diff(sorted(axis_of(*by_logarithm.tolist()).heights))
    assert gaps.max() < 0.25, "spread over the whole axis"
    linear = axis_of(*even.tolist())
    assert linear.heights == pytest.approx((even - even.min()) / np.ptp(even))
    assert set(axis_of(*by_logarithm.tolist()).ticks.values()) <= {"0.0001", "0.001", "0.01", "0.1", "1", "10"}


def test_numbers_around_zero_are_linear_however_they_spread():
    assert axis_of(-1, 0, 1000).heights.tolist() == pytest.approx([0, 1 / 1001, 1])


def test_categories_are_steps_with_numbers_first():
    axis = axis_of("sqrt", None, 3, "sqrt", 10)
    assert list(axis.ticks.values()) == ["3", "10", "None", "sqrt"]
    assert axis.heights.tolist() == pytest.approx([1, 2 / 3, 0, 1, 1 / 3])


def test_truth_values_and_numbers_that_are_not_finite_are_steps():
    assert list(axis_of(True, False).ticks.values()) == ["False", "True"]
    assert not axis_of(1.0, math.inf).numeric


def test_a_value_that_is_always_the_same_lies_in_the_middle():
    assert axis_of(7, 7).heights.tolist() == [0.5, 0.5]
    assert axis_of("a").ticks == {0.5: "a"}


def test_a_trial_without_the_parameter_has_no_height():
    heights = parameter_axis("p", [{"p": 1}, {"q": 1}, {"p": 3}]).heights
    assert heights[[0, 2]].tolist() == [0, 1] and math.isnan(heights[1])
    assert math.isnan(parameter_axis("p", [{"p": "a"}, {}]).heights[1])


def test_of_many_categories_some_are_named():
    assert len(axis_of(*(f"value {i}" for i in range(40))).ticks) <= MOST_STEPS
