from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.core.spec import Experiment
from slipway.errors import LibraryMissing, Refusal, UntrustedModel
from slipway.registry.evidence.rescoring import SameRows, rescore, unseen
from slipway.registry.evidence.test_rows import TestRows

Declare = Callable[..., Experiment]
WHOLE = pd.DataFrame(
    {
        "late": np.arange(40) % 2,
        "minutes": np.arange(40) / 8,
        "port": pd.Series(list("ABCD") * 10, dtype="str"),
        "when": pd.date_range("2026-01-01", periods=40, freq="h"),
    }
)
COLUMNS = {"late": {"type": "int"}, "minutes": {"type": "float"}, "port": {"type": "category"}}
BY_TIME = {
    "data": {"source": {"csv": "a.csv"}, "target": "late", "time": "when", "columns": COLUMNS | {"when": {"type": "datetime"}}},
    "split": {"method": "time"},
}  # fmt: skip
places = st.sets(st.integers(0, 39), min_size=1).map(sorted)


def rows_of(experiment: Experiment, rows: pd.DataFrame) -> SameRows:
    return SameRows(experiment, TestRows(rows.reset_index(drop=True), "late", (0, 1), {}))


@given(ours=places, theirs=places)
def test_of_the_same_data_all_was_trained_on_that_is_no_test_row(
    declare: Declare, ours: list[int], theirs: list[int]
) -> None:
    rows, by = (rows_of(declare(), WHOLE.iloc[taken]) for taken in (ours, theirs))
    found = unseen(rows, by, same_data=True)
    assert found is not None and found.tolist() == [place in theirs for place in ours]


@given(ours=places, since=st.integers(0, 39))
def test_what_was_cut_by_time_was_trained_on_what_came_before_its_test_rows(
    declare: Declare, ours: list[int], since: int
) -> None:
    rows, by = rows_of(declare(), WHOLE.iloc[ours]), rows_of(declare(**BY_TIME), WHOLE.iloc[since:])
    for same_data in (True, False):
        found = unseen(rows, by, same_data=same_data)
        assert found is not None and found.tolist() == [place >= since for place in ours]


BY_DAY = {
    "data": {"source": {"csv": "a.csv"}, "target": "late", "columns": COLUMNS | {"day": {"type": "int"}}},
    "split": {"method": "group", "group": "day"},
}  # fmt: skip
OF_A_DAY = WHOLE.assign(day=np.arange(40) // 5)


@given(ours=st.sets(st.integers(0, 7), min_size=1), theirs=places)
def test_of_a_split_by_group_what_shares_a_group_with_a_training_row_counts_as_seen(
    declare: Declare, ours: set[int], theirs: list[int]
) -> None:
    tested = OF_A_DAY[OF_A_DAY["day"].isin(ours)]
    found = unseen(rows_of(declare(**BY_DAY), tested), rows_of(declare(), OF_A_DAY.iloc[theirs]), same_data=True)
    trained_on = set(OF_A_DAY["day"].drop(theirs))
    assert found is not None and found.tolist() == [day not in trained_on for day in tested["day"]]


@given(since=st.integers(0, 39), theirs=places)
def test_of_a_split_by_time_what_is_not_later_than_the_last_training_row_counts_as_seen(
    declare: Declare, since: int, theirs: list[int]
) -> None:
    tested, by = WHOLE.iloc[since:], rows_of(declare(), WHOLE.iloc[theirs])
    found = unseen(rows_of(declare(**BY_TIME), tested), by, same_data=True)
    trained_until = max(set(range(-1, 40)) - set(theirs))
    assert found is not None and found.tolist() == [place > trained_until for place in range(since, 40)]


@given(since=st.integers(0, 39), theirs=places)
def test_of_other_data_what_is_later_than_all_that_was_drawn_for_the_test_counts_as_not_trained_on(
    declare: Declare, since: int, theirs: list[int]
) -> None:
    tested, by = WHOLE.iloc[since:], rows_of(declare(split={"method": "random"}), WHOLE.iloc[theirs])
    found = unseen(rows_of(declare(**BY_TIME), tested), by, same_data=False)
    assert found is not None and found.tolist() == [place > max(theirs) for place in range(since, 40)]


def test_of_other_data_that_were_split_by_group_nothing_is_known_as_the_groups_tested_on_may_be_old(
    declare: Declare,
) -> None:
    by_day = rows_of(declare(**BY_DAY), OF_A_DAY[OF_A_DAY["day"] < 2])  # the days after it were trained on
    assert unseen(rows_of(declare(**BY_TIME), WHOLE.iloc[30:]), by_day, same_data=False) is None


def test_of_other_data_nothing_is_known_where_time_does_not_tell(declare: Declare) -> None:
    assert unseen(rows_of(declare(), WHOLE), rows_of(declare(), WHOLE), same_data=False) is None


@pytest.mark.parametrize(
    "error", [UntrustedModel("its bytes changed"), Refusal("it is gone"), LibraryMissing("lightgbm", "lightgbm==4.7.0")]
)
def test_a_model_that_is_refused_has_a_reason_and_no_outcome(declare: Declare, error: Exception) -> None:
    def fetch() -> Path:
        raise error

    found = rescore(fetch, rows_of(declare(), WHOLE), ())
    assert (found.outcome, dict(found.inputs), found.problem) == (None, {}, str(error))


def test_what_fails_outside_is_no_reason_but_a_failure(declare: Declare) -> None:
    def fetch() -> Any:
        raise ConnectionError("the server went away")

    with pytest.raises(ConnectionError):
        rescore(fetch, rows_of(declare(), WHOLE), ())
