"""Times as features: the plan casts, subtracts and encodes as numpy and scikit-learn do, over all of the calendar."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as some
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from slipway.compile import Compiled, LeftToOriginal, NotCompilable, compile_model, verify
from slipway.core.spec import Data
from slipway.plans import opened, stored
from slipway.plans import operations as op
from slipway.plans.program import Operations
from slipway.search.preprocessing import with_preprocessing

TABLE = Data.model_validate(
    {
        "source": {"csv": "rows.csv"},
        "target": "days",
        "time": "asked",
        "columns": {
            "days": {"type": "float"},
            "asked": {"type": "datetime", "feature": True},
            "sent": {"type": "datetime"},
            "seen__at": {"type": "datetime", "nulls": 0.5},
            "number": {"type": "float"},
        },
    }
)
NAMES = list(TABLE.features)
MODELS: dict[str, Callable[[], Any]] = {
    "trees of numbers": lambda: RandomForestRegressor(8, random_state=0),
    "boosting": lambda: HistGradientBoostingRegressor(max_iter=20),
    "linear": lambda: Ridge(),
}
times = some.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))
ODD = [
    *(datetime(1969, 12, 31, 23, 59, 59, 999_999), datetime(1970, 1, 1), datetime(1970, 1, 1, 0, 0, 0, 1)),
    *(datetime(1899, 12, 31, 23, 59, 59), datetime(1900, 2, 28, 23), datetime(1900, 3, 1), datetime(2000, 2, 29, 12)),
    *(datetime(2024, 2, 29, 23, 59, 59, 1), datetime(2100, 2, 28, 23, 59, 59), datetime(2100, 3, 1)),
    *(datetime(1700, 1, 1), datetime(2199, 12, 31, 23, 59, 59, 999_999)),
]


@cache
def rows(count: int = 600) -> pd.DataFrame:
    random = np.random.default_rng(3)

    def moments(first: str, last: str) -> pd.Series:
        ends = [int(pd.Timestamp(end).timestamp()) for end in (first, last)]
        return pd.Series(pd.to_datetime(random.integers(*ends, count), unit="s")).astype("datetime64[us]")

    table = {"asked": moments("1990", "2030"), "sent": moments("1700", "2200"), "seen__at": moments("1960", "1980")}
    frame = pd.DataFrame({**table, "number": random.normal(size=count)})
    frame["seen__at"] = frame["seen__at"].mask(random.random(count) < 0.2)
    return frame[NAMES]


@cache
def fitted(name: str) -> tuple[Any, Compiled]:
    frame = rows()
    days = frame["asked"].dt.day + frame["sent"].dt.month + frame["asked"].dt.hour.mul(frame["seen__at"].isna())
    model = with_preprocessing(MODELS[name](), TABLE).fit(frame, days)
    return model, compile_model(model)


@pytest.mark.parametrize("name", MODELS)
def test_a_plan_answers_times_as_its_model_does_to_the_last_bit(name: str) -> None:
    model, compiled = fitted(name)
    odd = pd.DataFrame({each: pd.Series(ODD, dtype="datetime64[us]") for each in NAMES[:3]}).assign(number=0.5)
    for frame in (rows(), odd, odd.assign(sent=odd["sent"][::-1].to_numpy(), seen__at=pd.NaT)):
        frame = frame.astype({"seen__at": "datetime64[us]"})
        for unit in ("ns", "us", "ms", "s"):
            units = dict.fromkeys(NAMES[:3], f"datetime64[{unit}]")
            given_rows = frame.astype(units)
            np.testing.assert_array_equal(compiled.encode_frame(given_rows), compiled.encode_frame(frame))
            np.testing.assert_array_equal(
                compiled.predict(compiled.encode_frame(given_rows)), model.predict(given_rows)
            )
    agreement = verify(model, compiled, rows().head(50))
    assert agreement.equal, agreement.problems
    assert agreement.compared > 250


def test_verify_finds_a_plan_that_takes_another_calendar() -> None:
    model, compiled = fitted("boosting")
    tables = [stage.table.copy() for stage in compiled.program.stages if isinstance(stage, Operations)]
    for table in tables:
        table[table[:, 0] == op.MONTHS, 0] = op.COPY
    wrong = replace(compiled, program=replace(compiled.program, stages=tuple(map(Operations, tables))))
    assert not verify(model, wrong, rows().head(50)).equal


@pytest.mark.parametrize("name", MODELS)
@given(row=some.tuples(times, times, some.none() | times, some.floats(-9, 9)))
@example(row=(ODD[0], ODD[4], None, 0.0))
def test_a_row_of_json_is_answered_as_the_row_of_a_frame(name: str, row: tuple[Any, ...]) -> None:
    model, compiled = fitted(name)
    frame = pd.DataFrame([row], columns=NAMES).astype(dict.fromkeys(NAMES[:3], "datetime64[us]"))
    as_json = [*(each and each.isoformat() for each in row[:3]), row[3]]
    encoded = compiled.encode([as_json])
    np.testing.assert_array_equal(encoded, compiled.encode_frame(frame))
    np.testing.assert_array_equal(encoded, compiled.encode([as_json, as_json])[1:])
    assert compiled.refused(encoded).any() or (compiled.predict(encoded) == model.predict(frame)).all()


@given(moment=times)
@example(moment=ODD[0])
def test_calendar_parts_are_those_of_pythons_calendar(moment: datetime) -> None:
    model, _ = fitted("boosting")
    frame = pd.DataFrame({name: [pd.Timestamp(moment)] for name in NAMES[:3]}).astype("datetime64[us]").assign(number=0)
    steps = {name: step for name, step, _ in model[0].transformers_}
    month, weekday, day, minute, second = steps["calendar 1"].transform(frame[["sent"]])[0].tolist()
    assert (month, day, minute) == (moment.month - 1, moment.day - 1, 60 * moment.hour + moment.minute)
    assert (weekday + 3) % 7 == moment.weekday()  # numpy's weeks begin on Thursdays
    assert second == (moment - datetime(1970, 1, 1)) // timedelta(seconds=1)


def test_the_moment_of_the_prediction_gives_no_trend_and_every_pair_of_times_a_distance() -> None:
    model, _ = fitted("boosting")
    steps = {name: (step, columns) for name, step, columns in model[0].transformers_}
    trend, columns = steps["calendar 0"]
    assert columns == ["asked"] and trend.transform(rows()[["asked"]]).shape[1] == 4
    assert [columns for name, (_, columns) in steps.items() if name.startswith("distance")] == [
        ["asked", "sent"],
        ["asked", "seen__at"],
        ["sent", "seen__at"],
    ]
    distance = steps["distance 0"][0].transform(rows()[["asked", "sent"]])[:, 0]
    np.testing.assert_array_equal(distance, (rows()["sent"] - rows()["asked"]).dt.total_seconds())


def test_missing_times_are_nan_whatever_the_parts() -> None:
    model, _ = fitted("boosting")
    encoded = model[0].transform(rows().assign(seen__at=pd.Series(pd.NaT, index=rows().index, dtype="datetime64[ns]")))
    assert np.isnan(encoded).any(axis=0).sum() == 5 + 2  # five parts, and two distances


def test_times_in_other_forms_are_the_same_instant_and_others_are_left_to_the_model() -> None:
    _, compiled = fitted("boosting")
    moment = datetime(2013, 5, 6, 7, 8, 9)
    in_utc = moment.replace(tzinfo=UTC)
    elsewhere = in_utc.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()
    row = ["2013-05-06T07:08:09", "2013-05-06", None, 1.0]
    wanted = compiled.encode([row])
    for same in (elsewhere, "2013-05-06 07:08:09.999", moment, in_utc.timestamp() * 1000):
        np.testing.assert_array_equal(compiled.encode([[same, *row[1:]]]), wanted)
    for wrong in ("yesterday", True, "0001-01-01", [1], 0):
        with pytest.raises(LeftToOriginal, match="column 'asked'"):
            compiled.encode([[wrong, *row[1:]]])
    with pytest.raises(LeftToOriginal, match="a column of type"):
        compiled.encode_frame(rows().assign(asked="2013-05-06"))


def test_a_plan_of_times_is_the_same_written_down_and_opened() -> None:
    for name in MODELS:
        compiled = fitted(name)[1]
        content = stored(compiled)
        again = opened(content)
        np.testing.assert_array_equal(again.encode_frame(rows()), compiled.encode_frame(rows()))
        assert stored(again) == content


def test_one_row_of_times_is_answered_in_less_than_a_tenth_of_a_millisecond() -> None:
    _, compiled = fitted("boosting")
    row, took = ["2013-05-06T07:08:09", "2013-05-06", None, 1.0], []
    for _ in range(300):
        clock = time.perf_counter()
        compiled.predict(compiled.encode([row]))
        took.append(time.perf_counter() - clock)
    assert min(took) < 100e-6


@pytest.mark.parametrize(
    ("function", "arguments", "why"),
    [
        (np.asarray, {"dtype": "datetime64[ns]"}, "np.asarray to datetime64"),
        (np.asarray, {"dtype": "float64"}, "something else than times"),
        (np.asarray, {"dtype": "datetime64[D]", "order": "C"}, "other arguments"),
        (np.dot, {"b": np.eye(1)}, "something else than times with whole weights"),
        (np.dot, {"b": 2}, "something else than a matrix"),
    ],
)
def test_other_arithmetic_is_refused_by_name(function: Any, arguments: Any, why: str) -> None:
    step = FunctionTransformer(function, kw_args=arguments)
    frame = pd.DataFrame({"number": np.arange(9.0)})
    if "datetime64" in str(arguments.get("dtype", "")):
        frame["number"] = pd.date_range("2020", periods=9)
        step = make_pipeline(step, FunctionTransformer(np.asarray, kw_args={"dtype": "float64"}))
    model = make_pipeline(make_column_transformer((step, ["number"])), Ridge()).fit(frame, np.arange(9.0))
    with pytest.raises(NotCompilable, match=why):
        compile_model(model)
