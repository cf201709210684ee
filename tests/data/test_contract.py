import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.core.spec import Experiment
from slipway.data import check_contract
from slipway.processes import child_environment
from slipway.types import Violation

Check = Callable[..., tuple[pd.DataFrame, list[Violation]]]
NOW = datetime(2013, 7, 1)


@pytest.fixture(scope="session")
def check(declare: Callable[..., Experiment]) -> Check:
    """Return a function that checks one column `x`, declared so and filled so, beside columns that keep their promises."""

    def run(promise: dict[str, Any], values: Any, **data: Any) -> tuple[pd.DataFrame, list[Violation]]:
        base = declare().as_dict()["data"]
        declared = declare(data={**base, "columns": {**base["columns"], "x": promise}, **data}).data
        frame = pd.DataFrame({"late": [i % 2 for i in range(len(values))], "minutes": 1.5, "port": "A", "x": values})
        return check_contract(frame.astype({"port": "str", "minutes": float}), declared, now=NOW)

    return run


def test_data_that_keeps_its_promises_is_cast_and_has_no_violation(check: Check) -> None:
    promise = {"type": "int", "min": 1, "max": 3, "values": [1, 2, 3], "unique": True}
    frame, violations = check(promise, ["1", "2", "3"])
    assert violations == []
    assert frame.dtypes.astype(str).to_dict() == {"late": "int64", "minutes": "float64", "port": "str", "x": "int64"}
    assert frame["x"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("kind", "values", "dtype"),
    [
        ("int", [1, 2], "int64"),
        ("float", [1, 2], "float64"),
        ("bool", ["true", 0], "bool"),
        ("category", [1, 2], "str"),
        ("text", ["a", "b"], "str"),
        ("datetime", ["2013-01-01", "2013-01-02T03:04:05+01:00"], "datetime64[us]"),
    ],
)
def test_each_type_is_cast_to_its_own_and_where_values_may_be_missing_whole_numbers_become_floats(
    check: Check, kind: str, values: list, dtype: str
) -> None:
    assert str(check({"type": kind}, values)[0]["x"].dtype) == dtype
    nullable, violations = check({"type": kind, "nulls": 0.5}, pd.Series([values[0], None], dtype=object))
    assert violations == []
    assert str(nullable["x"].dtype) == (dtype if dtype not in ("int64", "bool") else "float64")
    if kind in ("int", "bool"):  # also where none happens to be missing: a model gets the same type every day
        assert str(check({"type": kind, "nulls": 0.5}, [values[0], values[0]])[0]["x"].dtype) == "float64"


@pytest.mark.parametrize(
    ("promise", "values", "rule", "rows"),
    [
        ({"type": "int"}, [1, "b", 2.5], "not of type int", [1, 2]),
        ({"type": "int"}, [1.0, np.inf, 2.0], "not of type int", [1]),
        ({"type": "float"}, [1.0, np.inf, -np.inf], "not a finite number", [1, 2]),
        ({"type": "float", "nulls": 0.5}, [1.0, np.inf, np.nan], "not a finite number", [1]),
        ({"type": "bool"}, [True, "maybe", False], "not of type bool", [1]),
        ({"type": "datetime"}, ["2013-01-01", "soon", "2013-02-30"], "not of type datetime", [1, 2]),
        ({"type": "datetime"}, [20130101, 20130102, 20130103], "not of type datetime", [0, 1, 2]),
        ({"type": "float"}, pd.to_datetime(["2013-01-01"] * 3), "not of type float", [0, 1, 2]),
        ({"type": "float", "min": 0}, [-1.0, 0.0, 1.0], "below the minimum 0.0", [0]),
        ({"type": "float", "max": 0}, [-1.0, 0.0, 1.0], "above the maximum 0.0", [2]),
        ({"type": "datetime", "min": "2013-01-02"}, ["2013-01-01", "2013-01-02", "2013-01-03"], "below the minimum", [0]),
        ({"type": "category", "values": ["A", "B"]}, ["A", "C", "B"], "not one of the known values A, B", [1]),
        ({"type": "int", "values": [1, 2]}, [1, 2, 3], "not one of the known values 1, 2", [2]),
        ({"type": "category", "unique": True}, ["A", "B", "A"], "not unique", [0, 2]),
        ({"type": "category"}, ["A", None, "B"], "missing, and no missing value is allowed", [1]),
        ({"type": "category", "nulls": 0.3}, ["A", None, "B"], "missing in more than the allowed share of 0.3", [1]),
        ({"type": "float"}, [np.nan] * 3, "missing, and no missing value is allowed", [0, 1, 2]),
        ({"type": "category", "nulls": 0.9}, pd.Series([None] * 3, dtype=object), "missing in more than", [0, 1, 2]),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_broken_promise_is_told_with_its_column_rule_count_and_rows(
    check: Check, promise: dict[str, Any], values: Any, rule: str, rows: list[int]
) -> None:
    violation = next(v for v in check(promise, values)[1] if v.rule.startswith(rule))
    assert (violation.column, violation.count) == ("x", len(rows))
    assert [row for row, _ in violation.sample] == rows
    assert f"x: {violation.rule}: {len(rows)} row(s) (row {rows[0]}:" in str(violation)
    assert "np." not in str(violation)


def test_every_promise_that_is_broken_is_told_and_no_more_than_five_rows_of_each(check: Check) -> None:
    promise = {"type": "float", "min": 0, "max": 5, "unique": True}
    violations = check(promise, [-1.0] * 9 + [7.0, np.nan], sla={"min_rows": 100})[1]
    assert sorted((v.column, v.rule.split(";")[0], v.count, len(v.sample)) for v in violations) == [
        ("(rows)", "at least 100 rows are promised", 11, 0),
        ("x", "above the maximum 5.0", 1, 1),
        ("x", "below the minimum 0.0", 9, 5),
        ("x", "missing, and no missing value is allowed", 1, 1),
        ("x", "not unique", 9, 5),
    ]


@given(share=st.floats(0, 1), missing=st.integers(0, 8))
def test_missing_values_are_allowed_up_to_their_share_and_not_beyond(check: Check, share: float, missing: int) -> None:
    values = [None] * missing + [1.0] * (8 - missing)
    violations = check({"type": "float", "nulls": share}, pd.Series(values, dtype=float))[1]
    assert bool(violations) is (missing / 8 > share)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=9))
def test_a_range_finds_exactly_the_rows_outside_of_it(check: Check, values: list[float]) -> None:
    violations = {v.rule: v.count for v in check({"type": "float", "min": -1, "max": 1}, values)[1]}
    below, above = sum(v < -1 for v in values), sum(v > 1 for v in values)
    expected = {"below the minimum -1.0": below, "above the maximum 1.0": above}
    assert violations == {rule: count for rule, count in expected.items() if count}


@pytest.mark.parametrize("declared", [[1, 2], ["1", "2"], [1.0, 2.0]])
@pytest.mark.parametrize("values", [[1, 2], [1.0, 2.0], ["1", "2"], [1, None], [None, 2.0], ["1.0", None]])
def test_a_category_of_whole_numbers_is_the_same_however_it_is_declared_and_read(
    check: Check, declared: list, values: list
) -> None:
    frame, violations = check({"type": "category", "values": declared, "nulls": 0.5}, values)
    assert violations == []
    assert set(frame["x"].dropna()) <= {"1", "2"}


def with_key(declare: Callable[..., Experiment], keys: list, **declared: Any) -> list[Violation]:
    base = declare().as_dict()["data"]
    data = declare(data={**base, "id": "key", "columns": {**base["columns"], **declared}}).data
    frame = pd.DataFrame({"key": keys, "late": [0, 1, 0], "minutes": 1.0, "port": "A"})
    return check_contract(frame, data, now=NOW)[1]


@pytest.mark.parametrize("declared", [{}, {"key": {"type": "text", "unique": True}}, {"key": {"type": "text"}}])
def test_an_id_is_never_missing_and_never_twice(declare: Callable[..., Experiment], declared: dict[str, Any]) -> None:
    assert with_key(declare, ["a", "b", "c"], **declared) == []
    twice = with_key(declare, ["a", "b", "a"], **declared)
    assert [(v.column, v.rule, v.count, v.sample) for v in twice] == [("key", "not unique", 2, ((0, "a"), (2, "a")))]
    assert [v.rule for v in with_key(declare, ["a", "b", None], **declared)] == [
        "missing, and no missing value is allowed"
    ]


def test_an_id_keeps_the_other_promises_that_are_made_of_it(declare: Callable[..., Experiment]) -> None:
    key = {"type": "int", "min": 2}
    assert [v.rule for v in with_key(declare, [1, 2, 3], key=key)] == ["below the minimum 2.0"]
    assert [v.rule for v in with_key(declare, ["a", 2, 3], key=key)] == ["not of type int"]


def test_an_old_source_is_told_with_its_age(check: Check) -> None:
    times, sla = ["2013-06-20", "2013-06-21"], {"max_age_days": 10}
    assert check({"type": "datetime"}, times, time="x", sla=sla)[1] == []
    (violation,) = check({"type": "datetime"}, times, time="x", sla={"max_age_days": 9.5})[1]
    assert violation.rule == "the newest row is 10.0 days old; at most 9.5 are promised"
    assert violation.sample == ((1, pd.Timestamp("2013-06-21")),)


def test_a_time_that_is_always_missing_is_told_and_has_no_age(check: Check) -> None:
    nothing = pd.Series([None, None], dtype=object)
    violations = check({"type": "datetime"}, nothing, time="x", sla={"max_age_days": 1})[1]
    assert [v.rule for v in violations] == ["missing, and no missing value is allowed"]


def test_no_rows_at_all_are_fewer_than_one(check: Check) -> None:
    (violation,) = check({"type": "float"}, pd.Series([], dtype=float))[1]
    assert str(violation) == "(rows): at least 1 rows are promised; found 0"


def test_the_frame_that_was_given_is_not_changed(declare: Callable[..., Experiment]) -> None:
    frame = pd.DataFrame({"late": ["1", "0"], "minutes": ["2", "x"], "port": [1, 2]})
    before = frame.copy()
    check_contract(frame, declare().data, now=NOW)
    pd.testing.assert_frame_equal(frame, before)


ALONE = """
import os
import pandas as pd
from slipway.data._pandera import pa
pa.DataFrameSchema({"x": pa.Column("float64")}).validate(pd.DataFrame({"x": [1.0]}))
print(os.environ.get("SPARK_LOCAL_IP"))
"""


@pytest.mark.slow
def test_the_checks_leave_spark_alone() -> None:
    """By itself pandera ties Spark to 127.0.0.1, and warns of pandas where pyspark is installed."""
    environment = child_environment({}, without=("SPARK_LOCAL_IP",))
    command = [sys.executable, "-W", "error", "-c", ALONE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("None\n", "")


@pytest.mark.parametrize(
    ("promise", "values", "wanted"),
    [
        ({"type": "float", "decimal": ",", "thousands": ".", "unit": "€"}, ["1.234,5 €", "2"], [1234.5, 2.0]),
        ({"type": "int", "thousands": "\u202f", "min": 1000}, ["1\u202f234", "12\u00a0000"], [1234, 12000]),
        ({"type": "bool", "words": {"Ja": True, "Nein": False}}, ["JA", "nein"], [True, False]),
        ({"type": "bool"}, ["Yes", "n"], [True, False]),
        (
            {"type": "datetime", "format": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin"},
            ["31.01.2013 10:30", "01.07.2013 10:30"],
            [pd.Timestamp("2013-01-31 09:30"), pd.Timestamp("2013-07-01 08:30")],
        ),
        (
            {"type": "datetime", "format": "epoch_s"},
            ["0", "86400"],
            [pd.Timestamp("1970-01-01"), pd.Timestamp("1970-01-02")],
        ),
        ({"type": "category"}, ["01067", "1067"], ["01067", "1067"]),
    ],
)
def test_values_are_read_in_the_form_that_is_declared(check: Check, promise: dict, values: list, wanted: list) -> None:
    frame, violations = check(promise, values)
    assert (violations, frame["x"].tolist()) == ([], wanted)


@pytest.mark.parametrize(
    ("promise", "values", "rule"),
    [
        ({"type": "float"}, ["1.5", "1.234,5"], 'not of type float (this looks like decimal: ",", thousands: ".")'),
        ({"type": "float"}, ["1.5", "1,234"], 'not of type float (this looks like decimal: "," or thousands: ",")'),
        (
            {"type": "float", "decimal": ","},
            ["1,5", "1.234,5"],
            'not of type float in the form decimal: "," (this looks like decimal: ",", thousands: ".")',
        ),
        ({"type": "float"}, ["1.5", "many"], "not of type float"),
        (
            {"type": "datetime"},
            ["2013-01-31", "31.01.2013"],
            'not of type datetime (this looks like format: "%d.%m.%Y")',
        ),
        (
            {"type": "datetime", "zone": "Europe/Berlin"},
            ["2013-01-31", "2013-03-31 02:30"],
            'not of type datetime in the form zone: "Europe/Berlin" (the clocks of Europe/Berlin are set forward and never '
            "show this time)",
        ),
        (
            {"type": "bool"},
            ["Ja", "Nein"],
            'not of type bool (this looks like words: {"Ja": true, "Nein": false} or words: {"Ja": false, "Nein": true})',
        ),
    ],
)
def test_a_value_in_another_form_is_named_with_the_form_that_it_looks_like(
    check: Check, promise: dict, values: list, rule: str
) -> None:
    (violation,) = check(promise, values)[1]
    assert violation.rule == rule
    assert violation.sample[-1][1] == values[-1]
