"""The endpoint beside `mlflow models serve`: valid requests get the same bytes, others the same status and code."""

import http.client
import io
import json
import random
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from requests import HTTPError
from tests.helpers.endpoints import HOST, Endpoint, endpoint
from tests.helpers.hostile import CANARY, CSV, JSON, NAMES, PARQUET, ROW

from slipway.errors import ServiceFailed
from slipway.processes import Process, child_environment, free_port, start_process, stop_process, wait_until_ready

if TYPE_CHECKING:
    from conftest import Served

pytestmark = pytest.mark.slow

KINDS = ("known_classes", "known_regression", "classes")
REQUESTS = 100
"""Of each model; texts are missing in what the last one learned from."""

Both = dict[str, tuple[Endpoint, int]]
Stock = tuple[Process, int, Path]


@pytest.fixture(scope="module")
def both(served: "Callable[[str], Served]", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Start ours and MLflow's server for each model; yield ours and the port of MLflow's."""
    folder, found = tmp_path_factory.mktemp("beside"), {}
    with ExitStack() as stack:
        stock = {kind: start_stock(stack, served(kind).folder, folder / f"stock-{kind}.log") for kind in KINDS}
        for kind in KINDS:
            started = stack.enter_context(endpoint(served(kind).folder, folder / f"{kind}.log", access_log=1.0))
            found[kind] = started, ready(stack, stock[kind], served(kind).folder)
        yield found


def start_stock(stack: ExitStack, model: Path, log: Path) -> Stock:
    """Start MLflow's own server of a model, on a port that is free now."""
    port = free_port(HOST, 0)
    words = ("models", "serve", "-m", str(model), "--env-manager", "local", "--port", str(port))
    env = child_environment({}, without=("MLFLOW_", "SLIPWAY_", "PYTEST_"))
    process = start_process([sys.executable, "-m", "mlflow", *words], log=log, env=env, cwd=log.parent)
    stack.callback(stop_process, process)
    return process, port, log


def ready(stack: ExitStack, stock: Stock, model: Path) -> int:
    """Wait until MLflow's server answers and return its port. It takes no port 0, so it may lose the one that was free."""
    process, port, log = stock
    try:
        wait_until_ready(process, f"http://{HOST}:{port}/ping", name=log.stem, log=log, timeout_s=300)
    except ServiceFailed:
        if "address already in use" not in log.read_text():
            raise
        again = log.with_name(f"again-{log.name}")
        return ready(stack, start_stock(stack, model, again), model)
    return port


def ask(port: int, kind: str | None, body: bytes) -> tuple[int, str | None, bytes]:
    """Return status, content type and bytes."""
    with closing(http.client.HTTPConnection(HOST, port, timeout=120)) as connection:
        connection.request("POST", "/invocations", body, {} if kind is None else {"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()


# ---- valid requests


def a_row(dice: random.Random) -> dict[str, Any]:
    number = (0, -0.0, 1, 17, 1.5, -2.25, 1e-300, 1e22, 123456789.123456789, 5e-324, 1e15, 2**53, -7)
    text = ("AA", "ünï", "", "a", "b", "Zürich \U0001f6eb", "unknown", " a", '"', "\\", "é\u0301", "\u2028", "nan", "1")
    return {
        "air time": dice.choice(number),
        "größe": dice.choice((None, *number)),
        "stops": dice.choice((0, 1, 4, -3, 2**31, 2**53)),
        "weekend": dice.choice((True, False)),
        "carrier": dice.choice((None, *text)),
        "ort": dice.choice(text),
    }


def in_json(dice: random.Random, rows: list[dict[str, Any]], order: list[str]) -> bytes:
    data = [[each[name] for name in order] for each in rows]
    table: dict[str, Any] = {"columns": order, "data": data}
    indexed = table | {"index": dice.choice((list(range(len(rows))), [f"r{at}" for at in range(len(rows))]))}
    some = [{name: each[name] for name in order} for each in rows]
    lists = {name: [each[name] for each in rows] for name in order}
    key, value = dice.choice((
        ("dataframe_records", some), ("dataframe_split", table), ("dataframe_split", indexed), ("instances", some),
        ("inputs", lists), ("inputs", some),
    ))  # fmt: skip
    text = json.dumps({key: value}, ensure_ascii=dice.random() < 0.5, indent=dice.choice((None, None, 1)))
    return text.replace("1e+22", dice.choice(("1E22", "1e+22", "10e21", "1.0E+022"))).encode()


def valid(dice: random.Random) -> tuple[str, bytes]:
    rows = [a_row(dice) for _ in range(dice.choice((1, 1, 1, 2, 5, 40)))]
    order = dice.sample(NAMES, len(NAMES))
    if dice.random() < 0.1:
        rows = [each | {"an other": dice.choice((1, "x", None))} for each in rows]
        order.append("an other")
    chance = dice.random()
    if chance < 0.7:
        return dice.choice((JSON, JSON, "application/json; charset=utf-8")), in_json(dice, rows, order)
    # A table of texts that are all missing has no type that CSV or Parquet could tell.
    table = pd.DataFrame([each | {"carrier": each["carrier"] or "AA"} for each in rows])[order]
    table["größe"] = table["größe"].astype("float64")
    table["air time"] = table["air time"].astype("float64")
    if chance < 0.85:
        end = dice.choice(("\n", "\r\n"))
        return CSV, table.to_csv(index=False, lineterminator=end, float_format=dice.choice((None, "%.17g"))).encode()
    found = io.BytesIO()
    table.to_parquet(found, compression=dice.choice((None, "snappy", "zstd")))
    return PARQUET, found.getvalue()


def test_all_are_compiled_also_where_texts_are_missing(both: Both) -> None:
    for kind, (ours, _) in both.items():
        with urllib.request.urlopen(f"{ours.url}/ready") as answer:
            assert json.load(answer)["models"][kind]["compiled"] is True, kind


@pytest.mark.parametrize("kind", KINDS)
def test_valid_requests_of_all_formats_get_the_same_bytes(both: Both, kind: str) -> None:
    ours, stock = both[kind]
    dice, answered, formats = random.Random(17), 0, set()
    for _ in range(REQUESTS):
        content_type, body = valid(dice)
        expected = ask(stock, content_type, body)
        assert ask(ours.port, content_type, body) == expected, (content_type, body)
        if expected[0] == 200:
            answered += 1
            formats.add(content_type)
    assert formats == {JSON, "application/json; charset=utf-8", CSV, PARQUET}
    assert answered >= REQUESTS * 0.9


# ---- MLflow's own clients


@pytest.mark.filterwarnings("ignore::UserWarning")  # of its own type hints, as it is imported
def test_mlflows_scoring_client_gets_the_same_from_both(both: Both) -> None:
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient

    for kind, (ours, stock) in both.items():
        clients = [ScoringServerClient(HOST, port) for port in (ours.port, stock)]
        rows = pd.DataFrame([ROW, ROW | {"größe": 1.0, "carrier": None}])  # a missing number goes as NaN
        for data in (rows, [ROW, ROW], json.dumps({"dataframe_records": [ROW, ROW]})):
            found, expected = (client.invoke(data) for client in clients)
            assert (found, len(found["predictions"])) == (expected, 2)
        for client in clients:
            client.wait_server_ready()
            with pytest.raises(ValueError, match="values to unpack"):  # it never asks
                client.invoke({name: [value] for name, value in ROW.items()})
        if kind != "known_regression":
            answer = clients[0].invoke(rows, params={"output": "probabilities"})
            assert len(answer.get_predictions("ndarray")) == 2


def test_mlflows_deployment_client_is_answered(both: Both) -> None:
    from mlflow.deployments import get_deploy_client

    for kind, (ours, stock) in both.items():
        client = get_deploy_client(ours.url)
        expected = json.loads(ask(stock, JSON, records(ROW))[2])
        assert client.predict(endpoint=kind, inputs={"dataframe_records": [ROW]}) == expected
        with pytest.raises(HTTPError, match="Dataframe records format must be a list of records"):
            client.predict(endpoint=kind, inputs={"dataframe_records": ROW})


# ---- requests that are not


def records(*rows: Any) -> bytes:
    return json.dumps({"dataframe_records": list(rows)}).encode()


def changed(**values: Any) -> bytes:
    return records(ROW, ROW | values)


def split(**parts: Any) -> bytes:
    return json.dumps({"dataframe_split": {"columns": NAMES, "data": [list(ROW.values())]} | parts}).encode()


def inputs(**values: Any) -> bytes:
    return json.dumps({"inputs": {name: [value] for name, value in ROW.items()} | values}).encode()


def instances(*rows: Any) -> bytes:
    return json.dumps({"instances": list(rows)}).encode()


def lacking(*names: str) -> dict[str, Any]:
    return {name: value for name, value in ROW.items() if name not in names}


def as_csv(*lines: str) -> bytes:
    return "\n".join([",".join(NAMES), *lines, ""]).encode()


def as_parquet(**values: Any) -> bytes:
    found = io.BytesIO()
    pd.DataFrame([ROW | {"größe": 1.0}, ROW | {"größe": 1.0} | values]).to_parquet(found)
    return found.getvalue()


def without(name: str) -> bytes:
    found = io.BytesIO()
    pd.DataFrame([lacking(name)]).to_parquet(found)
    return found.getvalue()


# As MLflow's own messages begin in the same cases; its tests look for them.
ONE = (
    "The input must be a JSON dictionary with exactly one of the input fields "
    "dataframe_records, dataframe_split, instances, inputs. Received "
)
RECORDS = "Dataframe records format must be a list of records. Got "
SPLIT = "Dataframe split format must "
SAID_TWICE = "row 1, column 'stops': "
INVALID: list[tuple[str, str | None, bytes, str]] = [
    ("empty", JSON, b"", "Ensure that input is a valid JSON formatted string; the body is not JSON"),
    ("no json", JSON, CANARY.encode(), "not JSON"),
    ("cut off", JSON, changed()[:-2], "or its brackets are not closed"),
    ("more behind it", JSON, changed() + b"{}", "not JSON"),
    ("not utf-8", JSON, b'{"dataframe_records": "\xff"}', "not UTF-8"),
    ("utf-16", JSON, CANARY.encode("utf-16"), "not"),
    ("a list", JSON, json.dumps([ROW]).encode(), ONE + "a list."),
    ("a text", JSON, json.dumps(CANARY).encode(), ONE + "a text."),
    ("null", JSON, b"null", ONE + "null."),
    ("no format", JSON, json.dumps(ROW).encode(), ONE + "none of them."),
    ("an unknown format", JSON, json.dumps({CANARY: [ROW]}).encode(), ONE + "none of them."),
    ("two formats", JSON, json.dumps({"instances": [ROW], "inputs": [ROW]}).encode(), ONE + "instances and inputs."),
    ("many digits", JSON, b'{"dataframe_records": [{"stops": ' + b"1" * 5000 + b"}]}", "more digits"),
    ("records of texts", JSON, records(CANARY), "row 0 is not an object"),
    ("records of lists", JSON, records(list(ROW.values())), "row 0 is not an object"),
    ("records of nothing", JSON, records(), "no row"),
    ("records no list", JSON, json.dumps({"dataframe_records": ROW}).encode(), RECORDS + "dictionary."),
    ("records null", JSON, json.dumps({"dataframe_records": None}).encode(), RECORDS + "null."),
    ("records a text", JSON, json.dumps({"dataframe_records": CANARY}).encode(), RECORDS + "a text."),
    ("ragged", JSON, records(ROW, lacking("stops")), "row 1 lacks column 'stops'"),
    ("ragged, more", JSON, records(ROW, ROW | {CANARY: 1}), "row 1 has a column that row 0 lacks"),
    ("a column missing", JSON, records(lacking("stops")), "column 'stops' is missing"),
    ("columns missing", JSON, records(lacking("stops", "ort")), "columns 'stops', 'ort' are missing"),
    ("empty row", JSON, records({}), "are missing"),
    ("a text for a whole", JSON, changed(stops=CANARY), SAID_TWICE + "a text"),
    ("a fraction for a whole", JSON, changed(stops=1.5), SAID_TWICE + "a fraction"),
    ("null for a whole", JSON, changed(stops=None), SAID_TWICE + "null"),
    ("a list for a whole", JSON, changed(stops=[CANARY]), SAID_TWICE + "a list"),
    ("an object for a whole", JSON, changed(stops={CANARY: 1}), SAID_TWICE + "an object"),
    ("too large for a whole", JSON, changed(stops=2**64), SAID_TWICE + "a number that is too large"),
    ("far too large for a whole", JSON, changed(stops=10**400), SAID_TWICE + "a number that is too large"),
    ("a text for a number", JSON, changed(**{"air time": CANARY}), "row 1, column 'air time': a text"),
    ("a list for a number", JSON, changed(**{"air time": [1]}), "row 1, column 'air time': a list"),
    ("a text for a truth", JSON, changed(weekend=CANARY), "row 1, column 'weekend': a text"),
    ("null for a truth", JSON, changed(weekend=None), "row 1, column 'weekend': null"),
    ("a list for a text", JSON, changed(ort=[CANARY]), "row 1, column 'ort': a list"),
    ("an object for a text", JSON, changed(ort={"a": CANARY}), "row 1, column 'ort': an object"),
    ("split no object", JSON, json.dumps({"dataframe_split": [CANARY]}).encode(), SPLIT + "be a dictionary. Got list."),
    (
        "split without data",
        JSON,
        json.dumps({"dataframe_split": {"columns": NAMES}}).encode(),
        SPLIT + "have 'data' field",
    ),
    ("split too narrow", JSON, split(data=[[1, 2]]), "row 0 has 2 values for 6 columns"),
    ("split too wide", JSON, split(data=[[*ROW.values(), CANARY]]), "row 0 has 7 values for 6"),
    ("split of texts", JSON, split(data=[CANARY]), "row 0 is not a list"),
    ("split of other names", JSON, split(columns=["a", "b", "c", "d", "e", CANARY]), "are missing"),
    ("split of no row", JSON, split(data=[]), "no row"),
    ("split with more", JSON, split(**{CANARY: 1}), SPLIT + "have 'data' field"),
    ("split, a text", JSON, split(data=[[1.5, None, CANARY, False, "AA", "a"]]), "row 0, column 'stops': a text"),
    ("index too short", JSON, split(data=[list(ROW.values())] * 2, index=[1]), ""),
    ("inputs of lengths", JSON, inputs(stops=[1, 2]), "not of the same length"),
    ("inputs, a text", JSON, inputs(stops=[CANARY]), "row 0, column 'stops': a text"),
    ("inputs, a column missing", JSON, json.dumps({"inputs": {"ort": ["a"]}}).encode(), "are missing"),
    ("inputs a number", JSON, json.dumps({"inputs": 5}).encode(), ""),
    ("instances of numbers", JSON, instances(1, 2), ""),
    ("instances of nothing", JSON, instances(), "no row"),
    ("instances ragged", JSON, instances(ROW, lacking("ort")), "row 1 lacks column 'ort'"),
    ("instances, a text", JSON, instances(ROW, ROW | {"stops": CANARY}), SAID_TWICE + "a text"),
    ("csv empty", CSV, b"", "no row"),
    ("csv of a header", CSV, as_csv(), "no row"),
    ("csv not utf-8", CSV, as_csv("1,1,1,True,AA,\xff").decode().encode("latin-1", "replace"), "not UTF-8"),
    ("csv ragged", CSV, as_csv("1,1,1,True,AA,a", f"1,1,1,True,AA,a,{CANARY}"), "row 1 has 7 values for 6"),
    ("csv, a text", CSV, as_csv("1,1,1,True,AA,a", f"1,1,{CANARY},True,AA,a"), SAID_TWICE + "a text"),
    ("csv, nothing", CSV, as_csv("1,1,1,True,AA,a", "1,1,,True,AA,a"), SAID_TWICE + "null"),
    ("csv, a column missing", CSV, b"air time,ort\n1,a\n", "are missing"),
    ("parquet is none", PARQUET, CANARY.encode() * 9, "not a Parquet file"),
    ("parquet cut off", PARQUET, as_parquet()[:-9], "not a Parquet file"),
    ("parquet, texts", PARQUET, as_parquet(ort=None), ""),
    ("parquet, a column missing", PARQUET, without("stops"), "column 'stops' is missing"),
    ("parquet, fractions", PARQUET, as_parquet(stops=1.5), SAID_TWICE + "a fraction"),
    ("no content type", None, changed(), "name the format"),
    ("another charset", "application/json; charset=latin-1", changed(), "UTF-8"),
    ("another parameter", f"application/json; a={CANARY}", changed(), "parameters"),
    ("another type", "text/plain", changed(), "content types"),
]
OTHERWISE = {
    "no content type": "MLflow answers 500",
    "many digits": "MLflow answers 500",
    "ragged, more": "MLflow answers 200: it fills the other rows up",
    "a fraction for a whole": "MLflow answers 200: it cuts the fraction off",
    "a text for a truth": "MLflow answers 200: it takes every text for true",
    "inputs of lengths": "MLflow's code is INVALID_PARAMETER_VALUE: it fills up, and refuses the nulls",
}
"""What docs/protocol.md says is different."""


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_refused_has_mlflows_status_and_code_and_says_where_without_the_input(both: Both, kind: str) -> None:
    ours, stock = both[kind]
    differ, unclear = {}, {}
    for name, content_type, body, says in INVALID:
        status, mimetype, said = ask(ours.port, content_type, body)
        theirs, _, they_say = ask(stock, content_type, body)
        found, code = json.loads(said), code_of(they_say)
        if CANARY.encode() in said and CANARY not in (content_type or ""):
            unclear[name] = said
        if status >= 400:
            assert mimetype == JSON
            assert found.keys() == {"error_code", "message"}
            if says not in found["message"]:
                unclear[name] = found["message"]
        if (status, found.get("error_code")) != (theirs, code or found.get("error_code")):
            differ[name] = (status, found.get("error_code"), theirs, code)
    assert (unclear, differ.keys()) == ({}, OTHERWISE.keys()), differ
    assert CANARY not in ours.log.read_text()


def code_of(said: bytes) -> str | None:
    try:
        return str(json.loads(said)["error_code"])
    except (ValueError, KeyError):
        return None
