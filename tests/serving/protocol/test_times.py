"""Times in requests: the fast path answers from the plan byte for byte as MLflow's own scoring server."""

import json
import logging
import time
import warnings
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from sklearn.ensemble import HistGradientBoostingRegressor

from slipway.compile import compile_model
from slipway.core.expectations import METADATA
from slipway.core.spec import Data
from slipway.registry.trust import TRUSTED_TYPES
from slipway.search.preprocessing import with_preprocessing
from slipway.serving.back.batching import MicroBatching
from slipway.serving.back.loaded_model import LoadedModel
from slipway.serving.contract import Generation
from slipway.serving.ipc.frames import ModelRequest
from slipway.serving.protocol.fast_path import FastPath

JSON = "application/json"
NAMES = ["at", "sent", "heat"]
COLUMNS = {"at": {"type": "datetime"}, "sent": {"type": "datetime", "nulls": 0.5}, "heat": {"type": "float"}}
SPECS = [
    ColSpec(DataType.datetime, "at"),
    ColSpec(DataType.datetime, "sent", required=False),
    ColSpec(DataType.double, "heat"),
]

moments = some.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))


@pytest.fixture(scope="module")
def quiet() -> Iterator[None]:
    level = logging.getLogger("mlflow").level
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setenv("_MLFLOW_IS_IN_SERVING_ENVIRONMENT", "true")
        warnings.simplefilter("ignore")
        yield
    logging.getLogger("mlflow").setLevel(level)


@pytest.fixture(scope="module")
def model(quiet: None, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A model whose contract allows only times before 2150."""
    random, count = np.random.default_rng(0), 400
    hours = pd.Series(random.integers(0, 10**5, count), dtype="int64")
    frame = pd.DataFrame({"at": pd.Timestamp("2013-01-01") + pd.to_timedelta(hours, unit="h")})
    frame["sent"] = (frame["at"] - pd.to_timedelta(random.integers(1, 900, count), unit="m")).mask(hours % 5 == 0)
    frame["heat"] = random.normal(size=count)
    goal = frame["at"].dt.hour + frame["at"].dt.month * 10 + (frame["at"] - frame["sent"]).dt.total_seconds().fillna(0)
    data = Data.model_validate(
        {"source": {"csv": "rows.csv"}, "target": "y", "columns": {"y": {"type": "float"}, **COLUMNS}}
    )
    fitted = with_preprocessing(HistGradientBoostingRegressor(max_iter=20), data).fit(frame, goal)
    folder = tmp_path_factory.mktemp("times") / "model"
    mlflow.sklearn.save_model(
        fitted,
        folder,
        signature=ModelSignature(Schema(list(SPECS)), Schema([ColSpec(DataType.double)])),
        input_example=frame.head(3),
        pip_requirements=["scikit-learn"],
        serialization_format="skops",
        skops_trusted_types=sorted(TRUSTED_TYPES),
        metadata={METADATA: json.dumps({"at": {"high": "2150-01-01T00:00:00.000000"}})},
    )
    return LoadedModel(fitted, folder)


@pytest.fixture(scope="module")
def fast_path(model: LoadedModel) -> FastPath:
    return FastPath(Generation("m", 1, "", 1, model.signature, compile_model(model.model), "", ()), 1000)


@pytest.fixture(scope="module")
def stock(model: LoadedModel) -> Any:
    return mlflow.pyfunc.load_model(str(model.files))


def bodies(rows: list[dict[str, Any]]) -> dict[str, bytes]:
    tables: dict[str, Any] = {
        "dataframe_records": rows,
        "dataframe_split": {"columns": NAMES, "data": [[row[name] for name in NAMES] for row in rows]},
        "instances": rows,
        "inputs": {name: [row[name] for row in rows] for name in NAMES},
    }
    return {key: json.dumps({key: table}).encode() for key, table in tables.items()}


def answered(stock: Any, body: bytes) -> bytes | None:
    """MLflow's answer; None where MLflow refuses."""
    from mlflow.pyfunc.scoring_server import invocations

    try:
        answer = invocations(body, JSON, stock, stock.metadata.get_input_schema())
    except MlflowException:
        return None
    return answer.response.encode() if answer.status == 200 else None


@given(
    rows=some.lists(
        some.fixed_dictionaries({"at": moments, "sent": some.none() | moments, "heat": some.floats(-9, 9)}),
        min_size=1,
        max_size=3,
    ),
    spelled=some.sampled_from([datetime.isoformat, str]),
)
@settings(max_examples=25)  # MLflow takes 20 ms to answer
@pytest.mark.filterwarnings("ignore")
def test_times_are_answered_by_the_plan_byte_for_byte_as_by_mlflow(
    fast_path: FastPath, stock: Any, rows: list[dict[str, Any]], spelled: Any
) -> None:
    written = [
        {name: spelled(value) if isinstance(value, datetime) else value for name, value in row.items()} for row in rows
    ]
    for key, body in bodies(written).items():
        ours, theirs = fast_path.answer(body), answered(stock, body)
        if ours is None:  # a null that numpy would read as a text
            assert key in ("instances", "inputs") and any(row["sent"] is None for row in rows)
        elif theirs is not None:  # times of one column that are written in two ways are refused by MLflow
            assert ours.body == theirs, key


def test_times_in_every_form_get_one_answer_from_the_plan(fast_path: FastPath) -> None:
    forms = ["2020-05-01T10:30:00", "2020-05-01 10:30", "20200501T103000Z", "2020-05-01T12:30:00+02:00", 1588329000000]
    answers = [fast_path.answer(bodies([{"at": at, "sent": "2020-05-01", "heat": 1.0}])["inputs"]) for at in forms]
    assert len({answer and answer.body for answer in answers}) == 1 and answers[0] is not None
    rows = [{"at": at, "sent": None, "heat": 1.0} for at in forms]
    together = fast_path.answer(bodies(rows)["dataframe_split"])
    assert together is not None and len(set(json.loads(together.body)["predictions"])) == 1


def test_values_that_are_not_times_are_left_to_the_model_and_times_beyond_the_contract_are_found(
    fast_path: FastPath,
) -> None:
    for wrong in ("yesterday", 5, True, None, "0001-01-01"):
        answer = fast_path.answer(bodies([{"at": wrong, "sent": None, "heat": 1.0}])["dataframe_records"])
        assert answer is None or (wrong is None and answer.finds)
    late = fast_path.answer(bodies([{"at": "2160-01-01", "sent": None, "heat": 1.0}])["dataframe_records"])
    assert late is not None
    assert fast_path.values.breach(late.finds) == (
        "row 0, column 'at': \"2160-01-01\", where the contract allows at most 2150-01-01T00:00:00"
    )


def test_a_back_answers_requests_with_times_together_and_refuses_the_one_that_has_none(
    model: LoadedModel, fast_path: FastPath
) -> None:
    batching = MicroBatching(model, 1000)
    batching.warm()
    assert batching.together
    given_times = ["2020-05-01T10:30:00", "yesterday", 1588329000000, "2020-05-01T12:30:00+02:00"]
    requests = [
        ModelRequest(i, time.monotonic() + 60, JSON, bodies([{"at": at, "sent": None, "heat": 1.0}])["inputs"])
        for i, at in enumerate(given_times)
    ]
    answers = dict(batching.answers(requests))
    assert [answers[i].status for i in range(4)] == [200, 400, 200, 200]
    assert answers[0].body == answers[2].body == answers[3].body
    assert b"row 0, column 'at'" in answers[1].body
