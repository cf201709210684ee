"""A body ends when it is too long or too slow, whatever the app behind makes of that."""

import asyncio
import itertools
from typing import Any

import pytest
from tests.helpers.asgi import Asked, Behind, request, run

from slipway.server.door.bodies import MOST_FORM_BYTES, MOST_JSON_BYTES, SLOWEST_BYTES, BodyLimit
from slipway.server.door.counts import Counts

OURS = "/api/2.0/slipway/models/x/movements"
UPLOAD = "/api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/model.bin"


def ask(scope: dict[str, Any], parts: Any = (), behind: Any = None) -> Asked:
    return run(Asked(scope, parts).by(BodyLimit(behind or Behind(), Counts())))


@pytest.mark.parametrize(
    ("method", "path", "most"),
    [
        ("POST", "/api/2.0/mlflow/runs/log-batch", MOST_JSON_BYTES),
        ("GET", "/api/2.0/mlflow/runs/get", MOST_JSON_BYTES),
        ("POST", "/graphql", MOST_JSON_BYTES),
        ("POST", OURS, MOST_FORM_BYTES),
        ("PUT", f"/elsewhere{UPLOAD}", MOST_JSON_BYTES),  # Flask answers that, and holds it
        ("POST", UPLOAD, MOST_JSON_BYTES),
    ],
)
def test_a_body_has_a_limit_by_its_length_and_by_what_comes(method: str, path: str, most: int) -> None:
    behind = Behind()
    told = ask(request(method, path, content_length=str(most + 1)), behind=behind)
    assert (told.status, told.headers["connection"], behind.times) == (413, "close", 0)
    assert ask(request(method, path, content_length="many")).status == 413
    came = ask(request(method, path, transfer_encoding="chunked"), itertools.repeat(b"x" * 65536, 7000))
    assert came.status == 413 and came.read <= most + 9 * 2**20
    assert ask(request(method, path, transfer_encoding="chunked"), [b"x" * most]).status == 200


def test_an_upload_may_be_of_any_length() -> None:
    assert ask(request("PUT", UPLOAD, content_length=str(2**40)), itertools.repeat(b"x" * 2**20, 64)).status == 200


def test_an_app_that_makes_an_answer_of_the_end_of_a_body_is_not_heard() -> None:
    async def hides(scope: Any, receive: Any, send: Any) -> None:
        try:
            await Behind()(scope, receive, send)
        except Exception:  # noqa: BLE001 - as frameworks do
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body", "body": b"a stack trace"})

    answer = ask(request(transfer_encoding="chunked"), [b"x" * (MOST_JSON_BYTES + 1)], hides)
    assert answer.status == 413 and b"trace" not in answer.body


def test_what_the_app_itself_raises_goes_on() -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("of the app")

    with pytest.raises(KeyError, match="of the app"):
        ask(request(), behind=fails)


class Slow:
    """Parts of a body that come after a while each, and then a client that says nothing more."""

    def __init__(self, *parts: tuple[float, bytes]) -> None:
        self.parts = iter(parts)
        self.sent: list[Any] = []

    async def receive(self) -> Any:
        for after, part in self.parts:
            await asyncio.sleep(after)
            return {"type": "http.request", "body": part, "more_body": bool(part)}
        await asyncio.Event().wait()

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    def by(self, app: Any, patience_s: float) -> int:
        scope = request(content_length="100000")
        run(BodyLimit(app, Counts(), patience_s)(scope, self.receive, self.send))
        return int(self.sent[0]["status"])


def test_a_body_that_stops_and_one_that_drips_end() -> None:
    assert Slow((0, b"x")).by(Behind(), 0.05) == 408
    assert Slow(*((0.02, b"x") for _ in range(1000))).by(Behind(), 0.1) == 408


def test_a_body_that_comes_on_has_all_the_time_that_it_takes() -> None:
    assert Slow(*((0.05, b"x" * SLOWEST_BYTES) for _ in range(4)), (0, b"")).by(Behind(), 0.15) == 200


def test_after_the_body_an_app_may_wait_for_the_end_of_the_connection() -> None:
    async def waits(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(receive(), 0.1)
        await Behind()(scope, Slow((0, b"")).receive, send)

    assert Slow((0, b"")).by(waits, 0.02) == 200
