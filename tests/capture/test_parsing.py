"""The bytes of requests as rows: all of MLflow's formats alike, and whatever else comes."""

import io
import json
import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slipway.capture.columns import typed
from slipway.capture.parsing import predictions_of, rows_of
from slipway.capture.tables import EXTRA, PREDICTION, Requests
from slipway.sharedmem import ANSWERED, AnsweringVersion, Record

INPUTS = (("a", "double"), ("n", "long"), ("c", "string"), ("ok", "boolean"))
ABOUT = AnsweringVersion("m", 3, "Production", INPUTS, "double", None)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
VALUES = st.tuples(NUMBERS | st.none(), st.integers(-(2**63), 2**63 - 1), st.text() | st.none(), st.booleans())
TABLES = st.lists(VALUES, min_size=1, max_size=5)
ANYTHING: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ODD = ANYTHING | st.fixed_dictionaries(
    {},
    optional={
        key: ANYTHING | st.lists(st.dictionaries(st.sampled_from(["a", "n", "c", "zz"]), ANYTHING))
        for key in ("dataframe_records", "dataframe_split", "instances", "inputs")
    },
)


def bodies(rows: list[Any]) -> dict[str, bytes]:
    names = [name for name, _ in INPUTS]
    records = [dict(zip(names, row, strict=True)) for row in rows]
    columns = {name: [row[name] for row in records] for name in names}
    split = {"columns": names[::-1], "data": [list(row)[::-1] for row in rows], "index": list(range(len(rows)))}
    said = {
        "records": {"dataframe_records": records},
        "split": {"dataframe_split": split},
        "instances": {"instances": records, "params": {"output": "labels"}},
        "lists": {"instances": [list(row) for row in rows]},
        "inputs": {"inputs": columns},
        "rows of inputs": {"inputs": records},
    }
    return {kind: json.dumps(content).encode() for kind, content in said.items()}


@given(TABLES)
def test_all_formats_of_json_are_the_same_rows(rows: list[Any]) -> None:
    expected = {name: [row[at] for row in rows] for at, (name, _) in enumerate(INPUTS)}
    for kind, body in bodies(rows).items():
        found = rows_of(body, "application/json; charset=utf-8", INPUTS)
        assert found is not None and found.count == len(rows), kind
        assert found.columns == expected, kind


def test_a_csv_and_a_parquet_file_are_rows_with_none_for_what_is_missing() -> None:
    found = rows_of(b"a,n,c,ok\n1.5,2,007,True\n,3,,False\n", "text/csv", INPUTS)
    assert found is not None and (found.count, found.columns["a"]) == (2, [1.5, None])
    assert (found.columns["n"], found.columns["c"]) == ([2, 3], ["007", None])
    file = io.BytesIO()
    pd.DataFrame({"a": [1.5, math.nan], "c": ["x", None]}).to_parquet(file)
    found = rows_of(file.getvalue(), "application/vnd.apache.parquet", INPUTS)
    assert found is not None and dict(found.columns) == {"a": [1.5, None], "c": ["x", None]}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/json"),
        (b"[1]", "application/json"),
        (b'{"inputs": {"a": [1], "c": []}}', "application/json"),
        (b'{"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}', "application/json"),
        (b'{"dataframe_records": [{"a": 1}], "inputs": [1]}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"", "text/csv"),
        (b"a,n\n", "text/csv"),
        (b"\xff\xfe", "text/csv"),
        (b"PAR1", "application/vnd.apache.parquet"),
        (b"a", "text/plain"),
    ],
)
def test_what_holds_no_rows_is_kept_as_it_came(body: bytes, kind: str) -> None:
    assert rows_of(body, kind, INPUTS) is None
    gathered = Requests(ABOUT)
    gathered.add(Record(ANSWERED, 1.0, b"", b"id", kind.encode(), body, b'{"predictions": [1, 2]}'), "Production")
    rows = gathered.table().to_pylist()
    assert [row[PREDICTION] for row in rows] == [1.0, 2.0]
    assert [row["slipway_body"] for row in rows] == [body, None]


@settings(max_examples=300)
@given(st.lists(st.tuples(ODD, ODD), min_size=1, max_size=4))
@pytest.mark.slow
def test_whatever_comes_is_a_table_of_the_same_columns(pairs: list[tuple[Any, Any]]) -> None:
    gathered = Requests(ABOUT)
    for body, answer in pairs:
        said = {"predictions": answer} if isinstance(answer, list) else answer
        sent = json.dumps(body).encode(), json.dumps(said).encode()
        gathered.add(Record(ANSWERED, 1.0, b"", b"id", b"application/json", *sent), "Production")
    table = gathered.table()
    assert table.schema == Requests(ABOUT).table().schema
    assert len(table) == len(gathered) >= len(pairs)


@example([True], "double")
@example([1.5], "long")
@given(st.lists(ANYTHING, max_size=6), st.sampled_from(["double", "float", "long", "integer", "boolean", "string"]))
def test_a_value_is_in_its_column_as_it_was_or_beside_it(values: list[Any], kind: str) -> None:
    column, other = typed(values, kind)
    for at, value in enumerate(column.to_pylist()):
        if at in other:
            assert value is None and other[at] is values[at]
        else:
            assert value == values[at] or (value != value and values[at] != values[at])
            assert type(value) is type(values[at]) or {type(value), type(values[at])} == {int, float}


def test_times_and_bytes_are_typed_and_what_is_none_of_them_is_kept_apart() -> None:
    column, other = typed(["2024-05-06T07:08:09", "2024-05-06T07:08:09+02:00", "soon", 5, None], "datetime")
    assert [str(value) for value in column.to_pylist()] == [
        "2024-05-06 07:08:09", "2024-05-06 05:08:09", "None", "None", "None"
    ]  # fmt: skip
    assert other == {2: "soon", 3: 5}
    column, other = typed(["aGk=", "no!", None, 5], "binary")
    assert column.to_pylist() == [b"hi", None, None, None]
    assert other == {1: "no!", 3: 5}


def test_probabilities_have_a_column_a_class_and_other_lists_are_kept_as_they_are() -> None:
    about = AnsweringVersion("m", 3, "Staging", INPUTS, "string", ("früh", "late"))
    gathered = Requests(about)
    for answer in ('["late"]', "[[0.25, 0.75]]", "[[1, 2, 3]]", "[7]"):
        body = json.dumps({"inputs": {"a": [1]}}).encode()
        said = f'{{"predictions": {answer}}}'.encode()
        gathered.add(Record(ANSWERED, 1.0, b"", b"id", b"application/json", body, said), "Staging")
    rows = gathered.table().to_pylist()
    assert [row[PREDICTION] for row in rows] == ["late", None, None, None]
    assert [row["slipway_probability_late"] for row in rows] == [None, 0.75, None, None]
    assert [json.loads(row[EXTRA] or "{}") for row in rows] == [{}, {}, {PREDICTION: [1, 2, 3]}, {PREDICTION: 7}]


def test_what_is_of_no_column_or_has_a_name_of_ours_is_kept_beside() -> None:
    about = AnsweringVersion(
        "m", 1, "", (("slipway_time", "double"), ("a", "double"), ("tensor", "array")), "double", None
    )
    gathered = Requests(about)
    body = json.dumps({"dataframe_records": [{"slipway_time": 1, "a": "x", "tensor": [1], "b": {"c": None}}]}).encode()
    gathered.add(Record(ANSWERED, 1.0, b"", b"id", b"application/json", body, b'{"predictions": [1]}'), "")
    (row,) = gathered.table().to_pylist()
    assert json.loads(row[EXTRA]) == {"slipway_time": 1, "a": "x", "tensor": [1], "b": {"c": None}}
    assert row["slipway_time"].timestamp() == 1.0


@pytest.mark.parametrize("answer", [b"", b"[1]", b'{"predictions": 1}', b"\xff", b"[" * 100_000])
def test_an_answer_without_predictions_is_none(answer: bytes) -> None:
    assert predictions_of(answer) is None


def test_a_small_file_of_very_many_values_is_kept_as_it_came() -> None:
    found = io.BytesIO()
    pd.DataFrame({f"c{number}": [1.0] * 5_000 for number in range(201)}).to_parquet(found)
    assert len(found.getvalue()) < 200_000
    assert rows_of(found.getvalue(), "application/vnd.apache.parquet", INPUTS) is None
