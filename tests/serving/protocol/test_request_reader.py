"""Rows of well-formed requests, read for a signature alone: there is no plan and no model here."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from slipway.serving.contract import InputColumn
from slipway.serving.protocol.request_reader import RequestReader, outputs_of

COLUMNS = (InputColumn("x", "double"), InputColumn("n", "long"), InputColumn("port", "string", required=False))
ROW = {"x": 1.5, "n": 2, "port": "a"}


def reader(outputs: Sequence[str] = (), max_rows: int = 100) -> RequestReader:
    return RequestReader(COLUMNS, outputs, max_rows)


def body(**parts: Any) -> bytes:
    return json.dumps(parts, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "part",
    [
        {"dataframe_records": [ROW, ROW]},
        {"instances": [ROW, ROW]},
        {"inputs": {name: [value] * 2 for name, value in ROW.items()}},
        {"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())] * 2}},
        {"dataframe_split": {"columns": ["port", "x", "n"], "data": [["a", 1.5, 2]] * 2, "index": [0, 1]}},
    ],
)
def test_each_format_gives_the_rows_in_the_order_of_the_signature(part: dict[str, Any]) -> None:
    request = reader().rows(body(**part))
    assert request is not None and not request.probabilities
    assert [tuple(row) for row in request.rows] == [(1.5, 2, "a")] * 2


def test_a_request_asks_only_for_an_output_that_there_is() -> None:
    asked = {name: body(dataframe_records=[ROW], params={"output": name}) for name in ("labels", "probabilities")}
    both, labels = (reader(outputs_of(("no", "yes"), probabilities=has)) for has in (True, False))
    assert [request and request.probabilities for request in map(both.rows, asked.values())] == [False, True]
    assert labels.rows(asked["labels"]) is not None
    assert labels.rows(asked["probabilities"]) is None
    assert reader(outputs_of(None, probabilities=False)).rows(asked["labels"]) is None


def test_a_column_of_a_type_that_only_mlflow_reads_has_no_reader() -> None:
    with pytest.raises(ValueError, match="column 'image' is of type binary"):
        RequestReader([*COLUMNS, InputColumn("image", "binary")], (), 100)


def test_leaves_to_the_model_what_would_take_long_to_read() -> None:
    short = reader(max_rows=2)
    for key in ("dataframe_records", "instances"):
        assert short.rows(body(**{key: [ROW] * 5})) is not None
        assert short.rows(body(**{key: [ROW] * 6})) is None
    assert short.rows(body(instances=[ROW | {"port": "," * 42}])) is None
