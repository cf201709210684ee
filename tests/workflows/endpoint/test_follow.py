"""Following a registry goes on, whatever the registry answers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from slipway.registry.watch import Followed
from slipway.workflows.endpoint.follow import Following

ODD: tuple[Any, ...] = (
    [],
    "no",
    {"model_versions": [{"current_stage": "None"}]},
    {"model_versions": [{"version": "x"}]},
    {"model_versions": 7},
)


class Registry(BaseHTTPRequestHandler):
    """Answers with what `says` holds, and says when it was asked."""

    says: Any = None
    asked = threading.Event()

    def do_GET(self) -> None:
        body = json.dumps(Registry.says).encode()
        Registry.asked.set()  # before the answer: whoever has it may wait for the next question
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def registry() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def version(number: int) -> Any:
    tags = [{"key": "slipway.artifact_digest", "value": f"digest of {number}"}]
    return {"model_versions": [{"version": str(number), "current_stage": "Production", "tags": tags, "run_id": "r"}]}


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.slow
def test_a_registry_that_answers_nonsense_is_asked_again(registry: str, tmp_path: Path, odd: Any) -> None:
    Registry.says = version(1)
    following = Following(tmp_path, lambda: registry, None, (Followed("tides"),), {})
    said, came = list[str](), threading.Event()
    assert following.first(said.append)[0].version == 1
    Registry.says = odd
    Registry.asked.clear()
    wanted: list[int] = []

    def want(new: Any, _again: bool) -> None:
        wanted.append(new.version)
        came.set()

    thread = threading.Thread(target=following.keep_on, args=[want, said.append, lambda: None], daemon=True)
    thread.start()
    assert Registry.asked.wait(60)
    Registry.says = version(2)
    assert came.wait(60)
    following.stop()
    thread.join(10)
    assert wanted == [2]
    assert said[0].startswith("the registry was not understood (") and "what is served goes on" in said[0]
    assert said[1] == "the tracking server answers again"
