import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.models.utils import _enforce_schema
from mlflow.types import ColSpec, DataType, Schema

from slipway.core.gates import Champion, Evidence, signature
from slipway.core.spec import Experiment
from slipway.core.statistics.metrics import Outcome
from slipway.registry.artifacts.models import signature_of

Declare = Callable[..., Experiment]


@pytest.fixture
def experiment(declare: Declare) -> Experiment:
    columns = {
        "late": {"type": "bool"},
        "when": {"type": "datetime"},
        "port": {"type": "category", "nulls": 0.1},
        "minutes": {"type": "float"},
        "count": {"type": "int"},
        "waiting": {"type": "int", "nulls": 0.1},
        "holiday": {"type": "bool"},
        "remark": {"type": "text", "feature": False},
    }
    return declare(data={"source": {"csv": "a.csv"}, "target": "late", "time": "when", "columns": columns})


def test_the_signature_is_the_contracts_features_in_their_order(experiment: Experiment) -> None:
    inputs = signature_of(experiment, experiment.data.features).inputs.inputs
    assert [(column.name, column.type.name, column.required) for column in inputs] == [
        ("port", "string", False),
        ("minutes", "double", True),
        ("count", "long", True),
        ("waiting", "double", False),  # a whole number that may be missing is held as a float
        ("holiday", "boolean", True),
    ]


def test_neither_target_nor_time_nor_what_is_no_feature_is_asked_of_callers(experiment: Experiment) -> None:
    assert not {"late", "when", "remark"} & set(signature_of(experiment, experiment.data.features).inputs.input_names())


@pytest.mark.parametrize(
    ("task", "target", "answer"),
    [
        ("binary", "int", "long"),
        ("binary", "bool", "boolean"),
        ("multiclass", "category", "string"),
        ("regression", "int", "double"),
        ("regression", "float", "double"),
    ],
)
def test_the_answer_is_of_the_targets_type_and_of_a_regression_always_a_float(
    declare: Declare, task: str, target: str, answer: str
) -> None:
    base = declare().as_dict()
    columns = {**base["data"]["columns"], "late": {"type": target}}
    search = {**base["search"], "metric": "rmse" if task == "regression" else "log_loss"}
    experiment = declare(task=task, data={**base["data"], "columns": columns}, search=search)
    (output,) = signature_of(experiment, experiment.data.features).outputs
    assert output.type.name == answer


def test_mlflow_accepts_rows_that_keep_the_contract_and_refuses_those_without_a_required_column(
    experiment: Experiment,
) -> None:
    row = {"port": "A", "minutes": 1.5, "count": 3, "waiting": 2.0, "holiday": True}
    schema = signature_of(experiment, experiment.data.features).inputs
    for left_out in ([], ["port"], ["port", "waiting"]):
        frame = pd.DataFrame([row]).drop(columns=left_out)
        assert len(_enforce_schema(frame, schema)) == 1
    with warnings.catch_warnings(), pytest.raises(MlflowException, match="missing inputs"):
        warnings.simplefilter("ignore")
        _enforce_schema(pd.DataFrame([row]).drop(columns="count"), schema)


@pytest.mark.parametrize("old", ["integer", "long", "float", "double", "boolean"])
@pytest.mark.parametrize("new", ["integer", "long", "float", "double", "boolean"])
def test_a_change_of_type_that_the_gate_lets_through_is_one_that_mlflow_takes_from_callers(
    declare: Declare, old: str, new: str
) -> None:
    outcome = Outcome(np.zeros(2), np.zeros(2))
    champion = Champion(1, outcome, {"x": (old, True)}, {})
    verdict = signature(Evidence(declare(), outcome, {"x": (new, True)}, {}, champion=champion), {})
    sent = pd.DataFrame({"x": np.array([1], dtype=DataType[old].to_numpy())})
    if verdict.passed:
        assert len(_enforce_schema(sent, Schema([ColSpec(DataType[new], "x")]))) == 1
    else:
        assert old != new
