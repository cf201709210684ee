from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from slipway.core.spec import Experiment
from slipway.core.tasks import Task
from slipway.data import audit

ROWS = 2000


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    minutes, port = rng.normal(size=ROWS), rng.choice(["A", "B"], ROWS)
    late = (minutes + rng.normal(size=ROWS) > 0).astype(int)
    return pd.DataFrame({"late": late, "minutes": minutes, "port": port})


def declared(declare: Callable[..., Experiment], **more: object) -> Experiment:
    types = {"late": "int", "minutes": "float", "port": "category", **more.pop("columns", {})}
    columns = {name: {"type": kind, "known": "the timetable"} for name, kind in types.items()}
    data = {"source": {"csv": "rows.csv"}, "target": "late", "columns": columns, "time": more.pop("time", None)}
    split = more.pop("split", {"method": "random"})
    return declare(data={**data, **more}, split=split)


def leaks(frame: pd.DataFrame, experiment: Experiment):
    return audit(frame[:1200], frame[1200:], experiment, (0, 1))


def test_honest_features_are_no_leak(frame, declare):
    assert leaks(frame, declared(declare)) == []


def test_a_copy_of_the_target_with_noise_is_caught_and_named(frame, declare):
    flipped = np.random.default_rng(1).random(ROWS) < 0.01
    frame["checked"] = np.where(flipped, 1 - frame["late"], frame["late"]).astype(float)
    (leak,) = leaks(frame, declared(declare, columns={"checked": "float"}))
    assert leak.columns == ("checked",) and leak.fatal and "gives the target away" in leak.message


def test_a_category_that_is_the_target_in_words_is_caught(frame, declare):
    frame["outcome"] = frame["late"].map({0: "on time", 1: "late"})
    (leak,) = leaks(frame, declared(declare, columns={"outcome": "category"}))
    assert leak.columns == ("outcome",) and leak.fatal


def test_a_column_that_says_much_is_doubted_and_not_refused(frame, declare):
    flipped = np.random.default_rng(1).random(ROWS) < 0.06
    frame["hint"] = np.where(flipped, 1 - frame["late"], frame["late"]).astype(float)
    (leak,) = leaks(frame, declared(declare, columns={"hint": "float"}))
    assert leak.columns == ("hint",) and not leak.fatal


def test_a_column_that_is_rightly_known_can_be_declared_so(frame, declare):
    frame["checked"] = frame["late"].astype(float)
    assert leaks(frame, declared(declare, columns={"checked": "float"}, not_leaking=["checked"])) == []


def test_held_out_rows_that_equal_training_rows_are_counted_and_named(frame, declare):
    frame.iloc[1500:1510] = frame.iloc[:10]
    (leak,) = leaks(frame, declared(declare))
    assert not leak.fatal and "10 held-out rows" in leak.message and "1500" in leak.message


def test_missing_values_are_no_obstacle(frame, declare):
    frame.loc[::3, "minutes"] = np.nan
    frame.loc[::4, "port"] = None
    assert not [leak for leak in leaks(frame, declared(declare)) if leak.columns != ("(rows)",)]


def test_a_split_at_random_of_rows_that_have_a_time_trains_on_the_future(frame, declare):
    frame["at"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(ROWS)[::-1], unit="h")
    (leak,) = leaks(frame, declared(declare, columns={"at": "datetime"}, time="at"))
    assert leak.columns == ("at",) and not leak.fatal
    assert "1200 of 1200 training rows are later than the first held-out row (2024-01-01 00:00:00)" in leak.message
    by_time = declared(declare, columns={"at": "datetime"}, time="at", split={"method": "time"})
    assert leaks(frame, by_time) == []


def test_a_category_that_names_the_row_is_doubted(frame, declare):
    frame["ticket"] = [f"T{i}" for i in range(ROWS)]
    (leak,) = leaks(frame, declared(declare, columns={"ticket": "category"}))
    assert leak.columns == ("ticket",) and not leak.fatal and "names the row" in leak.message
    assert leaks(frame, declared(declare, columns={"ticket": "text"})) == []  # of a text one expects no less


def test_features_of_which_nobody_says_how_they_are_known_are_named(frame, declare):
    experiment = declared(declare)
    unsaid = experiment.as_dict()["data"]
    unsaid["columns"]["port"]["known"] = None
    (leak,) = leaks(frame, declare(data=unsaid))
    assert leak.columns == ("port",) and not leak.fatal and "`known`" in leak.message


def test_many_classes_of_which_the_held_out_rows_lack_one_hide_no_leak(declare):
    rng = np.random.default_rng(2)
    kind = rng.choice(list("abcdefghi"), ROWS)
    kind[3] = "rare"
    rows = pd.DataFrame({"late": kind, "minutes": rng.normal(size=ROWS), "port": "A"})
    rows["action"] = rows["late"] + rng.choice(["1", "2", "3"], ROWS)
    experiment = declared(declare, columns={"action": "category", "late": "category"})
    experiment = experiment.model_copy(update={"task": Task.MULTICLASS})
    found = audit(rows[:1200], rows[1200:], experiment, (*"abcdefghi", "rare"))
    assert found[0].columns == ("action",) and found[0].fatal
