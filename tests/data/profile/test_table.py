"""What a table is taken for: roles of columns, split, task, metric, doubts."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from slipway.core.spec import Source
from slipway.core.tasks import Task
from slipway.data.blocks import Blocks
from slipway.data.profile import Role, TableProfile, Wishes, profile_table
from slipway.data.profile.sampling import MOST_ROWS, most_rows
from slipway.errors import DataUnusable, UnknownName

_ROWS = 4_000
_RNG = np.random.default_rng(7)


def blocks(columns: Mapping[str, Any], rows_of_a_block: int = 1_000) -> Blocks:
    """A table in memory, whose texts are as a CSV file would have them."""
    whole = pa.RecordBatch.from_pandas(pd.DataFrame(columns), preserve_index=False)

    def read() -> Iterator[pa.RecordBatch]:
        for start in range(0, whole.num_rows, rows_of_a_block):
            yield whole.slice(start, rows_of_a_block)

    return Blocks(Source(csv="rows.csv"), tuple(columns), read)


def profile(target: Any, wishes: Wishes | None = None, **columns: Any) -> TableProfile:
    """The profile of a table with a feature `x`, the target `y`, and these columns."""
    numbers = _RNG.normal(size=len(target)).round(3)
    return profile_table(blocks({"x": numbers, **columns, "y": target}), "y", wishes or Wishes())


def role(of: TableProfile, name: str) -> Role:
    return next(column.role for column in of.columns if column.name == name)


def doubts(of: TableProfile) -> str:
    return "\n".join(map(str, of.doubts))


FLAGS = np.arange(_ROWS) % 3 == 0
DAYS = pd.date_range("2013-01-01", periods=_ROWS, freq="h")


@pytest.mark.parametrize(
    ("target", "task", "type_", "metric", "positive"),
    [
        (np.where(FLAGS, "1", "0"), "binary", "int", "roc_auc", 1),
        (np.where(FLAGS, "Yes", "No"), "binary", "category", "roc_auc", "Yes"),
        (np.where(FLAGS, "No", "Yes"), "binary", "category", "roc_auc", "Yes"),
        (np.where(FLAGS, "bad", "good"), "binary", "category", "roc_auc", "bad"),
        (FLAGS, "binary", "bool", "roc_auc", True),
        (np.where(np.arange(_ROWS) % 50 == 0, "1", "0"), "binary", "int", "average_precision", 1),
        (np.where(FLAGS, 1, 2), "binary", "int", "roc_auc", 1),
        (np.array(["a", "b", "c"])[np.arange(_ROWS) % 3], "multiclass", "category", "log_loss", None),
        (np.arange(_ROWS) % 7, "multiclass", "int", "log_loss", None),
        (np.arange(_ROWS) % 11, "regression", "int", "rmse", None),
        (
            np.array([f"class {i}" for i in range(40)])[np.arange(_ROWS) % 40],
            "multiclass",
            "category",
            "log_loss",
            None,
        ),
        (_RNG.normal(size=_ROWS), "regression", "float", "rmse", None),
    ],
)
def test_the_task_follows_from_the_target(target: Any, task: str, type_: str, metric: str, positive: Any) -> None:
    guess = profile(target).target
    assert (guess.task, guess.type, guess.metric, guess.positive) == (task, type_, metric, positive)
    assert guess.why and guess.metric_why


def test_a_person_who_says_the_task_and_the_metric_is_believed() -> None:
    guess = profile(np.arange(_ROWS) % 7, Wishes(task=Task.REGRESSION, metric="mae")).target
    assert (guess.task, guess.metric) == (Task.REGRESSION, "mae")


@pytest.mark.parametrize(
    ("target", "wishes", "said"),
    [
        (["a"] * 50, Wishes(), "is always 'a'"),
        ([None] * 50, Wishes(), "has no value at all"),
        ([f"text {i}" for i in range(400)], Wishes(), "400 different values"),
        (["a", "b", "c"] * 20, Wishes(task=Task.BINARY), "a binary task has two"),
        (["a", "b", "c"] * 20, Wishes(task=Task.REGRESSION), "a regression is of numbers"),
        (np.linspace(0, 1, 90), Wishes(task=Task.MULTICLASS), "a regression fits them"),
    ],
)
def test_a_target_that_nothing_can_be_learned_of_is_refused(target: Any, wishes: Wishes, said: str) -> None:
    with pytest.raises(DataUnusable, match=said):
        profile(target, wishes)


def test_a_column_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'temperature'"):
        profile_table(blocks({"temperature": [1, 2], "y": [0, 1]}), "temprature", Wishes())


def test_a_time_that_a_person_names_has_to_hold_a_moment_for_each_row() -> None:
    with pytest.raises(DataUnusable, match="hour cannot be the time: it holds whole numbers"):
        profile(FLAGS, Wishes(time="hour"), hour=np.arange(_ROWS) % 24)
    with pytest.raises(DataUnusable, match="500 rows have none"):
        profile(FLAGS, Wishes(time="day"), day=DAYS.where(np.arange(_ROWS) % 8 > 0))


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("ride", np.arange(_ROWS), Role.ID),
        ("uuid", [f"{i * 7919:032x}" for i in range(_ROWS)], Role.ID),
        ("order_id", _RNG.permutation(_ROWS) * 3, Role.ID),
        ("amount", _RNG.permutation(_ROWS) * 3, Role.FEATURE),
        ("plate", [f"K-{i * 7919 % 10_000}-{i}" for i in range(_ROWS)], Role.KEPT),
        ("customer_id", np.arange(_ROWS) // 4, Role.GROUP),
        ("store_id", np.arange(_ROWS) % 9, Role.FEATURE),
        ("always", ["EU"] * _ROWS, Role.LEFT_OUT),
        ("nothing", [None] * _ROWS, Role.LEFT_OUT),
        ("rare", np.where(np.arange(_ROWS) % 200 == 0, "seen", None), Role.KEPT),
        ("sometimes", np.where(np.arange(_ROWS) % 20 == 0, "seen", None), Role.FEATURE),
        ("day", DAYS, Role.TIME),
        ("date, in no order", _RNG.permutation(DAYS), Role.TIME),
        ("in order, without a hint", DAYS, Role.TIME),
        ("neither", _RNG.permutation(DAYS), Role.FEATURE),
        ("birth date", _RNG.permutation(DAYS), Role.FEATURE),
        ("date", DAYS.where(np.arange(_ROWS) % 9 > 0), Role.FEATURE),
        ("lists", [[i] for i in range(_ROWS)], Role.LEFT_OUT),
    ],
)
def test_a_column_has_the_role_that_its_values_and_its_name_say(name: str, values: Any, expected: Role) -> None:
    found = profile(FLAGS, **{name: values})
    assert role(found, name) == expected
    assert next(column.why for column in found.columns if column.name == name)


def test_rows_are_split_by_time_else_by_the_thing_they_are_of_else_at_random() -> None:
    customers = np.arange(_ROWS) // 4
    assert profile(FLAGS, day=DAYS, customer=customers).split == {"method": "time"}
    assert profile(FLAGS, customer=customers).split == {"method": "group", "group": "customer"}
    assert profile(FLAGS).split == {"method": "random"}


def test_the_better_of_several_times_is_taken_and_the_others_are_named() -> None:
    found = profile(FLAGS, updated=DAYS, noted=_RNG.permutation(DAYS), ordered_at=DAYS)
    assert found.of_role(Role.TIME) == "ordered_at"
    assert "several columns hold times" in doubts(found)


def test_what_a_person_has_to_look_at_is_told() -> None:
    few = profile(np.where(np.arange(150) < 3, "rare", np.where(FLAGS[:150], "a", "b")), again=["same"] * 149 + ["x"])
    assert "150 rows are few" in doubts(few)
    assert "classes with few rows: 'rare' (3)" in doubts(few)
    rare = profile(np.arange(_ROWS) % 100 == 0)
    assert "strong imbalance: 40 rows, 1.00%, are True" in doubts(rare)
    twice = profile_table(blocks({"a": [1, 2, 3] * 100, "y": [0, 1, 0] * 100}), "y", Wishes())
    assert "297 rows are equal to an earlier one" in doubts(twice)
    lost = profile(np.where(FLAGS, 1.5, np.where(DAYS.hour < 12, np.nan, 2.5)))
    assert "have no target; they are left out" in doubts(lost)


def test_names_that_cannot_be_declared_are_left_out_and_told() -> None:
    table = blocks({"a": ["1", "2", "3"], "y": ["1.5", "2.5", "3.5"]})
    odd = Blocks(table.source, ("", "a", "b\t", "c", "c", "y"), table.read)
    said = doubts(profile_table(odd, "y", Wishes()))
    assert "1 header cell(s) are empty" in said and "'b\\t' is left out" in said and "2 columns are named c" in said
    with pytest.raises(DataUnusable, match="2 columns have this name"):
        profile_table(odd, "c", Wishes())


def test_all_rows_of_a_large_table_are_counted_and_a_sample_of_them_is_looked_at() -> None:
    rows = 3 * MOST_ROWS
    values = np.arange(rows).astype(str).astype(object)
    values[rows - 1] = "-5"
    table = blocks({"x": values, "y": np.where(np.arange(rows) % 3 == 0, "1", "0")}, rows_of_a_block=20_000)
    found = profile_table(table, "y", Wishes())
    (x, _) = found.columns
    assert found.rows == rows and len(found.survey.sample.frame) == MOST_ROWS
    assert (x.count.low, x.count.high) == (-5.0, rows - 2.0)
    assert sum(found.target.shares.values()) == pytest.approx(1)
    assert found.survey.sample.frame["x"].astype(int).diff().iloc[1:-1].min() > 0  # in the order of the table


@pytest.mark.parametrize(
    ("odd", "type_", "said"),
    [("1.5", "float", ""), ("oops", "category", "1 are not, such as 'oops'")],
)
def test_a_value_outside_of_the_sample_is_not_overlooked(odd: str, type_: str, said: str) -> None:
    rows = 3 * MOST_ROWS
    values = (np.arange(rows) % 1_000).astype(str).astype(object)
    values[rows - 2] = odd
    table = blocks({"x": values, "y": np.where(np.arange(rows) % 3 == 0, "1", "0")}, rows_of_a_block=50_000)
    found = profile_table(table, "y", Wishes())
    (x, _) = found.columns
    assert x.kind.type == type_
    assert said in x.doubt


def test_a_wide_table_is_looked_at_in_fewer_rows() -> None:
    assert most_rows(2) == MOST_ROWS and most_rows(2_000) == 5_000 and most_rows(10**6) == 1_000
