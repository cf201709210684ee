"""Requests that nobody should send: the front answers each within its limits, and everybody else meanwhile."""

import http.client
import json
import random
import socket
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest
from tests.helpers.hostile import mutated
from tests.helpers.stand_ins import EXAMPLE, StandInBack, fronts, generation

from slipway.serving.config import ServingConfig

VALID = json.dumps({"dataframe_records": [{"x": 12, "größe": None, "port": "ünï"}] * 3}, ensure_ascii=False).encode()
LINES = (b"POST /invocations HTTP/1.1", b"host: x", b"content-type: application/json", b"connection: close")
HEAD = b"\r\n".join((*LINES, b"content-length: %d", b"", b""))
NUMBER = 1500


@pytest.mark.slow
def test_no_request_breaks_a_front_or_holds_up_others(tmp_path: Path) -> None:
    dice, back, statuses, pings = random.Random(5), StandInBack(tmp_path), [], []
    stop = threading.Event()
    config = ServingConfig(max_body_bytes=3_000_000, header_timeout_s=5, body_timeout_s=5)

    def ping(address: tuple[str, int]) -> None:
        with closing(http.client.HTTPConnection(*address, timeout=20)) as connection:
            while not stop.wait(0.02):
                began = time.perf_counter()
                connection.request("GET", "/ping")
                assert connection.getresponse().read() == b"\n"
                pings.append(time.perf_counter() - began)

    with fronts(generation(backs=(back.path,)), config=config) as (front,):
        watched = psutil.Process(front.process.pid)
        before = watched.memory_info().rss
        thread = threading.Thread(target=ping, args=(front.url,))
        thread.start()
        for number in range(NUMBER):
            body = mutated(dice.choice((VALID, EXAMPLE.encode())), dice)
            if number % 100 == 0:
                body = dice.choice(
                    (b"[" * 2_900_000, b'{"dataframe_records": [' + b"{}," * 900_000, VALID * 20_000, b"\0" * 2_900_000)
                )
            request = HEAD % len(body) + body
            if dice.random() < 0.1:
                request = mutated(request, dice)
            statuses.append(status(front.url, request))
        stop.set()
        thread.join()
        assert watched.memory_info().rss - before < 200e6
    back.stop()
    assert not (wrong := set(statuses) - {0, 200, 400, 404, 405, 408, 413, 415, 431}), wrong
    assert statuses.count(200) > NUMBER / 10
    # On a machine that does nothing else all are below 50 ms; a front that is held up answers after seconds.
    assert sorted(pings)[int(len(pings) * 0.9)] < 2.0


def status(address: tuple[str, int], sent: bytes) -> int:
    """Send and return the status; 0 when there is none, as for a request that was never whole."""
    with closing(socket.create_connection(address, 20)) as connection, suppress(OSError):
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while data := connection.recv(65536):
            found += data
        assert b"Traceback" not in found
        assert b" 503 " not in found[:20], found[-120:] + sent[-60:]
        return int(found[9:12]) if found else 0
    return 0
