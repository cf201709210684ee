import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from slipway.core.space import KINDS, Choice, Distribution, Int, LogUniform, Space, Uniform, contains, spread

adapter: TypeAdapter = TypeAdapter(Distribution)
floats = st.floats(-1e6, 1e6)


def message(declared: object) -> str:
    with pytest.raises(ValidationError) as raised:
        adapter.validate_python(declared)
    return str(raised.value)


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ({"uniform": [0, 1]}, Uniform),
        ({"log_uniform": [0.01, 10]}, LogUniform),
        ({"int": [2, 12]}, Int),
        ({"choice": ["l1", None, 3]}, Choice),
    ],
)
def test_each_kind_is_read_by_its_name_and_written_back_as_it_was(declared: dict, kind: type) -> None:
    distribution = adapter.validate_python(declared)
    assert type(distribution) is kind
    assert distribution.model_dump(mode="json", by_alias=True) == declared


@pytest.mark.parametrize("kind", ["uniform", "log_uniform", "int"])
@given(low=st.integers(1, 10**9), by=st.integers(0, 10**9))
def test_a_low_end_that_is_not_below_the_high_end_is_refused_with_both(kind: str, low: int, by: int) -> None:
    said = message({kind: [low + by, low]})
    assert f"{kind} needs its low end below its high end" in said
    assert str(low) in said


@pytest.mark.parametrize("low", [0, -1e-9])
def test_a_logarithm_needs_positive_ends(low: float) -> None:
    assert "log_uniform needs ends above 0" in message({"log_uniform": [low, 1]})


def test_a_choice_needs_values_and_lists_none_twice() -> None:
    assert "at least 1 item" in message({"choice": []})
    assert "lists a value twice" in message({"choice": ["a", "b", "a"]})


def test_a_choice_tells_1_from_true() -> None:
    assert adapter.validate_python({"choice": [1, True]}).options == [1, True]


@pytest.mark.parametrize("end", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("kind", ["uniform", "log_uniform", "int"])
def test_an_end_that_is_no_finite_number_is_refused(kind: str, end: float) -> None:
    assert "finite" in message({kind: [0.5 if kind != "int" else 1, end]})


def test_a_range_that_no_float_can_span_is_refused() -> None:
    assert "too wide" in message({"uniform": [-1.7e308, 1.7e308]})
    assert "less than or equal to 9007199254740992" in message({"int": [0, 2**53 + 1]})


@pytest.mark.parametrize(
    "declared", [{}, {"uniform": [0, 1], "int": [0, 1]}, {"uniform": [0]}, {"normal": [0, 1]}, [0, 1]]
)
def test_anything_but_exactly_one_known_kind_with_its_arguments_is_refused(declared: object) -> None:
    assert message(declared)


@given(low=floats, width=st.floats(0.001, 1e6), at=st.floats(0, 1))
def test_a_uniform_contains_what_lies_between_its_ends_and_nothing_else(low: float, width: float, at: float) -> None:
    distribution = Uniform(uniform=(low, low + width))
    assert contains(distribution, low + at * width)
    assert not contains(distribution, low - width / 100)
    assert not contains(distribution, low + width * 1.01)
    assert not contains(distribution, math.nan)


@given(low=st.integers(-100, 100), width=st.integers(1, 100), value=st.integers(-300, 300))
def test_a_whole_range_contains_its_ends_and_no_fractions(low: int, width: int, value: int) -> None:
    distribution = Int(int=(low, low + width))
    assert contains(distribution, value) is (low <= value <= low + width)
    assert not contains(distribution, low + 0.5)


def test_a_choice_contains_its_values_with_their_types() -> None:
    distribution = Choice(choice=[1, "a", None])
    assert [contains(distribution, value) for value in (1, "a", None, True, 1.0, "b")] == [True] * 3 + [False] * 3


def test_what_is_no_distribution_is_a_mistake_of_the_program() -> None:
    with pytest.raises(TypeError, match="not a distribution"):
        contains(object(), 1)


def test_every_kind_is_known_by_the_name_that_its_arguments_stand_under() -> None:
    assert {kind: next(iter(model.model_fields.values())).alias for kind, model in KINDS.items()} == {
        k: k for k in KINDS
    }


def test_points_of_a_space_are_spread_from_the_low_ends_to_the_high_ones_and_lie_in_it() -> None:
    space = TypeAdapter(Space).validate_python(
        {
            "leaves": {"int": [2, 9]},
            "rate": {"log_uniform": [0.01, 1]},
            "share": {"uniform": [0, 1]},
            "kind": {"choice": ["a", "b"]},
        }
    )
    points = spread(space, 3)
    assert points[0] == {"leaves": 2, "rate": 0.01, "share": 0, "kind": "a"}
    assert points[1] == {"leaves": 6, "rate": pytest.approx(0.1), "share": 0.5, "kind": "b"}
    assert points[2] == {"leaves": 9, "rate": pytest.approx(1), "share": 1, "kind": "a"}
    assert all(contains(space[key], value) for point in points for key, value in point.items())
    assert spread({}, 3) == [{}]
    assert spread(TypeAdapter(Space).validate_python({"kind": {"choice": ["a"]}}), 3) == [{"kind": "a"}]
