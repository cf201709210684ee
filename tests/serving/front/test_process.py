"""A front in its own process, over real sockets."""

import hashlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.stand_ins import BODY, EXAMPLE, JSON, ODD, Front, StandInBack, ask, fronts, generation, raw
from tests.helpers.waiting import wait_for

from slipway.serving.config import ServingConfig
from slipway.serving.ipc import messages


@pytest.fixture(scope="module")
def back(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInBack]:
    back = StandInBack(tmp_path_factory.mktemp("back"))
    yield back
    back.stop()


@pytest.fixture(scope="module")
def front(back: StandInBack) -> Iterator[Front]:
    config = ServingConfig(
        timeout_s=1, max_waiting=3, header_timeout_s=1, body_timeout_s=1, max_rows=5, max_body_bytes=100_000
    )
    with fronts(generation(backs=(back.path,)), config=config) as started:
        yield started[0]


def test_a_request_for_the_fast_path_is_answered_by_the_plan_and_names_its_version(
    front: Front, back: StandInBack
) -> None:
    before = len(back.asked)
    status, body, headers = ask(front)
    assert (status, json.loads(body)) == (200, {"predictions": ["late"]})
    assert (headers["X-Slipway-Model"], headers["X-Slipway-Version"]) == ("delays", "1")
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert ask(front, "/models/delays/invocations")[1] == body
    assert len(back.asked) == before


def test_what_is_not_for_the_fast_path_goes_to_the_back_as_it_came(front: Front, back: StandInBack) -> None:
    for body, kind in [
        (ODD, "application/json"),
        ("x,port\n1,a\n", "text/csv"),
        (BODY, "application/json; charset=ascii"),
    ]:
        status, answer, headers = ask(front, body=body, headers={"Content-Type": kind})
        assert (status, json.loads(answer)["predictions"]) == (200, ["from the back"])
        assert (back.asked[-1].content_type, back.asked[-1].body) == (kind, body.encode())
        assert headers["X-Slipway-Version"] == "1"


def test_a_content_type_has_no_case(front: Front, back: StandInBack) -> None:
    before = len(back.asked)
    for kind in ("Application/JSON", 'application/json; Charset="UTF-8"'):
        status, answer, _ = ask(front, headers={"Content-Type": kind})
        assert (status, json.loads(answer)) == (200, {"predictions": ["late"]})
    assert len(back.asked) == before
    for body, kind, read in [
        (ODD, "APPLICATION/JSON; charset=UTF-8", "application/json"),
        ("x,port\n1,a\n", "Text/CSV", "text/csv"),
        ("PAR1", "Application/vnd.Apache.Parquet", "application/vnd.apache.parquet"),
    ]:
        assert ask(front, body=body, headers={"Content-Type": kind})[0] == 200
        assert back.asked[-1].content_type == read


def test_ping_health_version_are_mlflows(front: Front) -> None:
    from mlflow.version import VERSION

    for path, said in [("/ping", b"\n"), ("/health", b"\n"), ("/version", VERSION.encode())]:
        status, body, headers = ask(front, path, None)
        assert (status, body, headers["Content-Type"]) == (200, said, "application/json")
    assert ask(front, "/ping", None, method="HEAD")[1] == b""


def test_a_sane_request_id_is_kept_and_another_one_is_made(front: Front) -> None:
    assert ask(front, headers=JSON | {"X-Request-Id": "abc-1"})[2]["X-Request-Id"] == "abc-1"
    made = [ask(front, headers=JSON | {"X-Request-Id": bad})[2]["X-Request-Id"] for bad in ("", "a b", "x" * 200)]
    assert len(set(made)) == 3
    assert all(len(each) < 40 for each in made)


@pytest.mark.parametrize(
    ("path", "body", "headers", "method", "status"),
    [
        ("/nothing", None, {}, "", 404),
        ("/models/other/invocations", BODY, JSON, "", 404),
        ("/invocations", None, {}, "", 405),
        ("/ping", BODY, JSON, "", 405),
        ("/invocations", BODY, {}, "", 415),
        ("/invocations", "[" * 17 + "]" * 17, JSON, "", 400),
        ("/invocations", "[" * 50_000, JSON, "", 400),
        ("/invocations", "x" * 100_001, JSON, "", 413),
        (
            "/invocations",
            json.dumps({"dataframe_records": [json.loads(BODY)["dataframe_records"][0]] * 6}),
            JSON,
            "",
            413,
        ),
        ("/ping", None, {"X-Long": "x" * 20_000}, "", 431),
    ],
)
def test_what_is_refused_says_so_as_mlflow_does(
    front: Front, path: str, body: str | None, headers: dict[str, str], method: str, status: int
) -> None:
    found, answer, _ = ask(front, path, body, headers, method)
    assert found == status
    said = json.loads(answer)
    assert set(said) == {"error_code", "message"}
    assert "xxxx" not in said["message"]


def test_a_chunked_body_is_read_and_bounded(front: Front) -> None:
    lines = (b"POST /invocations HTTP/1.1", b"host: x", b"connection: close", b"content-type: application/json")
    head = b"\r\n".join((*lines, b"transfer-encoding: chunked", b"", b""))
    half = len(BODY) // 2
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (BODY.encode()[:half], BODY.encode()[half:]))
    assert b'{"predictions": ["late"]}' in raw(front.url, head + chunks + b"0\r\n\r\n")
    assert b"413" in raw(front.url, head + b"7530\r\n" + (b"x" * 30_000 + b"\r\n7530\r\n") * 5)[:20]


@pytest.mark.parametrize(
    "more",
    [b"x: " + b"y" * 60_000, b"y" * 60_000, b"x: 1\r\n" * 9_000],
    ids=["a value", "a name", "many"],
)
def test_trailers_are_bounded_and_stand_for_nothing(front: Front, more: bytes) -> None:
    head = b"POST /invocations HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n"
    chunks = b"\r\n%x\r\n%b\r\n0\r\n" % (len(BODY.encode()), BODY.encode())
    found = raw(front.url, head + chunks + b"content-type: application/json\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 415 ")
    assert raw(front.url, head + chunks + more * 5).startswith(b"HTTP/1.1 431 ")


def test_a_header_that_does_not_end_is_refused_while_it_is_being_sent(front: Front) -> None:
    for start in (b"GET /ping HTTP/1.1\r\nx: ", b"GET /ping HTTP/1.1\r\n", b"GET /"):
        with closing(socket.create_connection(front.url, 10)) as connection:
            connection.sendall(start)
            sent, answer = 0, b""
            connection.setblocking(False)
            while not answer:
                assert sent < 20_000_000
                with suppress(BlockingIOError):
                    sent += connection.send(b"y" * 10_000)
                with suppress(BlockingIOError):
                    answer = connection.recv(100)
            assert answer.startswith(b"HTTP/1.1 431 ")


def test_an_offer_of_another_protocol_is_declined_and_the_request_answered(front: Front) -> None:
    offer = b"host: x\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"
    get = b"GET /ping HTTP/1.1\r\n" + offer + b"\r\n"
    body = BODY.encode()
    post = b"POST /invocations HTTP/1.1\r\n" + offer + b"content-type: application/json\r\n"
    sized = post + b"content-length: %d\r\n\r\n%b" % (len(body), body)
    chunked = post + b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    last = b"GET /ping HTTP/1.1\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n"
    found = raw(front.url, get + sized + chunked + sized + last)
    assert found.count(b"HTTP/1.1 200 ") == found.count(b"HTTP/1.1 ") == 5
    assert found.count(b'{"predictions": ["late"]}') == 3
    found = raw(front.url, b"CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n" + get)
    assert found.startswith(b"HTTP/1.1 400 ")
    assert found.count(b"HTTP/1.1 ") == 1


def test_a_refused_large_body_is_answered_while_it_is_still_being_sent(front: Front) -> None:
    status, answer, _ = ask(front, body="x" * 30_000_000)
    assert (status, json.loads(answer)["error_code"]) == (413, "REQUEST_LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    "sent",
    [
        b"GARBAGE\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"GET / HTTP/1.1\r\nhost x\r\n\r\n",
    ],
)
def test_what_is_not_http_is_a_400(front: Front, sent: bytes) -> None:
    assert raw(front.url, sent).startswith(b"HTTP/1.1 400 ")


def test_pipelined_requests_are_answered_in_their_order(front: Front) -> None:
    def request(body: str, last: bool = False) -> bytes:
        ending = b"connection: close\r\n" if last else b""
        return (
            b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n%bcontent-length: %d\r\n\r\n%b"
            % (ending, len(body.encode()), body.encode())
        )

    found = raw(front.url, request(BODY) + request(ODD) + request(BODY, last=True))
    at = [found.index(b'["late"]'), found.index(b"from the back"), found.rindex(b'["late"]')]
    assert at == sorted(at)
    assert at[0] != at[2]


def test_others_are_answered_between_thousands_of_requests_that_one_sends_at_once(front: Front) -> None:
    many = 1000
    with closing(socket.create_connection(front.url, 20)) as sender:
        sender.sendall(b"GET /metrics HTTP/1.1\r\n\r\n" * (many - 1) + b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n")
        seen: list[int] = []

        def read() -> None:
            found = b""
            while data := sender.recv(1 << 20):
                found += data
                seen[:] = [found.count(b"HTTP/1.1 200 ")]

        reader = threading.Thread(target=read)
        reader.start()
        wait_for(lambda: seen)
        assert ask(front, "/ping", None)[0] == 200
        assert seen[0] < many
        reader.join()
        assert seen[0] == many


def test_garbage_behind_a_request_does_not_cost_its_answer(front: Front) -> None:
    head = (
        f"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(ODD)}\r\n\r\n"
    )
    found = raw(front.url, f"{head}{ODD}GARBAGE\r\n\r\n".encode().replace("größe".encode(), b"gr\\u00f6\\u00dfe"))
    assert found.startswith(b"HTTP/1.1 ")
    assert found.count(b"\r\ncontent-length: ") == 2
    assert b"HTTP/1.1 400 " in found


def test_continue_is_said_to_who_waits_for_it(front: Front) -> None:
    with closing(socket.create_connection(front.url, 10)) as connection:
        head = "POST /invocations HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-type: application/json\r\n"
        connection.sendall(f"{head}content-length: {len(BODY)}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(BODY.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


@pytest.mark.slow
def test_slow_callers_are_let_go_and_others_do_not_notice(front: Front) -> None:
    slow = [socket.create_connection(front.url, 10) for _ in range(50)]
    for connection in slow:
        connection.sendall(b"POST /invocations HTTP/1.1\r\nhost: x\r\n")
    halfway = socket.create_connection(front.url, 10)
    halfway.sendall(b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
    assert ask(front)[0] == 200
    for connection in [*slow, halfway]:
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
        connection.close()
    with closing(socket.create_connection(front.url, 10)) as silent:
        assert silent.recv(100) == b""


def test_a_back_that_is_stuck_is_a_504_and_is_reported(front: Front, back: StandInBack) -> None:
    body = json.dumps({"slow": 1})
    began = time.monotonic()
    status, answer, _ = ask(front, body=body)
    assert (status, json.loads(answer)["error_code"]) == (504, "DEADLINE_EXCEEDED")
    assert 0.9 < time.monotonic() - began < 2.5
    assert front.wait(messages.Stuck).back == back.path


def test_more_than_may_wait_are_a_503_at_once_while_the_fast_path_goes_on(front: Front) -> None:
    found: list[Any] = []
    waiting = [threading.Thread(target=lambda: found.append(ask(front, body='{"slow": 1}'))) for _ in range(3)]
    for thread in waiting:
        thread.start()
    time.sleep(0.3)
    status, _, headers = ask(front, body=ODD)
    assert (status, headers["Retry-After"]) == (503, "1")
    assert ask(front)[0] == 200
    for thread in waiting:
        thread.join()
    assert [status for status, *_ in found] == [504] * 3


def test_a_request_that_ends_its_back_is_asked_twice_and_no_more(front: Front, back: StandInBack) -> None:
    before = len(back.asked)
    status, _, headers = ask(front, body='{"die": 1}')
    assert (status, headers["Retry-After"]) == (503, "5")
    assert len(back.asked) == before + 2


@pytest.mark.slow
def test_a_request_waits_for_a_back_that_is_being_started(front: Front, back: StandInBack) -> None:
    back.stop()
    ask(front, body='{"die": 1}')  # the link is known to be lost
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(ask(front, body=ODD)))
    thread.start()
    time.sleep(0.2)
    back.start()
    thread.join()
    assert found[0][0] == 200


def test_nothing_but_code_and_message_is_passed_on_of_an_error(front: Front) -> None:
    status, answer, _ = ask(front, body='{"secret": 1}')
    assert (status, json.loads(answer)) == (400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "wrong"})
    status, answer, _ = ask(front, body='{"raw": 1}')
    assert status == 500
    assert b"x.py" not in answer


def test_a_swap_loses_no_request_on_a_kept_connection(front: Front, back: StandInBack) -> None:
    stop, seen, failed = threading.Event(), [], []

    def load() -> None:
        connection = http.client.HTTPConnection(*front.url, timeout=20)
        while not stop.is_set():
            connection.request("POST", "/invocations", BODY, JSON)
            answer = connection.getresponse()
            said = json.loads(answer.read())["predictions"][0]
            seen.append(version := int(answer.headers["X-Slipway-Version"]))
            if answer.status != 200 or said != ("late" if version == 1 else "früh"):
                failed.append((answer.status, said, version))
        connection.close()

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(2, 22):
        version = 1 + number % 2
        front.tell(messages.Swap((generation(version, number=number, backs=(back.path,)),)), messages.Swapped)
        assert int(ask(front)[2]["X-Slipway-Version"]) == version
    front.tell(messages.Swap((generation(1, number=30, backs=(back.path,)),)), messages.Swapped)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed
    assert {1, 2} == set(seen)


def test_keys_are_asked_for_and_can_be_changed_at_any_time(front: Front) -> None:
    one, two = (hashlib.sha256(key).hexdigest() for key in (b"one", b"two"))
    front.tell(messages.ValidKeys((one, two)))
    wait_for(lambda: ask(front)[0] == 401)
    assert json.loads(ask(front)[1])["error_code"] == "UNAUTHENTICATED"
    for right in ({"Authorization": "Bearer one"}, {"X-Api-Key": "two"}, {"Authorization": "Basic YW55OnR3bw=="}):
        assert ask(front, headers=JSON | right)[0] == 200
    for wrong in (
        {"Authorization": "Bearer on"},
        {"X-Api-Key": one},
        {"Authorization": "Basic !"},
        {"Authorization": "one"},
    ):
        assert ask(front, headers=JSON | wrong)[0] == 401
    for path in ("/metrics", "/openapi.json", "/", "/nothing"):
        assert ask(front, path, None)[0] == 401
    assert ask(front, "/ping", None)[0] == 200
    assert json.loads(ask(front, "/ready", None)[1]) == {"ready": True}
    front.tell(messages.ValidKeys((two,)))
    wait_for(lambda: ask(front, headers=JSON | {"X-Api-Key": "one"})[0] == 401)
    front.tell(messages.ValidKeys(None))
    wait_for(lambda: ask(front)[0] == 200)


def test_ready_says_what_is_served_and_what_failed(front: Front) -> None:
    front.tell(messages.TakeoverFailure("delays", 9, "the plan disagrees with the model", 1.7e9))
    wait_for(lambda: b"disagrees" in ask(front, "/ready", None)[1])
    said = json.loads(ask(front, "/ready", None)[1])["models"]["delays"]
    assert (said["version"], said["stage"], said["compiled"]) == (1, "Production", True)
    assert said["contract"] is False  # of a version that carries none
    assert said["last_failure"] == {
        "version": 9,
        "why": "the plan disagrees with the model",
        "at": "2023-11-14T22:13:20+00:00",
    }
    assert b'slipway_last_failed_version{model="delays"} 9.0' in ask(front, "/metrics", None)[1]


@pytest.mark.slow
def test_a_version_that_is_not_compiled_says_why(tmp_path: Path) -> None:
    back = StandInBack(tmp_path)
    with fronts(generation(backs=(back.path,), plan=None, why_not="a step is unknown")) as (front,):
        assert json.loads(ask(front)[1])["predictions"] == ["from the back"]
        said = json.loads(ask(front, "/ready", None)[1])["models"]["delays"]
        assert (said["compiled"], said["not_compiled_because"]) == (False, "a step is unknown")
    back.stop()


@pytest.mark.slow
def test_two_fronts_share_connections_and_count_together() -> None:
    models = (generation(), generation(2, number=2, model="other one"))
    with fronts(*models, number=2) as both:
        kept = [http.client.HTTPConnection(*both[0].url, timeout=20) for _ in range(16)]
        for connection in kept:
            connection.request("POST", "/models/delays/invocations", BODY, JSON)
            assert connection.getresponse().read() == b'{"predictions": ["late"]}'
        time.sleep(0.4)
        shares = [both[0].counters.own(row, 0) for row in (0, 1)]
        assert sum(shares) == 16
        assert min(shares) >= 4
        for connection in kept:
            connection.close()
        assert json.loads(ask(both[0], "/models/other%20one/invocations")[1])["predictions"] == ["früh"]
        assert ask(both[0])[0] == 404  # which of the two is not said
        page = ask(both[0], "/metrics", None)[1].decode()
        assert 'slipway_requests_total{model="delays",status="200"} 16.0' in page
        assert 'slipway_rows_total{model="delays"} 16.0' in page
        assert 'slipway_request_seconds_count{model="delays"} 16.0' in page
        assert 'slipway_answers_total{by="plan",model="other one"} 1.0' in page
        assert 'slipway_model_version{model="other one"} 2.0' in page


def test_metrics_are_read_by_the_client_library(front: Front) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    families = {family.name for family in text_string_to_metric_families(ask(front, "/metrics", None)[1].decode())}
    assert {"slipway_requests", "slipway_request_seconds", "slipway_waiting_requests", "slipway_generation"} <= families


@pytest.mark.slow
def test_a_drained_front_finishes_what_is_under_way_and_accepts_no_more(tmp_path: Path) -> None:
    back = StandInBack(tmp_path)
    with fronts(generation(backs=(back.path,)), config=ServingConfig(access_log=1)) as (front,):
        idle = http.client.HTTPConnection(*front.url, timeout=20)
        idle.request("GET", "/ping")
        idle.getresponse().read()
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.append(ask(front, body='{"slow": 1}')))
        thread.start()
        time.sleep(0.5)
        front.tell(messages.Drain())
        thread.join()
        assert found[0][0] == 200
        assert found[0][2]["Connection"] == "close"
        idle.close()
        front.process.join(10)
        assert front.process.exitcode == 0
    back.stop()


@pytest.mark.slow
def test_the_access_log_holds_neither_bodies_nor_keys(capfd: pytest.CaptureFixture[str]) -> None:
    with fronts(generation(), config=ServingConfig(access_log=1)) as (front,):
        ask(front, "/invocations?token=hidden", headers=JSON | {"X-Api-Key": "hidden", "X-Request-Id": "r-1"})
    line = json.loads(next(line for line in capfd.readouterr().err.splitlines() if line.startswith("{")))
    assert (line["id"], line["path"], line["status"], line["model"], line["version"]) == (
        "r-1",
        "/invocations",
        200,
        "delays",
        1,
    )
    assert "hidden" not in str(line)


def test_the_document_is_openapi_and_its_example_is_answered(front: Front) -> None:
    from openapi_spec_validator import validate

    document = json.loads(ask(front, "/openapi.json", None)[1])
    validate(document)
    post = document["paths"]["/invocations"]["post"]
    example = post["requestBody"]["content"]["application/json"]["example"]
    assert example == json.loads(EXAMPLE)
    assert ask(front, body=json.dumps(example))[0] == 200
    assert "früh" in json.dumps(post["responses"]["200"], ensure_ascii=False)


def test_the_page_predicts_without_javascript(front: Front) -> None:
    status, html, headers = ask(front, "/", None)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"http://" not in html.replace(b"http://HOST", b"")
    assert html.count(b"<script") == html.count(b'<script src="/sliders.js"></script>') == 1
    assert "größe" in html.decode()
    form = "model=delays&column_0=50&column_1=&column_2=%3Cb%3E"
    status, html, headers = ask(front, "/try", form, {"Content-Type": "application/x-www-form-urlencoded"})
    assert (status, headers["X-Slipway-Version"]) == (200, "1")
    assert "<output>late</output>" in html.decode()
    assert "0.5000" in html.decode()
    assert "<b>" not in html.decode()
    assert ask(front, "/style.css", None)[2]["Content-Type"] == "text/css; charset=utf-8"
