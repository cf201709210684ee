"""The fast path answers byte for byte as MLflow's own scoring server, and never a request that MLflow refuses."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from mlflow.exceptions import MlflowException

from slipway.core.values import text_of
from slipway.serving.protocol.fast_path import FastPath
from slipway.serving.protocol.limits import TooManyRows

if TYPE_CHECKING:
    from conftest import Served

# MLflow tells its own users of its own type hints, and numpy of rows that are refused in the end.
pytestmark = pytest.mark.filterwarnings("ignore")

TEXTS = ("carrier", "ort")
NAMES = ["air time", "größe", "stops", "weekend", "carrier", "ort"]
KINDS = ["regression", "binary", "classes"]
BOOSTERS = ["classes by lightgbm", "regression by xgboost", "classes by catboost"]

numbers = (
    some.floats(allow_nan=False, allow_infinity=False)
    | some.integers(-(2**53), 2**53)
    | some.integers(-(10**30), 10**30)
    | some.sampled_from([-0.0, 0, 1e300, -1e300, 5e-324, 1.5, 100])
)
texts = some.sampled_from(["AA", "ünï", "", "a", "b", "Zürich \U0001f6eb", "unknown", "A", " a"]) | some.text(
    max_size=5
)
wholes = some.integers(0, 5) | some.integers(-(2**63) - 1, 2**64)
fair = {
    "air time": numbers,
    "größe": numbers | some.none(),
    "stops": some.integers(0, 5) | some.integers(-(2**53), 2**53),
    "weekend": some.booleans(),
    "carrier": texts | some.none(),
    "ort": texts,
}
anything = numbers | texts | wholes | some.none() | some.booleans() | some.just([]) | some.just({}) | some.just("1.5")
odd = {name: values | anything for name, values in fair.items()}


def rows_of(columns: dict[str, Any]) -> Any:
    return some.lists(some.fixed_dictionaries(columns), min_size=1, max_size=4)


def bodies(rows: list[dict[str, Any]], order: list[str]) -> dict[str, Any]:
    """The same rows in all formats."""
    rows = [{name: row[name] for name in order if name in row} for row in rows]
    data = [[row.get(name) for name in order] for row in rows]
    return {
        "dataframe_records": rows,
        "dataframe_split": {"columns": order, "data": data},
        "instances": rows,
        "inputs": {name: [row.get(name) for row in rows] for name in order},
    }


def stock(served: "Served", body: bytes) -> bytes | None:
    """Return MLflow's answer; None when MLflow refuses."""
    from mlflow.pyfunc.scoring_server import invocations

    model = served.mlflow
    try:
        answer = invocations(body, "application/json", model, model.metadata.get_input_schema())
    except MlflowException:
        return None
    return answer.response.encode() if answer.status == 200 else None


def fast_path(served: "Served", body: bytes) -> bytes | None:
    found = FastPath(served.generation, 10_000).answer(body)
    return None if found is None else found[0]


@pytest.mark.parametrize(
    ("kind", "ascii_only"),
    [*((kind, only) for kind in KINDS for only in (True, False)), *((kind, True) for kind in BOOSTERS)],
)
def test_what_is_valid_gets_the_very_bytes_of_mlflow(
    served: "Callable[[str], Served]", kind: str, ascii_only: bool
) -> None:
    model, seen = served(kind), {"answered": 0, "asked": 0}

    @settings(max_examples=22)
    @given(rows=rows_of(fair), order=some.permutations(NAMES))
    def check(rows: list[dict[str, Any]], order: list[str]) -> None:
        for key, value in bodies(rows, order).items():
            try:
                body = json.dumps({key: value}, ensure_ascii=ascii_only).encode()
            except UnicodeEncodeError:  # half of a pair alone
                continue
            ours = fast_path(model, body)
            seen["asked"] += 1
            if ours is not None:
                seen["answered"] += 1
                assert ours == stock(model, body), body

    check()
    assert seen["asked"] >= 80
    assert seen["answered"] >= seen["asked"] / 5  # of numbers as wild as these the plan leaves many to the model


@pytest.mark.parametrize("kind", KINDS)
def test_what_mlflow_refuses_or_reads_otherwise_is_never_answered(served: "Callable[[str], Served]", kind: str) -> None:
    model = served(kind)

    @settings(max_examples=40)
    @given(rows=rows_of(odd), order=some.permutations(NAMES), drop=some.sampled_from([None, *NAMES]), data=some.data())
    def check(rows: list[dict[str, Any]], order: list[str], drop: str | None, data: Any) -> None:
        for row in rows[: data.draw(some.integers(0, len(rows)))]:
            row.pop(drop, None)
        key = data.draw(some.sampled_from(sorted(bodies(rows, order))))
        body = json.dumps({key: bodies(rows, order)[key]}).encode()
        ours = fast_path(model, body)
        if ours is not None:
            # Numbers of a column of texts are the one thing that MLflow reads otherwise.
            read = [{name: text_of(value) if name in TEXTS else value for name, value in row.items()} for row in rows]
            assert ours == stock(model, json.dumps({key: bodies(read, order)[key]}).encode()), body

    check()


ROW = {"air time": 1, "größe": None, "stops": 2, "weekend": False, "carrier": None, "ort": "a"}


def request(**changed: Any) -> bytes:
    return json.dumps({"dataframe_records": [ROW | changed]}).encode()


PLAIN = request()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        PLAIN[:-1],
        PLAIN + b"x",
        b"\xef\xbb\xbf" + PLAIN,
        PLAIN.decode().encode("utf-16"),
        request(stops=1.0),
        request(stops=None),
        request(stops=2**63),
        request(stops="1"),
        request(weekend=None),
        request(weekend=1),
        request(ort=2**63),
        request(ort=[]),
        request(ort="a\0"),
        request(**{"air time": "1"}),
        request(**{"air time": True}),
        request(**{"air time": float("nan")}),
        request(more=1),
        json.dumps({"dataframe_records": [ROW], "more": 1}).encode(),
        json.dumps({"dataframe_records": [ROW], "instances": []}).encode(),
        json.dumps({"dataframe_records": [ROW], "params": {"output": "unknown"}}).encode(),
        json.dumps({"dataframe_records": [ROW, {}]}).encode(),
        json.dumps({"dataframe_records": []}).encode(),
        json.dumps({"dataframe_records": ROW}).encode(),
        json.dumps({"instances": [ROW]}).encode(),  # null of a text is the word None to MLflow here
        json.dumps({"inputs": {name: [value] for name, value in ROW.items()}}).encode(),
        json.dumps({"inputs": ROW}).encode(),
        json.dumps({"dataframe_split": {"data": [list(ROW.values())]}}).encode(),
        json.dumps({"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())[:-1]]}}).encode(),
        json.dumps({"dataframe_split": {"columns": list(ROW), "data": [[*ROW.values(), 1]]}}).encode(),
        json.dumps({"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())], "index": [1, 2]}}).encode(),
        json.dumps(
            {"dataframe_split": {"columns": [*list(ROW)[:-1], "air time"], "data": [list(ROW.values())]}}
        ).encode(),
        b'{"dataframe_records": ' + b"[" * 100_000,
    ],
)
def test_what_is_not_for_the_fast_path_is_left_to_mlflow(served: "Callable[[str], Served]", body: bytes) -> None:
    assert fast_path(served("classes"), body) is None


def test_answers_probabilities_in_the_order_of_the_classes(served: "Callable[[str], Served]") -> None:
    model = served("classes")
    body = {"dataframe_records": [ROW, ROW | {"air time": 500.5}]}
    labels = fast_path(model, json.dumps(body | {"params": {"output": "labels"}}).encode())
    assert labels == fast_path(model, json.dumps(body).encode())
    probabilities = json.loads(
        fast_path(model, json.dumps(body | {"params": {"output": "probabilities"}}).encode()) or b""
    )
    table = np.array(probabilities["predictions"])
    assert table.shape == (2, 3)
    assert np.allclose(table.sum(axis=1), 1)
    classes = model.generation.signature.classes or ()
    assert [classes[at] for at in table.argmax(axis=1)] == json.loads(labels or b"")["predictions"]


def test_a_regressor_has_no_output_to_choose(served: "Callable[[str], Served]") -> None:
    body = json.dumps({"dataframe_records": [ROW], "params": {"output": "labels"}}).encode()
    assert fast_path(served("regression"), body) is None


def test_says_how_many_rows_are_too_many(served: "Callable[[str], Served]") -> None:
    fast_path = FastPath(served("binary").generation, 2)
    assert (fast_path.answer(json.dumps({"dataframe_records": [ROW] * 2}).encode()) or (b"", 0))[1] == 2
    with pytest.raises(TooManyRows, match="holds 3 rows; at most 2"):
        fast_path.answer(json.dumps({"dataframe_records": [ROW] * 3}).encode())
