"""The contract that a version carries."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from mlflow.models import Model

from slipway.core.expectations import METADATA, Expectation, read_expectations
from slipway.core.forms import Form, read_forms
from slipway.core.spec import Experiment
from slipway.registry.artifacts.contract import MOST_CHARACTERS, MOST_KNOWN, contract_of, dialect_keys_of

COLUMNS = {
    "late": {"type": "bool"},
    "season": {"type": "category", "values": [1, 2, 3.0]},
    "port": {"type": "category", "nulls": 0.5},
    "tail": {"type": "category"},
    "remark": {"type": "text"},
    "heat": {"type": "float", "min": -5, "max": 40},
    "day": {"type": "int", "values": [1, 2]},
    "at": {"type": "datetime", "min": "2013-01-01", "max": "2013-12-31T12:00:00+02:00"},
    "plain": {"type": "float"},
}


def rows(tails: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(dict.fromkeys(COLUMNS, 1.0), index=range(len(tails)))
    return frame.assign(tail=tails, port=["B", None, *["A"] * (len(tails) - 2)])


def test_the_promises_of_the_features_go_there_and_back_as_json(declare: Callable[..., Experiment]) -> None:
    experiment = declare(data={"source": {"csv": "a.csv"}, "target": "late", "columns": COLUMNS})
    assert read_expectations(contract_of(experiment, rows(["N1", "N2", "N1"]))) == {
        "season": Expectation(values=("1", "2", "3")),
        "port": Expectation(known=("A", "B")),
        "tail": Expectation(known=("N1", "N2")),
        "heat": Expectation(low=-5.0, high=40.0),
        "day": Expectation(values=(1.0, 2.0)),
        "at": Expectation(low="2013-01-01T00:00:00.000000", high="2013-12-31T10:00:00.000000"),
    }


def test_categories_that_are_too_many_or_too_long_are_not_kept_by_name(declare: Callable[..., Experiment]) -> None:
    experiment = declare(data={"source": {"csv": "a.csv"}, "target": "late", "columns": COLUMNS})
    for tails in ([f"N{at}" for at in range(MOST_KNOWN + 1)], ["x" * MOST_CHARACTERS, "y", "y"]):
        assert "tail" not in read_expectations(contract_of(experiment, rows(tails)))
    known = read_expectations(contract_of(experiment, rows([f"N{at}" for at in range(MOST_KNOWN)])))["tail"].known
    assert len(known or ()) == MOST_KNOWN


def test_a_version_of_before_carries_none() -> None:
    assert read_expectations(None) == read_expectations({}) == read_expectations({METADATA: ""}) == {}


def test_a_version_carries_the_dialect_of_its_training_data_unless_it_is_the_plain_one(
    declare: Callable[..., Experiment], tmp_path: Path
) -> None:
    for source, wanted in (
        ({"url": "a.csv", "sep": ";", "nulls": ["-"], "header": 3}, {"sep": ";", "nulls": ["-"], "header": 3}),
        ({"csv": "a.csv"}, {}),
        ({"url": "sqlite:///a.db", "table": "rides"}, {}),
    ):
        experiment = declare(data={"source": source, "target": "late", "columns": COLUMNS})
        Model(metadata=contract_of(experiment, rows(["N1", "N2", "N1"]))).save(str(tmp_path / "MLmodel"))
        assert dialect_keys_of(tmp_path) == wanted


def test_a_version_carries_the_forms_of_its_columns(declare: Callable[..., Experiment]) -> None:
    columns = {
        **{name: {"type": "float"} for name in rows(["a", "b"])},
        "late": {"type": "bool"},
        "heat": {"type": "float", "decimal": ",", "unit": "°C"},
        "day": {"type": "bool", "nulls": 0.5},
    }
    experiment = declare(data={"source": {"csv": "a.csv"}, "target": "late", "columns": columns})
    forms = read_forms(contract_of(experiment, rows(["a", "b"])))
    assert forms == {"heat": Form("float", decimal=",", unit="°C"), "day": Form("bool")}
