"""Columns with names that JSON or Python would read as something else: the compiled model answers as MLflow does."""

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as some
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder
from tests.helpers.odd_names import ODD_NAMES

from slipway.compile import compile_model, verify
from slipway.core.naming import MOST_CHARACTERS
from slipway.plans.stored import opened, stored
from slipway.serving.contract import Generation, InputColumn, Signature
from slipway.serving.front.openapi import document
from slipway.serving.front.try_page import request_of
from slipway.serving.protocol.fast_path import FastPath

# MLflow tells of its own type hints, and of columns that are too many.
pytestmark = pytest.mark.filterwarnings("ignore")

ODD = [*ODD_NAMES, '\\"', "$p$", "0", "\x7f0"]
names = some.sampled_from(ODD) | some.text(
    some.characters(exclude_categories=["C", "Zl", "Zp"]) | some.sampled_from("\"\\/{}[],:'%&="),
    min_size=1,
    max_size=MOST_CHARACTERS,
).filter(lambda name: name == name.strip())
three = some.lists(names, min_size=3, max_size=3, unique=True)


class Made:
    """A model of a number, a whole number and a category with the given names, as MLflow answers and as a front does."""

    def __init__(self, names: Sequence[str]):
        self.names = list(names)
        self.rows = self.table(40)
        rough = make_pipeline(
            ColumnTransformer([("texts", OneHotEncoder(handle_unknown="ignore"), [names[2]])], remainder="passthrough"),
            LinearRegression(),
        )
        self.model: Pipeline = rough.fit(self.rows, np.arange(40) % 7)
        kinds = (DataType.double, DataType.long, DataType.string)
        inputs = Schema([ColSpec(kind, name) for kind, name in zip(kinds, names, strict=True)])
        signature = ModelSignature(inputs, Schema([ColSpec(DataType.double)]))
        from mlflow.pyfunc import PyFuncModel
        from mlflow.sklearn import _SklearnModelWrapper

        how = {"python_function": {"loader_module": "mlflow.sklearn", "python_version": "3.11.0"}}
        self.mlflow = PyFuncModel(Model(signature=signature, flavors=how), _SklearnModelWrapper(self.model))
        self.plan = compile_model(self.model)
        columns = tuple(InputColumn(name, kind.name) for name, kind in zip(names, kinds, strict=True))
        self.generation = Generation("odd", 1, "0" * 64, 1, Signature(columns), self.plan, "", ())
        self.fast_path = FastPath(self.generation, 100)

    def table(self, count: int) -> pd.DataFrame:
        random = np.random.default_rng(0)
        values = (random.normal(size=count), random.integers(0, 9, count), random.choice(["x", "y"], count))
        return pd.DataFrame(dict(zip(self.names, values, strict=True)))

    def stock(self, body: bytes, kind: str = "application/json") -> bytes | None:
        from mlflow.pyfunc.scoring_server import invocations

        try:
            return bytes(
                invocations(body, kind, self.mlflow, self.mlflow.metadata.get_input_schema()).response.encode()
            )
        except MlflowException:
            return None

    def bodies(self, rows: list[dict[str, Any]]) -> list[bytes]:
        """The same rows in all formats of JSON."""
        order = list(rows[0])
        data = [[row[name] for name in order] for row in rows]
        formats = {
            "dataframe_records": rows,
            "dataframe_split": {"columns": order, "data": data},
            "instances": rows,
            "inputs": {name: [row[name] for row in rows] for name in order},
        }
        return [
            json.dumps({key: value}, ensure_ascii=number % 2 == 0).encode()
            for number, (key, value) in enumerate(formats.items())
        ]


@given(three=three)
@example(three=['the "best"', "a\\b", "\x7f0"])
@example(three=["Net Sales", "Größe [cm]", "F.Undergrad"])
def test_a_front_answers_what_mlflow_answers_whatever_the_columns_are_called(three: list[str]) -> None:
    made = Made(three)
    assert verify(made.model, made.plan, made.rows.head(5), rows=20).equal
    assert opened(stored(made.plan)).inputs == tuple(three)
    rows = made.table(3).to_dict("records")
    backwards = [dict(reversed(row.items())) for row in rows]
    for body in (*made.bodies(rows), *made.bodies(backwards)):
        found = made.fast_path.answer(body)
        assert found is not None and found[0] == made.stock(body), body


@given(three=three)
@example(three=['the "best"', "a\\b", "c"])
def test_csv_and_parquet_with_such_names_are_read_by_mlflow_as_the_same_rows(three: list[str]) -> None:
    made = Made(three)
    rows, packed = made.table(3), io.BytesIO()
    rows.to_parquet(packed, index=False)
    wanted = made.stock(made.bodies(rows.to_dict("records"))[0])
    assert made.stock(rows.to_csv(index=False).encode(), "text/csv") == wanted
    assert wanted is not None


@pytest.mark.parametrize("key", ["\x7f0", "\x7f1", "column_0", "the best", 'the \\"best', "more"])
def test_a_key_that_is_no_column_is_never_taken_for_one_that_has_quotes(key: str) -> None:
    made = Made(['the "best"', "a\\b", "c"])
    row = made.table(1).to_dict("records")[0]
    others = {name: value for name, value in row.items() if name != 'the "best"'}
    for keys in ({**row, key: 1.0}, {**others, key: 1.0}):
        assert made.fast_path.answer(json.dumps({"dataframe_records": [keys]}).encode()) is None


@pytest.mark.parametrize("value", ["1.5", None, True, [], 10**30, 1e300, -0.0, 3])
def test_values_under_names_with_quotes_are_read_as_they_are_under_plain_ones(value: Any) -> None:
    plain, quoted = Made(["a", "b", "c"]), Made(['the "best"', "b", "c"])
    for made in (plain, quoted):
        row = {**made.table(1).to_dict("records")[0], made.names[0]: value}
        answers = [found and found[0] for found in map(made.fast_path.answer, made.bodies([row]))]
        assert [a in (None, made.stock(body)) for a, body in zip(answers, made.bodies([row]), strict=True)] == [
            True
        ] * 4
        made.answers = answers  # type: ignore[attr-defined]
    assert plain.answers == quoted.answers  # type: ignore[attr-defined]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_bodies_that_are_no_request_are_for_the_model_itself(count: int) -> None:
    made = Made(['the "best"', "a\\b", "c"])
    for body in (
        b"",
        b"[1]",
        b'{"dataframe_records": [[1, 2, "x"]]}',
        b'{"inputs": [1]}',
        b'{"instances": {}}',
        b"\xff",
        b"1",
    ):
        assert made.fast_path.answer(body + b" " * count) is None


def test_the_document_and_the_form_of_a_model_hold_its_names_as_they_are() -> None:
    made = Made(['the "best"', "Größe [cm]", "<b>&"])
    said = json.loads(json.dumps(document([made.generation], 100)))
    content = said["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert list(content["oneOf"][0]["properties"]["dataframe_records"]["items"]["properties"]) == made.names
    body = request_of(made.generation.signature, {"column_0": "1.5", "column_1": "2", "column_2": "x"})
    assert made.fast_path.answer(body) is not None
