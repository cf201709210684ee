"""A service that captures, killed; its labels; and what `slipway captured` makes of it."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pandas as pd
import psutil
import pytest
from tests.helpers.commands import read_json
from tests.helpers.waiting import wait_for

from slipway.capture.reading import read

if TYPE_CHECKING:
    from conftest import Library

JSON = "application/json"
ROWS = [
    {"branch": "hill", "genre": "saga", "pages": 812, "age": 17, "late_before": 4, "student": True},
    {"branch": "elsewhere", "genre": "crime", "pages": 90, "age": None, "late_before": 0, "student": False},
]


def ask(url: str, path: str, body: str | None = None) -> tuple[int, str, bytes]:
    """Return status, request id and bytes."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request("POST" if body is not None else "GET", path, body, {"Content-Type": JSON})
        answer = connection.getresponse()
        return answer.status, answer.getheader("X-Request-Id") or "", answer.read()
    finally:
        connection.close()


@contextmanager
def serving(library: "Library", name: str) -> Iterator[tuple[str, psutil.Process]]:
    """Yield where a service that captures answers, and its process; whatever of it is left is killed."""
    ours = [sys.executable, "-m", "slipway", "serve", name, "--port", "0", "--capture", "--json"]
    with subprocess.Popen(ours, env=library.environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            yield read_json(process)["url"], psutil.Process(process.pid)
        finally:
            process.kill()


def writer_of(service: psutil.Process) -> psutil.Process:
    found: list[psutil.Process] = []
    wait_for(lambda: found.extend(each for each in service.children(recursive=True) if each.nice() == 10) or found)
    return found[0]


def ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(scope="module")
def name(library: "Library") -> str:
    return library.registered("captured_loans", of="late_loans", live=True)


def test_what_was_served_is_captured_labelled_and_looked_at(library: "Library", name: str, tmp_path: Path) -> None:
    nothing = library.slipway("captured", name)
    assert nothing.code == 2
    assert f"there is no captured model '{name}'" in nothing.err
    assert f"Capture with `slipway serve {name} --capture`" in nothing.err
    body = json.dumps({"dataframe_records": ROWS})
    with serving(library, name) as (url, service):
        asked = [ask(url, "/invocations", body)[1] for _ in range(5)]
        labels = [{"request_id": each, "labels": ["yes", "no"]} for each in asked[:3]]
        assert json.loads(ask(url, "/feedback", json.dumps(labels))[2]) == {"taken": 6}
        status, _, wrong = ask(url, "/feedback", json.dumps({"request_id": "a", "label": "maybe"}))
        assert status == 400
        said = 'the label of row 0 is a text that is none of the classes; there are "no", "yes"'
        assert json.loads(wrong)["message"] == said
        writer = writer_of(service)
        service.kill()  # what it had handed over is written all the same
        wait_for(lambda: ended(writer))
    rows = read(library.home / "capture", name)
    assert rows["slipway_request_id"].tolist() == [each for each in asked for _ in ROWS]
    assert rows["slipway_label"].tolist()[:6] == ["yes", "no"] * 3
    assert rows["pages"].tolist() == [812, 90] * 5

    for output in (tmp_path / "asked.parquet", tmp_path / "asked.csv"):
        found = library.done("captured", name, "--since", "1h", "--output", output)
        assert (found["requests"], found["rows"], found["rows_by_version"]) == (5, 10, {"1": 10})
        assert (found["labels"], found["rows_with_label"], found["dropped"]) == (6, 6, {})
        again = pd.read_parquet(output) if output.suffix == ".parquet" else pd.read_csv(output)
        assert again["slipway_prediction"].tolist() == rows["slipway_prediction"].tolist()
    assert "rows by version: version 1: 10" in library.slipway("captured", name).out
    assert library.done("captured", name, "--since", "2100-01-01")["rows"] == 0


def test_all_killed_at_once_loses_the_last_seconds_alone(library: "Library", name: str) -> None:
    body = json.dumps({"dataframe_records": ROWS[:1]})
    with serving(library, name) as (url, service):
        asked = [ask(url, "/invocations", body)[1] for _ in range(5)]
        wait_for(lambda: f'captured_rows_total{{model="{name}"}} 5.0' in ask(url, "/metrics")[2].decode())
        lost = ask(url, "/invocations", body)[1]
        all_of_it = [writer_of(service), service, *service.children(recursive=True)]
        for process in all_of_it:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        wait_for(lambda: all(ended(process) for process in all_of_it))
    rows = read(library.home / "capture", name)
    assert set(asked) <= set(rows["slipway_request_id"])
    assert lost not in set(rows["slipway_request_id"])
    with serving(library, name) as (url, service):
        assert ask(url, "/invocations", body)[0] == 200
        service.terminate()
        wait_for(lambda: ended(service))
    assert len(read(library.home / "capture", name)) == len(rows) + 1


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("captured", "{name}", "--since", "soon"), 2, "'soon' is not a valid time; allowed is 90s, 15m, 1h, 7d"),
        (("captured", "{name}", "--output", "a.xlsx"), 3, "a.xlsx ends in '.xlsx'; allowed is .parquet, .csv"),
        (("serve", "{name}", "--capture", "150%"), 2, "'150%' is not a valid share; it has to be above 0 and up to 1"),
        (("serve", "{name}", "--capture", "--engine", "mlflow"), 2, "--engine mlflow cannot capture"),
    ],
)
def test_what_cannot_be_meant_is_told(
    library: "Library", name: str, words: tuple[str, ...], code: int, why: str
) -> None:
    (library.home / "capture" / name).mkdir(parents=True, exist_ok=True)
    said = library.slipway(*(word.format(name=name) for word in words))
    assert (said.code, said.out) == (code, "")
    assert why in said.err
