"""Slipway's own routes: who may ask, what is answered, and what a page of another site cannot do."""

import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
import requests

from slipway import __version__
from slipway.core.release.history import History, Moment
from slipway.errors import PromotionRefused, Refusal, UsageError
from slipway.registry.history import history_of, moment_of
from slipway.registry.remote import RemoteRegistrar, about
from slipway.types import Stage

if TYPE_CHECKING:
    from conftest import Guarded

ROOT = "/api/2.0/slipway"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def move(server: "Guarded", model: str, who: str = "pia", **told: Any) -> requests.Response:
    asked = {"action": "promote", "version": 2, "stage": "Production", "comment": "as judged", **told}
    return server.ask(
        "POST", f"{ROOT}/models/{model}/movements", who, json=asked, headers={"X-Slipway-User": "J%C3%BCrg"}
    )


def test_the_server_says_what_it_is_and_what_one_may(server: "Guarded") -> None:
    model = server.model()
    told = server.ask("GET", f"{ROOT}/about?model={model}").json()
    assert told == {
        "slipway": __version__,
        "guarded": True,
        "auth": bool(server.users),
        "user": "pia" if server.users else None,
        "may": ["judge", "approve", "promote"],
    }
    if server.users:
        assert server.ask("GET", f"{ROOT}/about?model={model}", "edi").json()["may"] == ["approve"]
        assert requests.get(f"{server.uri}{ROOT}/about", timeout=60).status_code == 401
        with pytest.raises(UsageError, match="MLFLOW_TRACKING_USERNAME"):
            about(server.uri)


def test_a_transition_is_made_and_written_down_in_the_name_of_who_asked(server: "Guarded") -> None:
    model = server.model()
    done = move(server, model).json()
    assert (done["action"], done["version"], done["replaced"], done["comment"]) == ("promote", 2, 1, "as judged")
    assert done["by"] == ("pia" if server.users else "Jürg")
    assert server.state(model)[1] == {"production": 2}
    assert move(server, model, action="rollback").json()["version"] == 1
    assert move(server, model, action="archive", version=1).json()["stage"] == "Archived"


def test_the_past_is_told_as_commands_tell_it(server: "Guarded") -> None:
    model = server.model()
    before = datetime.now(UTC)
    move(server, model)
    route = f"{ROOT}/models/{model}/history"
    told, ledger = server.ask("GET", route).json(), server.ledger(model)
    assert told == history_of(server.past, ledger).as_dict()
    assert History.from_dict(told).as_dict() == told and len(told["movements"]) == 3
    assert told["stages"] == {"Production": 2}
    assert server.ask("GET", route, params={"last": 1}).json()["movements"] == told["movements"][-1:]
    at = server.ask("GET", route, params={"at": before.isoformat()}).json()
    assert at == moment_of(ledger, before).as_dict() == Moment.from_dict(at).as_dict()
    assert at["stages"]["Production"]["version"] == 1
    naive = server.ask("GET", route, params={"at": before.replace(tzinfo=None).isoformat()})
    assert naive.json()["stages"] == at["stages"]
    assert server.ask("GET", route, params={"at": "2001-01-01"}).json()["stages"] == {}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"last": "0"}, "last is '0'"),
        ({"last": "1001"}, "from 1 to 1000"),
        ({"last": "-1"}, "last is '-1'"),
        ({"last": "²"}, "last is '²'"),
        ({"at": "yesterday"}, "at is 'yesterday'"),
        ({"at": ""}, "at is ''"),
    ],
)
def test_a_wrong_question_about_the_past_is_told_what_is_wrong(
    server: "Guarded", asked: dict[str, str], said: str
) -> None:
    answer = server.ask("GET", f"{ROOT}/models/{server.model()}/history", params=asked)
    assert answer.status_code == 400 and said in answer.json()["message"], answer.text


def test_the_past_of_what_is_not_there_is_not_told(server: "Guarded") -> None:
    other = server.model()
    answer = server.ask("GET", f"{ROOT}/models/nowhere/history")
    assert answer.status_code == 404 and other not in answer.text
    foreign = {"headers": {"Origin": "https://elsewhere.example"}}
    assert server.ask("GET", f"{ROOT}/models/{other}/history", **foreign).status_code == 403
    if server.users:
        assert requests.get(f"{server.uri}{ROOT}/models/{other}/history", timeout=60).status_code == 401


def test_what_is_refused_is_told_with_its_reasons(server: "Guarded") -> None:
    model = server.model(digest=None)
    answer = move(server, model)
    assert answer.status_code == 403 and answer.json()["error_code"] == "PERMISSION_DENIED"
    assert f"slipway gates {model} 2" in answer.json()["message"]
    with server.client(), pytest.raises(PromotionRefused, match="the gates were not asked for"):
        RemoteRegistrar(server.uri, "pia").promote(model, 2, Stage.PRODUCTION, "")
    if server.users:
        assert "MANAGE" in move(server, model, "edi").json()["message"]
        with server.client("edi"), pytest.raises(Refusal, match="edi may not roll back"):
            RemoteRegistrar(server.uri, "pia").rollback(model, "")


@pytest.mark.parametrize(
    ("told", "status", "said"),
    [
        ({"version": "two"}, 400, "version is 'two'"),
        ({"version": 0}, 400, "version is 0"),
        ({"version": True}, 400, "version is True"),
        ({"version": 99}, 404, "99"),
        ({"stage": "Productoin"}, 404, "did you mean 'Production'"),
        ({"action": "delete"}, 404, "no action 'delete'"),
        ({"comment": 7}, 400, "comment is 7"),
        ({"version": 2**31}, 400, "version is 2147483648"),
        ({"version": [1]}, 400, "version is [1]"),
        ({"stage": None}, 400, "stage is None"),
        ({"action": {"a": 1}}, 400, "action is {'a': 1}"),
        ({"comment": "\0"}, 400, "text without NUL"),
        ({"comment": "\ud800"}, 400, "halves of characters"),
    ],
)
def test_a_wrong_call_is_told_what_is_wrong(server: "Guarded", told: Any, status: int, said: str) -> None:
    model = server.model()
    before = server.state(model)
    answer = move(server, model, **told)
    assert answer.status_code == status and said in answer.json()["message"], answer.text
    assert server.state(model) == before


@pytest.mark.parametrize("name", ["a%00b", "a%3Ab", "..%5C", "%FF", "o'brien", "%F0%9F%9A%A2", "x" * 2000, " "])
@pytest.mark.parametrize("what", ["approvals", "movements", "reconciliations", "judgements"])
def test_no_name_is_a_crash(server: "Guarded", name: str, what: str) -> None:
    asked = {"action": "archive", "version": 1, "stage": "Staging", "comment": "x"}
    answer = server.ask("POST", f"{ROOT}/models/{name}/{what}", "admin", json=asked)
    assert answer.status_code in (400, 404) and answer.json()["message"], answer.text


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_what_is_no_route_is_told_which_there_are(server: "Guarded", method: str) -> None:
    for path in ("nothing", "models/x", "models/x/deletions", "about/us"):
        answer = server.ask(method, f"{ROOT}/{path}", json={})
        assert answer.status_code == 404 and f"{ROOT}/models/NAME/movements" in answer.json()["message"], answer.text
    answer = server.ask("PUT", f"{ROOT}/models/x/movements", json={"action": "rollback"})
    assert answer.status_code == 404 and "'PUT " in answer.json()["message"]
    assert server.ask("HEAD", f"{ROOT}/about").status_code == 200
    assert server.ask("OPTIONS", f"{ROOT}/models/x/movements").status_code in (200, 204)


def test_a_body_that_is_neither_a_bundle_nor_json_is_not_read(server: "Guarded") -> None:
    model = server.model()
    for what, kind, body, status in (
        ("judgements", "application/zip", b"no zip", 400),
        ("judgements", "application/json", b"{}", 400),
        ("movements", "text/plain", b'{"action": "rollback"}', 403),
        ("movements", "application/json", b"[]", 400),
        ("movements", "application/json", b"\xff\xfe", 400),
        ("movements", "application/json", b"[" * 60_000, 400),
        ("movements", "application/json; charset=utf-16", b'{"action": "nothing"}', 404),
        ("movements", "application/zip", b"PK", 400),
        ("approvals", "multipart/form-data", b"--x", 403),
        ("approvals", "application/json", b'{"version": 1, "stage": "Staging", "overrides": [5]}', 400),
        ("movements", "application/json", b'{"comment": "' + b"x" * 100_000 + b'"}', 413),
    ):
        answer = server.ask("POST", f"{ROOT}/models/{model}/{what}", data=body, headers={"Content-Type": kind})
        assert answer.status_code == status and answer.json()["message"], (what, kind, answer.text)
    assert server.ask("POST", f"{ROOT}/models/nowhere/movements", json={"action": "rollback"}).status_code == 404


def test_a_body_that_says_it_is_short_and_is_not_ends_at_its_limit(server: "Guarded") -> None:
    chunks = (b"x" * 10_000 for _ in range(100))
    answer = server.ask("POST", f"{ROOT}/models/x/movements", data=chunks, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_a_form_of_the_board_comes_back_to_it_with_the_outcome(server: "Guarded") -> None:
    model = server.model()
    ask = {"headers": {**FORM, "Origin": server.uri}, "allow_redirects": False}
    told = {"action": "promote", "version": "2", "stage": "Production", "comment": "", "by": "Ana"}
    for outcome in ("Done: version 2 → Production, replacing version 1", "Not done: "):
        answer = server.ask("POST", f"{ROOT}/models/{model}/movements", data=told, **ask)
        assert answer.status_code == 303 and answer.headers["Location"].endswith(f"/slipway/models/{model}")
        cookie = answer.headers["Set-Cookie"]
        assert outcome in unquote(cookie) and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert server.ledger(model).transitions()[-1].by == ("pia" if server.users else "Ana")


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:1", "null", None])
@pytest.mark.parametrize("kind", [FORM, {"Content-Type": "application/json"}], ids=["form", "json"])
def test_a_page_of_another_site_moves_nothing(server: "Guarded", origin: str | None, kind: Any) -> None:
    if origin is None and kind is not FORM:
        pytest.skip("no browser, no origin: that is every client")
    model = server.model()
    before = server.state(model)
    body = '{"action": "rollback"}' if kind is not FORM else "action=promote&version=2&stage=Production"
    headers = {**kind, **({"Origin": origin} if origin else {})}
    answer = server.ask("POST", f"{ROOT}/models/{model}/movements", data=body, headers=headers, allow_redirects=False)
    assert answer.status_code == 403
    if origin in (None, "http://localhost:1"):  # the others do not get past MLflow's own check
        assert ("page of another site" if origin else "send JSON") in answer.json()["message"]
    assert server.state(model) == before


def test_the_server_answers_others_while_somebody_sends_slowly(server: "Guarded") -> None:
    address = urlsplit(server.uri)
    slow = socket.create_connection((address.hostname, address.port))
    try:
        slow.sendall(f"POST {ROOT}/models/x/judgements HTTP/1.1\r\nHost: {address.netloc}\r\n".encode())
        slow.sendall(b"Content-Type: application/zip\r\nContent-Length: 1000\r\n\r\nPK")
        assert server.ask("GET", f"{ROOT}/about").status_code == 200
    finally:
        slow.close()
