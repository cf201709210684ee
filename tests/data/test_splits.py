from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.core.spec import Experiment
from slipway.data import Splits, split
from slipway.errors import DataUnusable

Declare = Callable[..., Experiment]
seeds = st.integers(0, 2**32 - 1)


def experiment_with(declare: Declare, by: dict[str, Any], seed: int = 0, task: str = "binary") -> Experiment:
    base = declare().as_dict()
    metric = {"binary": "roc_auc", "regression": "rmse"}[task]
    data = {**base["data"], "time": "t", "columns": {**base["data"]["columns"], "t": {"type": "datetime"}}}
    return declare(task=task, data=data, split=by, search={**base["search"], "seed": seed, "metric": metric})


def rows(count: int, seed: int = 0, moments: int = 10_000, groups: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "late": rng.permutation(np.arange(count) % 3 == 0).astype(int),
            "minutes": rng.normal(size=count),
            "port": rng.integers(0, groups, count).astype(str),
            "t": pd.Timestamp("2013-01-01") + pd.to_timedelta(rng.integers(0, moments, count), unit="h"),
        }
    )


def disjoint_and_exhaustive(splits: Splits, frame: pd.DataFrame) -> None:
    parts = [part.index for part in splits.parts().values()]
    together = parts[0].append(parts[1:])
    assert sorted(together) == list(frame.index)
    pd.testing.assert_frame_equal(pd.concat(splits.parts().values()).sort_index(), frame)
    assert sorted(splits.development.index) == sorted(parts[0].append(parts[1]))


METHODS = [
    {"method": "random", "validation": 0.2, "test": 0.3},
    {"method": "group", "group": "port"},
    {"method": "time"},
    {"method": "time", "validation_from": "2013-04-01", "test_from": "2013-08-01"},
]


@pytest.mark.parametrize("by", METHODS, ids=lambda by: "-".join(map(str, by))[:22])
@given(seed=seeds, count=st.integers(150, 300), moments=st.integers(7000, 9000))
def test_each_row_is_in_exactly_one_part_and_the_same_seed_gives_the_same_parts(
    declare: Declare, by: dict[str, Any], seed: int, count: int, moments: int
) -> None:
    frame, experiment = rows(count, seed, moments), experiment_with(declare, by, seed)
    splits = split(frame, experiment)
    disjoint_and_exhaustive(splits, frame)
    for part, again in zip(splits.parts().values(), split(frame, experiment).parts().values(), strict=True):
        pd.testing.assert_frame_equal(part, again)


@pytest.mark.parametrize("by", METHODS[2:], ids=["shares", "dates"])
@given(seed=seeds, moments=st.sampled_from([8, 30, 300, 9000]))
def test_by_time_every_part_is_strictly_later_than_the_one_before_also_with_many_rows_of_one_moment(
    declare: Declare, by: dict[str, Any], seed: int, moments: int
) -> None:
    frame = rows(150, seed, moments)
    frame["t"] = pd.Timestamp("2013-01-01") + (frame["t"] - pd.Timestamp("2013-01-01")) * (9000 // moments)
    splits = split(frame, experiment_with(declare, by))
    assert splits.train["t"].max() < splits.validation["t"].min()
    assert splits.validation["t"].max() < splits.test["t"].min()
    disjoint_and_exhaustive(splits, frame)


def test_by_time_the_shares_are_kept_where_no_moment_is_twice(declare: Declare) -> None:
    frame = rows(200)
    frame["t"] = pd.date_range("2013-01-01", periods=200)[np.random.default_rng(1).permutation(200)]
    splits = split(frame, experiment_with(declare, {"method": "time", "validation": 0.15, "test": 0.2}))
    assert [len(part) for part in splits.parts().values()] == pytest.approx([130, 30, 40], abs=1)


def test_by_time_a_row_of_the_first_test_day_is_tested_and_the_rule_says_the_days(declare: Declare) -> None:
    frame = rows(120)
    frame["t"] = pd.date_range("2013-01-01", periods=120)
    splits = split(
        frame, experiment_with(declare, {"method": "time", "validation_from": "2013-03-01", "test_from": "2013-04-01"})
    )
    assert (splits.validation["t"].min(), splits.test["t"].min()) == (
        pd.Timestamp("2013-03-01"),
        pd.Timestamp("2013-04-01"),
    )
    assert splits.rule == "by t: validation from 2013-03-01 00:00:00, test from 2013-04-01 00:00:00"


@given(seed=seeds, groups=st.integers(5, 20))
def test_by_group_no_group_is_on_two_sides(declare: Declare, seed: int, groups: int) -> None:
    frame = rows(180, seed, groups=groups)
    splits = split(frame, experiment_with(declare, {"method": "group", "group": "port"}, seed))
    sides = [set(part["port"]) for part in splits.parts().values()]
    assert sum(map(len, sides)) == len(set.union(*sides)) == frame["port"].nunique()
    assert all(sides)


@given(seed=seeds, count=st.integers(90, 300))
def test_at_random_the_classes_keep_their_shares(declare: Declare, seed: int, count: int) -> None:
    frame = rows(count, seed)
    splits = split(frame, experiment_with(declare, {"method": "random"}, seed))
    for part in splits.parts().values():
        assert abs(part["late"].sum() - len(part) * frame["late"].mean()) <= 1
    shares = [len(part) / count for part in splits.parts().values()]
    assert shares == pytest.approx([0.65, 0.15, 0.2], abs=2 / count)


def test_another_seed_gives_other_parts(declare: Declare) -> None:
    frame = rows(100)
    for by in METHODS[:2]:
        one, other = (split(frame, experiment_with(declare, by, seed)) for seed in (1, 2))
        assert list(one.test.index) != list(other.test.index)


def test_a_regression_is_split_at_random_without_classes(declare: Declare) -> None:
    frame = rows(100).assign(late=np.arange(100))
    splits = split(frame, experiment_with(declare, {"method": "random"}, task="regression"))
    disjoint_and_exhaustive(splits, frame)
    assert splits.rule == "at random"


@pytest.mark.parametrize(
    ("by", "change", "said"),
    [
        ({"method": "random"}, {"late": 1}, "one class only: late is always 1"),
        ({"method": "time"}, {"late": 0}, "the train part has one class only: late is always 0"),
        ({"method": "time"}, {"t": pd.Timestamp("2013-01-01")}, "the train part of the split has no rows"),
        (METHODS[3], {"t": pd.Timestamp("2013-01-01")}, "the validation part of the split has no rows"),
        (METHODS[3], {"t": pd.Timestamp("2014-01-01")}, "the train part of the split has no rows"),
        (
            {"method": "group", "group": "port"},
            {"port": "A"},
            "needs 3 groups or more, one of them for the test; found 1",
        ),
    ],
)
def test_data_that_leaves_a_part_without_rows_or_classes_is_refused(
    declare: Declare, by: dict[str, Any], change: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataUnusable, match=said):
        split(rows(90).assign(**change), experiment_with(declare, by))


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("by", METHODS, ids=lambda by: by["method"])
def test_a_handful_of_rows_is_refused_by_every_method(declare: Declare, by: dict[str, Any], count: int) -> None:
    with pytest.raises(DataUnusable):
        split(rows(count).assign(late=[i % 2 for i in range(count)]), experiment_with(declare, by))


def test_a_class_that_is_tested_and_never_trained_on_is_refused(declare: Declare) -> None:
    frame = rows(120).assign(late=["a", "b", "c"] * 40)
    frame["t"] = pd.date_range("2013-01-01", periods=120)
    frame.loc[:90, "late"] = ["a", "b"] * 45 + ["a"]
    base = experiment_with(declare, {"method": "time"}).as_dict()
    base["data"]["columns"]["late"]["type"] = "category"
    experiment = declare(**{**base, "task": "multiclass"})
    with pytest.raises(DataUnusable, match=r"not trained on: \['c'\]"):
        split(frame, experiment)


@given(seed=seeds, folds=st.integers(2, 5), moments=st.sampled_from([40, 10_000]))
def test_folds_by_time_are_validated_on_what_follows_their_training_rows(
    declare: Declare, seed: int, folds: int, moments: int
) -> None:
    frame = rows(300, seed, moments)
    splits = split(frame, experiment_with(declare, {"method": "time", "folds": folds}))
    times = splits.development["t"].to_numpy()
    assert len(splits.folds) == folds and times.max() < splits.test["t"].min()
    for train, validation in splits.folds:
        assert times[train].max() < times[validation].min()
    ends = [times[validation].max() for _, validation in splits.folds]
    assert ends == sorted(ends) and ends[-1] == times.max()


@given(seed=seeds, folds=st.integers(2, 4))
def test_folds_by_group_never_part_a_group(declare: Declare, seed: int, folds: int) -> None:
    frame = rows(300, seed)
    splits = split(frame, experiment_with(declare, {"method": "group", "group": "port", "folds": folds}, seed))
    ports = splits.development["port"].to_numpy()
    assert not set(ports) & set(splits.test["port"])
    for train, validation in splits.folds:
        assert not set(ports[train]) & set(ports[validation])


@given(seed=seeds, folds=st.integers(2, 6))
def test_folds_at_random_keep_the_classes_in_proportion(declare: Declare, seed: int, folds: int) -> None:
    frame = rows(300, seed)
    splits = split(frame, experiment_with(declare, {"method": "random", "folds": folds}, seed))
    late = splits.development["late"].to_numpy()
    for train, validation in splits.folds:
        assert late[validation].mean() == pytest.approx(late[train].mean(), abs=0.03)


@pytest.mark.parametrize("by", [{"method": "random"}, {"method": "group", "group": "port"}])
def test_each_development_row_is_validated_on_once(declare: Declare, by: dict[str, Any]) -> None:
    splits = split(rows(300), experiment_with(declare, {**by, "folds": 4}))
    positions = np.concatenate([validation for _, validation in splits.folds])
    assert sorted(positions) == list(range(len(splits.development)))
    assert list(splits.parts()) == ["development", "test"]


def test_more_folds_than_groups_are_refused(declare: Declare) -> None:
    with pytest.raises(DataUnusable, match="needs 6 groups or more, one of them for the test; found 3"):
        split(rows(300, groups=3), experiment_with(declare, {"method": "group", "group": "port", "folds": 5}))
