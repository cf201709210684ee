import io
import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as some
from pyarrow.parquet import write_table

from slipway.serving.contract import InputColumn, Signature
from slipway.serving.protocol.explain import explain, ragged
from slipway.types import JSON_FORMATS

SIGNATURE = Signature(
    (
        InputColumn("x", "double"),
        InputColumn("n", "long"),
        InputColumn("small", "integer", required=False),
        InputColumn("yes", "boolean", required=False),
        InputColumn("port", "string"),
    )
)
FAIR = {"x": 1.5, "n": 2, "port": "a"}
SECRET = "s3cret"
ONE_FORMAT = (
    "The input must be a JSON dictionary with exactly one of the input fields "
    "dataframe_records, dataframe_split, instances, inputs. Received "
)
SPLIT_FIELDS = "Dataframe split format must have 'data' field and optionally 'columns' and 'index' fields. "


def records(*rows: Any) -> dict[str, Any]:
    return {"dataframe_records": list(rows)}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"dataframe_split": {"data": {SECRET: 1}}}, "'data' of 'dataframe_split' is an object"),
        (records(), "holds no row"),
        (records(FAIR, {"x": 1, "n": 2}), "row 1 lacks column 'port'"),
        (records(FAIR, FAIR | {SECRET: SECRET}), "row 1 has a column that row 0 lacks"),
        (records(FAIR, SECRET), "row 1 is not an object"),
        (
            {"dataframe_split": {"columns": ["x", "n", "port"], "data": [[1, 2, "a"], [1, 2]]}},
            "row 1 has 2 values for 3",
        ),
        ({"inputs": {"x": [1, 2], "n": [1], "port": ["a"]}}, "not of the same length"),
        ({"instances": {"x": [1, 2], "n": [1], "port": ["a"]}}, "'instances' are not of the same length"),
        (records({"x": 1}), "columns 'n', 'port' are missing"),
        (records(FAIR, FAIR | {"x": SECRET}), "row 1, column 'x': a text where a number is needed"),
        (records(FAIR | {"x": [SECRET]}), "row 0, column 'x': a list where a number is needed"),
        (records(FAIR | {"n": 1.5}), "row 0, column 'n': a fraction where a whole number is needed"),
        (records(FAIR | {"n": None}), "row 0, column 'n': null where a whole number is needed"),
        (records(FAIR | {"n": 10**400}), "row 0, column 'n': a number that is too large for long"),
        (records(FAIR | {"n": 2**63}), "row 0, column 'n': a number that is too large for long"),
        (records(FAIR | {"small": 2**31}), "column 'small': a number that is too large for integer"),
        (records(FAIR | {"yes": SECRET}), "column 'yes': a text where true or false is needed"),
        (records(FAIR | {"port": {SECRET: 1}}), "column 'port': an object where a single value is needed"),
        ({"inputs": {"x": [1], "n": [SECRET], "port": ["a"]}}, "row 0, column 'n': a text where a whole number"),
    ],
)
def test_names_the_row_and_the_column_and_none_of_the_values(content: Any, said: str) -> None:
    found = explain(json.dumps(content).encode(), "application/json", SIGNATURE)
    assert found is not None
    assert said in found
    assert SECRET not in found


@pytest.mark.parametrize(
    ("content", "begins"),
    [
        ([], ONE_FORMAT + "a list."),
        (SECRET, ONE_FORMAT + "a text."),
        (1, ONE_FORMAT + "a number."),
        ({}, ONE_FORMAT + "none of them."),
        ({SECRET: []}, ONE_FORMAT + "none of them."),
        ({"instances": [], "inputs": {}}, ONE_FORMAT + "instances and inputs."),
        ({"dataframe_records": FAIR}, "Dataframe records format must be a list of records. Got dictionary."),
        ({"dataframe_records": SECRET}, "Dataframe records format must be a list of records. Got a text."),
        ({"dataframe_split": [SECRET]}, "Dataframe split format must be a dictionary. Got list."),
        ({"dataframe_split": None}, "Dataframe split format must be a dictionary. Got null."),
        ({"dataframe_split": {"columns": []}}, SPLIT_FIELDS + "Received no 'data'."),
        ({"dataframe_split": {"data": [], SECRET: 1}}, SPLIT_FIELDS + "Received other fields too."),
    ],
)
def test_begins_as_mlflow_does_and_repeats_nothing(content: Any, begins: str) -> None:
    found = explain(json.dumps(content).encode(), "application/json", SIGNATURE)
    assert found is not None
    assert found.startswith(begins)
    assert SECRET not in found


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b'{"a": s3cret}', "application/json", "not JSON: Expecting value at line 1, column 7"),
        (b'{"a": "\xff"}', "application/json; charset=utf-8", "byte 7 is part of no character"),
        (b"[" * 100_000, "application/json", "nested too deeply"),
        (b"1" * 5000, "application/json", "a number of more digits than are read"),
        (b"x,n,port\n\n", "text/csv", "no row below its header"),
        (b"x,n,port\n1,2,a\n1,2\n", "text/csv", "row 1 has 2 values for 3 columns"),
        (b"x,n,port\n1,s3cret,a\n", "text/csv", "row 0, column 'n': a text where a whole number is needed"),
        (b"x,n\n1,2\n", "text/csv", "column 'port' is missing"),
        (b"x,n,port\n", "text/csv", "no row below its header"),
        (b"\xff", "text/csv", "byte 0"),
    ],
)
def test_says_where_a_body_cannot_be_read(body: bytes, kind: str, said: str) -> None:
    found = explain(body, kind, SIGNATURE)
    assert found is not None
    assert said in found
    assert SECRET not in found


@pytest.mark.parametrize(
    "content",
    [
        records(FAIR),
        records(FAIR | {"x": None}),
        records(FAIR | {"x": "1.5", "n": "2"}),
        {"instances": [1, 2]},
        {"inputs": 5},
    ],
)
def test_finds_nothing_where_nothing_is_plainly_wrong(content: Any) -> None:
    assert explain(json.dumps(content).encode(), "application/json", SIGNATURE) is None


def test_names_the_row_and_the_column_of_parquet() -> None:
    def said(table: pa.Table) -> str | None:
        found = io.BytesIO()
        write_table(table, found)
        return explain(found.getvalue(), "application/vnd.apache.parquet", SIGNATURE)

    columns: dict[str, list[Any]] = {"x": [1.5, 2.0], "n": [1, 2], "port": ["a", "b"]}
    assert said(pa.table(columns)) is None
    assert said(pa.table(columns | {"n": ["1", SECRET]})) == "row 1, column 'n': a text where a whole number is needed"
    assert (
        said(pa.table(columns | {"x": [b"1", SECRET.encode()]})) == "row 0, column 'x': bytes where a number is needed"
    )
    assert said(pa.table({"x": [1.0]})) == "columns 'n', 'port' are missing"
    assert said(pa.table({"x": pa.array([], "float64")})) == "the body holds no row"
    assert explain(b"PAR1", "application/vnd.apache.parquet", SIGNATURE) == "the body is not a Parquet file"


def test_knows_nothing_of_other_formats() -> None:
    assert explain(b"x", "text/plain", SIGNATURE) is None


def test_rows_of_equal_columns_are_not_ragged() -> None:
    assert ragged(records(FAIR, dict(reversed(FAIR.items())))) is None
    assert ragged({"dataframe_split": {"columns": ["x"], "data": [[1], [2]]}}) is None


names = some.sampled_from(["x", "n", "small", "yes", "port", "other"])
values = (
    some.none()
    | some.booleans()
    | some.floats()
    | some.integers(-(10**400), 10**400)
    | some.text(max_size=3)
    | some.sampled_from(["1", "1e999", "1" * 4301, "true", [], {}])
)
anything = some.recursive(values, lambda inner: some.lists(inner, max_size=3) | some.dictionaries(names, inner))
splits = some.fixed_dictionaries({"columns": some.lists(names | anything), "data": some.lists(anything)})
contents = some.dictionaries(some.sampled_from(JSON_FORMATS), anything | splits, max_size=2) | anything


@given(contents)
def test_no_json_is_too_odd_to_be_looked_at(content: Any) -> None:
    explain(json.dumps(content).encode(), "application/json", SIGNATURE)


@given(some.text(some.sampled_from('xn,\n\r"1a\0'), max_size=30) | some.text())
def test_no_csv_is_too_odd_to_be_looked_at(text: str) -> None:
    for body in (text, "x,n,port\n" + text):
        explain(body.encode(errors="surrogatepass"), "text/csv", SIGNATURE)
