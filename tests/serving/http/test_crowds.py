"""Bounds of the memory that callers make a front hold, whatever they send and do not read, and the answers that they get."""

import http.client
import json
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.helpers.stand_ins import JSON, ODD, Front, StandInBack, ask, fronts, generation
from tests.helpers.waiting import wait_for

from slipway.serving.config import ServingConfig
from slipway.serving.counters.models import CONNECTIONS
from slipway.serving.front import process as module

pytestmark = pytest.mark.slow  # the file, more than each of its tests

MB = 1_000_000


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    config = ServingConfig(
        max_body_bytes=6 * MB, max_bodies_bytes=8 * MB, max_rows=200_000, keep_alive_s=1, body_timeout_s=8
    )
    with fronts(generation(), config=config) as (started,):
        yield started


def post(size: int, path: str = "/invocations", kind: str = "application/json", *more: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: x", f"content-length: {size}", *more]
    return "\r\n".join([*lines, *([f"content-type: {kind}"] if kind else []), "", ""]).encode()


def connected(front: Front, receive: int = 0) -> socket.socket:
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    connection.settimeout(20)
    connection.connect(front.url)
    return connection


def read_all(connection: socket.socket) -> bytes:
    found = b""
    while data := connection.recv(1 << 20):
        found += data
    return found


def test_large_bodies_that_arrive_together_are_bounded_and_small_ones_go_on(front: Front) -> None:
    with ExitStack() as open_ones:
        arriving = [open_ones.enter_context(closing(connected(front))) for _ in range(4)]
        for connection in arriving:
            connection.sendall(post(3 * MB) + bytes(2_500_000))
            time.sleep(0.1)
        answer = read_all(arriving[3])
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 1\r\n" in answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["message"].startswith(
            "too many large requests are under way"
        )
        assert ask(front)[0] == 200
    large = json.dumps({"dataframe_records": [{"x": 12, "größe": None, "port": "a" * 5 * MB}]})
    with closing(http.client.HTTPConnection(*front.url, timeout=20)) as connection:
        for _ in range(4):  # room is made by what is answered, and by who has gone
            connection.request("POST", "/invocations", large, JSON)
            answered = connection.getresponse()
            assert (answered.status, answered.read()) == (200, b'{"predictions": ["late"]}')


def test_a_connection_that_is_idle_keeps_no_body(front: Front) -> None:
    with ExitStack() as open_ones:
        before = psutil.Process(front.process.pid).memory_info().rss
        for _ in range(20):
            connection = open_ones.enter_context(closing(connected(front)))
            connection.sendall(post(5 * MB, kind="") + bytes(5 * MB))
            assert connection.recv(4096).startswith(b"HTTP/1.1 415 ")
        assert psutil.Process(front.process.pid).memory_info().rss - before < 60 * MB


def test_who_does_not_read_is_not_read_from_either_and_gets_every_answer_later(front: Front) -> None:
    asked = [b"GET /openapi.json HTTP/1.1\r\n\r\n"] * 3000 + [post(MB, "/nothing") + bytes(MB)] * 40
    asked.append(b"GET /ping HTTP/1.1\r\nconnection: close\r\n\r\n")
    with closing(connected(front)) as connection:
        sent = 0

        def send() -> None:
            nonlocal sent
            for each in asked:
                connection.sendall(each)
                sent += len(each)

        sender = threading.Thread(target=send)
        sender.start()
        time.sleep(1.0)
        assert sent < 20 * MB
        assert ask(front)[0] == 200
        found = read_all(connection)
        sender.join()
        assert found.count(b"HTTP/1.1 200 ") == 3001
        assert found.count(b"HTTP/1.1 404 ") == 40


@pytest.mark.slow
def test_the_last_answer_of_a_connection_is_not_cut_off_for_who_reads_slowly(front: Front) -> None:
    rows = [[12.3456789, None, "a"]] * 150_000
    split = {"columns": ["x", "größe", "port"], "data": rows}
    body = json.dumps({"dataframe_split": split, "params": {"output": "probabilities"}}).encode()
    with closing(connected(front, receive=4096)) as connection:
        connection.sendall(post(len(body), "/invocations", "application/json", "connection: close") + body)
        time.sleep(3.5)  # longer than a refused caller is listened to
        head, _, said = read_all(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert len(json.loads(said)["predictions"]) == len(rows)


@pytest.mark.slow
def test_no_connection_stays_for_ever_because_nobody_reads_its_last_answers(front: Front) -> None:
    size = len(ask(front, "/openapi.json", None)[1])
    with ExitStack() as open_ones:
        for number in range(60):  # some of them fill the kernel's buffers and a little more
            connection = open_ones.enter_context(closing(connected(front, receive=4096)))
            answers = (60_000 * (number + 1)) // size
            connection.sendall(b"GET /openapi.json HTTP/1.1\r\n\r\n" * answers)
        wait_for(lambda: front.counters.own(0, CONNECTIONS) == 0)


def few_files(*given: Any) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, 160))
    module.front(*given)


@pytest.mark.slow
def test_with_few_files_callers_are_refused_and_the_model_is_asked_all_the_same(tmp_path: Path) -> None:
    back = StandInBack(tmp_path)
    config = ServingConfig(timeout_s=15)
    with fronts(generation(backs=(back.path,)), config=config, main=few_files) as (front,), ExitStack() as open_ones:
        first = open_ones.enter_context(closing(http.client.HTTPConnection(*front.url, timeout=20)))
        first.request("GET", "/ping")
        first.getresponse().read()
        others = [open_ones.enter_context(closing(connected(front))) for _ in range(140)]
        found = []
        for connection in others:
            connection.sendall(b"GET /ping HTTP/1.1\r\n\r\n")
            found.append(connection.recv(4096)[9:12])
        assert set(found) == {b"200", b"503"}
        assert found.count(b"200") == 160 - 64 - 1
        first.request("POST", "/invocations", ODD, JSON)
        assert first.getresponse().status == 200
    back.stop()
