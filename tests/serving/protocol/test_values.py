"""All forms of a value get one answer, on both paths and in all formats; both paths find the same unexpected values."""

import io
import itertools
import json
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from slipway.compile import compile_model
from slipway.core.expectations import METADATA, Unexpected
from slipway.serving.back.loaded_model import LoadedModel
from slipway.serving.back.mlflow_scoring import MlflowScoring
from slipway.serving.contract import Generation, InputColumn
from slipway.serving.ipc.frames import ModelRequest, ModelResponse
from slipway.serving.protocol.fast_path import Answered, FastPath
from slipway.serving.protocol.values import Unreadable, Values, kinds_of

pytestmark = pytest.mark.filterwarnings("ignore")

JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"
CONTRACT: dict[str, dict[str, Any]] = {
    "season": {"values": ["1", "2", "3", "4"]},
    "holiday": {"values": ["True", "False"]},
    "port": {"known": ["01", "A", "7.0"]},
    "heat": {"low": -20.0, "high": 45.0},
    "day": {"values": [1.0, 2.0, 3.0]},
    "at": {"low": "2013-01-01T00:00:00.000000", "high": "2013-12-31T23:59:59.000000"},
}
TYPES = {
    "season": DataType.string,
    "holiday": DataType.string,
    "port": DataType.string,
    "heat": DataType.double,
    "day": DataType.long,
}
ROW = {"season": "2", "holiday": "True", "port": "A", "heat": 20.5, "day": 1}


def hour(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"hour": table["at"].dt.hour + table["at"].dt.dayofyear * 100.0}).fillna(-1.0)


def loaded_model(folder: Path, *, times: bool) -> LoadedModel:
    """A model of these columns. times: whether it has a column of times too, read by a function that no plan knows."""
    texts, random = list(TYPES)[:3], np.random.default_rng(0)
    choices = {name: CONTRACT[name].get("values") or CONTRACT[name]["known"] for name in texts}
    frame = pd.DataFrame({name: random.choice(each, 300) for name, each in choices.items()})
    frame = frame.assign(heat=random.normal(15, 8, 300), day=random.integers(1, 4, 300))
    steps: list[Any] = [
        ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts),
        ("rest", SimpleImputer(), ["heat", "day"]),
    ]
    specs = [ColSpec(kind, name, required=name != "heat") for name, kind in TYPES.items()]
    if times:
        frame["at"] = pd.date_range("2013-01-01", periods=300, freq="7h")
        steps.append(("at", FunctionTransformer(hour), ["at"]))
        specs.append(ColSpec(DataType.datetime, "at"))
    goal = frame["heat"] * 3.0 + frame["season"].astype(int) ** 2 * 10 + (frame["holiday"] == "True") * 7
    goal += (frame["port"] == "01") * 5 + (frame["port"] == "7.0") * 13 + (hour(frame)["hour"] if times else 0)
    model = make_pipeline(ColumnTransformer(steps), LinearRegression()).fit(frame, goal)
    mlflow.sklearn.save_model(
        model,
        folder,
        signature=ModelSignature(Schema(specs), Schema([ColSpec(DataType.double)])),
        input_example=frame.head(2),
        pip_requirements=["scikit-learn"],
        serialization_format="cloudpickle",
        metadata={METADATA: json.dumps(CONTRACT)},
    )
    return LoadedModel(model, folder)


@pytest.fixture(scope="module")
def quiet() -> Iterator[None]:
    level = logging.getLogger("mlflow").level
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setenv("_MLFLOW_IS_IN_SERVING_ENVIRONMENT", "true")  # which MlflowScoring sets for its whole process
        warnings.simplefilter("ignore")
        yield
    logging.getLogger("mlflow").setLevel(level)


@pytest.fixture(scope="module")
def plain(quiet: None, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return loaded_model(tmp_path_factory.mktemp("plain") / "model", times=False)


@pytest.fixture(scope="module")
def fast_path(plain: LoadedModel) -> FastPath:
    plan = compile_model(plain.model)
    return FastPath(Generation("m", 1, "", 1, plain.signature, plan, "", ()), 1000)


@pytest.fixture(scope="module")
def ask(plain: LoadedModel) -> Callable[..., ModelResponse]:
    return asking(plain)


@pytest.fixture(scope="module")
def ask_times(quiet: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ModelResponse]:
    return asking(loaded_model(tmp_path_factory.mktemp("times") / "model", times=True))


def asking(of: LoadedModel) -> Callable[..., ModelResponse]:
    scoring = MlflowScoring(of, 1000)
    return lambda body, kind=JSON: scoring.answer(ModelRequest(1, time.monotonic() + 60, kind, body))


def bodies(rows: list[dict[str, Any]]) -> list[bytes]:
    """The rows in MLflow's four JSON formats."""
    columns = list(rows[0])
    formats = {
        "dataframe_records": rows,
        "dataframe_split": {"columns": columns, "data": [list(row.values()) for row in rows]},
        "instances": rows,
        "inputs": {name: [row[name] for row in rows] for name in columns},
    }
    return [json.dumps({key: value}).encode() for key, value in formats.items()]


def predictions(answer: ModelResponse | Answered | None) -> list[float]:
    assert answer is not None
    assert not isinstance(answer, ModelResponse) or answer.status == 200, answer.body
    return json.loads(answer.body)["predictions"]


FORMS = {
    "season": [("2", 2, 2.0, "2.0"), ("4", 4, 4.0, "+4")],
    "holiday": [("True", True, "true"), ("False", False, "FALSE")],
    "port": [("A",), ("01",), ("7.0", 7, 7.0, "7")],
}
"""Values that mean the same."""


@pytest.mark.parametrize(
    ("name", "form", "value"),
    [(name, forms[0], value) for name, groups in FORMS.items() for forms in groups for value in forms],
)
def test_a_category_is_answered_alike_in_all_its_forms_compiled_or_not(
    fast_path: FastPath, ask: Callable[..., ModelResponse], name: str, form: str, value: object
) -> None:
    wanted = predictions(ask(bodies([ROW | {name: form}])[0]))
    for body in bodies([ROW | {name: value}]):
        assert predictions(ask(body)) == wanted, body
        assert predictions(fast_path.answer(body)) == pytest.approx(wanted, rel=1e-12), body
        assert ask(body).finds == (fast_path.answer(body) or ask(body)).finds == ()
    table = pd.DataFrame([ROW | {name: value}])
    parquet = io.BytesIO()
    table.to_parquet(parquet)
    assert predictions(ask(table.to_csv(index=False).encode(), CSV)) == wanted
    assert predictions(ask(parquet.getvalue(), PARQUET)) == wanted


def test_a_category_is_told_from_another_by_its_number(fast_path: FastPath, ask: Callable[..., ModelResponse]) -> None:
    body = bodies([ROW | {"season": each} for each in (1, 2, 3, 4)])[0]
    assert len(set(predictions(ask(body)))) == len(set(predictions(fast_path.answer(body)))) == 4


def test_a_text_that_looks_like_a_number_is_itself_where_it_is_a_category(ask: Callable[..., ModelResponse]) -> None:
    assert predictions(ask(bodies([ROW | {"port": "01"}])[0])) != predictions(ask(bodies([ROW | {"port": "1"}])[0]))


def test_columns_are_read_alike_under_both_keys_that_may_hold_them(ask_times: Callable[..., ModelResponse]) -> None:
    columns = {"season": [2, 9], "holiday": [True, "false"], "port": [7, "A"], "heat": [99.0, 1.0], "day": [1, 2]}
    columns["at"] = [1359626400000, "2013-01-31T10:00:00+02:00"]
    inputs, instances = (ask_times(json.dumps({key: columns}).encode()) for key in ("inputs", "instances"))
    assert instances.status == 200
    assert instances.body == inputs.body
    assert instances.finds == inputs.finds
    assert [find.kind for find in instances.finds] == [Unexpected.UNKNOWN, Unexpected.OUT_OF_BOUNDS]


def test_parquet_of_dictionaries_is_read_as_its_texts(ask: Callable[..., ModelResponse]) -> None:
    for table in (pd.DataFrame([ROW]), pd.DataFrame([ROW]).assign(season=2)):
        parquet = io.BytesIO()
        table.astype({"season": "category"}).to_parquet(parquet)
        assert predictions(ask(parquet.getvalue(), PARQUET)) == predictions(ask(bodies([ROW])[0]))


def test_days_of_parquet_are_the_texts_that_a_version_was_trained_on(ask: Callable[..., ModelResponse]) -> None:
    parquet = io.BytesIO()
    pd.DataFrame([ROW | {"port": date(2013, 1, 31)}]).to_parquet(parquet)
    answers = [ask(parquet.getvalue(), PARQUET), ask(bodies([ROW | {"port": "2013-01-31"}])[0])]
    (found,), (also_found,) = (answer.finds for answer in answers)
    assert found.kind is also_found.kind is Unexpected.UNKNOWN


values = some.sampled_from(["1", "2.0", 3, 4.0, 5, True, "x", "", "01", 1.5, -0.0, 2**53 + 1, 1e22]) | some.integers(
    -(2**63), 2**63 - 1
)
rows = some.fixed_dictionaries(
    {
        "season": values,
        "holiday": values | some.booleans(),
        "port": values,
        "heat": some.floats(-1e6, 1e6) | some.none() | some.integers(-50, 50),
        "day": some.integers(-5, 5),
    }
)


def test_both_paths_read_and_find_the_same(fast_path: FastPath, ask: Callable[..., ModelResponse]) -> None:
    answered = itertools.count()

    @settings(max_examples=60, deadline=None)
    @given(some.lists(rows, min_size=1, max_size=4), some.integers(0, 3))
    def check(given_rows: list[dict[str, Any]], form: int) -> None:
        body = bodies(given_rows)[form]
        quick, slow = fast_path.answer(body), ask(body)
        if quick is None:
            return
        next(answered)
        assert predictions(quick) == pytest.approx(predictions(slow), rel=1e-9, abs=1e-9)
        assert [replace(find, found="") for find in quick.finds] == [replace(find, found="") for find in slow.finds]

    check()
    assert next(answered) > 20


# ---- what the contract does not expect


UNEXPECTED = [
    ({"season": 5}, "season", Unexpected.UNKNOWN, "row 0, column 'season': 5, where the contract allows 1, 2, 3, 4"),
    ({"port": "Z"}, "port", Unexpected.UNKNOWN, None),
    ({"heat": 46}, "heat", Unexpected.OUT_OF_BOUNDS, "row 0, column 'heat': 46, where the contract allows -20 to 45"),
    ({"day": 7}, "day", Unexpected.UNKNOWN, "row 0, column 'day': 7, where the contract allows 1, 2, 3"),
]


@pytest.mark.parametrize(("changed", "name", "kind", "says"), UNEXPECTED)
def test_what_is_unexpected_is_found_on_both_paths(
    fast_path: FastPath, ask: Callable[..., ModelResponse], changed: dict, name: str, kind: Unexpected, says: str | None
) -> None:
    at = list(ROW).index(name)
    for body in bodies([ROW | changed]):
        for answer in (fast_path.answer(body), ask(body)):
            assert answer is not None
            (find,) = answer.finds
            assert (find.column, find.kind, find.count, find.row) == (at, kind, 1, 0)
            assert fast_path.values.breach(answer.finds) == says
    table = pd.DataFrame([ROW, ROW | changed])
    (find,) = ask(table.to_csv(index=False).encode(), CSV).finds
    assert (find.column, find.kind, find.row) == (at, kind, 1)


def test_a_null_that_the_contract_forbids_is_found_and_another_is_not(
    fast_path: FastPath, ask: Callable[..., ModelResponse]
) -> None:
    body = bodies([ROW, ROW | {"season": None, "heat": None}, ROW | {"season": None}])[0]
    for answer in (fast_path.answer(body), ask(body)):
        assert answer is not None
        (find,) = answer.finds
        assert (find.column, find.kind, find.count, find.row, find.found) == (0, Unexpected.NULL, 2, 1, "null")
        said = "row 1, column 'season': null (and 1 more of its values), where the contract allows no missing value"
        assert fast_path.values.breach(answer.finds) == said


def test_the_first_row_that_breaks_the_contract_is_named(fast_path: FastPath) -> None:
    answer = fast_path.answer(bodies([ROW | {"port": "Z"}, ROW | {"heat": 99}, ROW | {"season": 9}])[0])
    assert answer is not None and len(answer.finds) == 3
    assert (fast_path.values.breach(answer.finds) or "").startswith("row 1, column 'heat': 99,")


def test_a_model_without_a_contract_has_nulls_alone_that_are_unexpected() -> None:
    columns = (InputColumn("a", "double"), InputColumn("b", "string", required=False), InputColumn("c", "string"))
    read = Values(columns)
    assert read.of_rows([(1e9, None, 1)]) == ([(1e9, None, "1")], ())
    assert read.of_rows([(1e9, "x", "y")]) == ([(1e9, "x", "y")], ())
    _, finds = read.of_rows([(None, "x", "y"), (1.0, None, None)])
    assert [(find.column, find.kind) for find in finds] == [(0, Unexpected.NULL), (2, Unexpected.NULL)]
    assert [kinds_of(column) for column in columns] == [(Unexpected.NULL,), (), (Unexpected.NULL,)]


# ---- times


SAME = [
    "2013-07-04T10:00:00",
    "2013-07-04 10:00",
    "2013-07-04T12:00:00+02:00",
    "2013-07-04T10:00:00Z",
    "2013-07-04T10:00:00.000",
    1372932000000,
    1372932000000.0,
]


@pytest.mark.parametrize("value", SAME)
def test_an_instant_is_answered_alike_in_all_its_forms(ask_times: Callable[..., ModelResponse], value: object) -> None:
    wanted = predictions(ask_times(bodies([ROW | {"at": SAME[0]}])[0]))
    assert wanted != predictions(ask_times(bodies([ROW | {"at": "2013-07-04T11:00:00"}])[0]))
    for body in bodies([ROW | {"at": value}, ROW | {"at": "2013-01-01T00:00:00.5"}]):
        assert predictions(ask_times(body))[:1] == wanted, body
    if isinstance(value, str):
        table = pd.DataFrame([ROW | {"at": value}])
        assert predictions(ask_times(table.to_csv(index=False).encode(), CSV)) == wanted
        for column in (table["at"], pd.to_datetime(table["at"]), pd.to_datetime(table["at"], utc=True)):
            parquet = io.BytesIO()
            table.assign(at=column).to_parquet(parquet)
            assert predictions(ask_times(parquet.getvalue(), PARQUET)) == wanted


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("tomorrow", "a text that is not a time where a time is needed: ISO 8601"),
        (1372932000, "a number that may be of another unit than milliseconds where a time"),
        (True, "a value that is not a time where"),
        ("9999-12-31", "a time outside of 1677-09-22 to 2262-04-11 where"),
    ],
)
def test_what_is_no_time_is_refused_by_row_and_column(
    ask_times: Callable[..., ModelResponse], value: object, says: str
) -> None:
    given_rows = [ROW | {"at": "2013-07-04"}, ROW | {"at": value}]
    answers = [ask_times(body) for body in bodies(given_rows)]
    if isinstance(value, str):
        answers.append(ask_times(pd.DataFrame(given_rows).to_csv(index=False).encode(), CSV))
    for answer in answers:
        said = json.loads(answer.body)
        assert (answer.status, said["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert said["message"].startswith(f"row 1, column 'at': {says}"), said
        assert str(value) not in said["message"]


def test_a_number_for_a_time_is_refused_where_a_format_has_times_of_its_own(
    ask_times: Callable[..., ModelResponse],
) -> None:
    parquet = io.BytesIO()
    pd.DataFrame([ROW | {"at": 1372932000000}]).to_parquet(parquet)
    for answer in (
        ask_times(parquet.getvalue(), PARQUET),
        ask_times(pd.DataFrame([ROW | {"at": 1372932000000}]).to_csv(index=False).encode(), CSV),
    ):
        assert answer.status == 400
        assert json.loads(answer.body)["message"].startswith("row 0, column 'at': a ")


def test_a_time_out_of_its_bounds_and_a_missing_one_are_found(ask_times: Callable[..., ModelResponse]) -> None:
    answer = ask_times(bodies([ROW | {"at": "2014-01-01"}, ROW | {"at": None}])[0])
    assert [(find.column, find.kind, find.row) for find in answer.finds] == [
        (5, Unexpected.OUT_OF_BOUNDS, 0),
        (5, Unexpected.NULL, 1),
    ]


def test_an_unreadable_value_is_named_by_row_and_column() -> None:
    with pytest.raises(Unreadable, match="row 1, column 'a': bytes where a text is needed"):
        Values([InputColumn("a", "string")]).of_column(0, ["x", b"y"])


@pytest.mark.parametrize("kind", ["long", "integer"])
def test_a_fraction_for_a_whole_number_is_refused_where_mlflow_would_cut_it_off(kind: str) -> None:
    values = Values([InputColumn("chairs", kind)])
    assert values.of_column(0, [4, 4.0, -2.0]) == ([4, 4.0, -2.0], [])
    with pytest.raises(Unreadable, match="row 1, column 'chairs': a fraction where a whole number is needed"):
        values.of_column(0, [4, 4.5])


def test_a_truth_is_true_or_false_and_no_text_or_number_that_python_takes_for_true() -> None:
    values = Values([InputColumn("open", "boolean")])
    read, finds = values.of_column(0, ["true", "FALSE", True, 0, 1.0])
    assert (read, finds) == ([True, False, True, 0, 1.0], [])
    plain = [True, False]
    assert values.of_column(0, plain)[0] is plain
    for wrong in ("Ja", "no", "", "1", 2, 0.5):
        with pytest.raises(Unreadable, match=r"row 1, column 'open': a (text|number) where true or false is needed"):
            values.of_column(0, [True, wrong])
