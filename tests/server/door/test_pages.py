"""A page on another port of the same machine, in a real browser that has the credentials of the server."""

import http.server
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser

if TYPE_CHECKING:
    from conftest import Guarded

# A form cannot send JSON, but text that is JSON, and a script may do that to any server without asking it first.
_TRIES = """
async ([server, name]) => {
    const post = {method: 'POST', credentials: 'include', body: JSON.stringify({name})}
    const create = `${server}/api/2.0/mlflow/registered-models/create`
    const known = asked => asked.then(answer => answer.type === 'opaque' ? 'sent' : answer.text(), () => 'refused')
    return [
        await known(fetch(create, {...post, mode: 'no-cors'})),
        await known(fetch(create, {...post, headers: {'Content-Type': 'application/json'}})),
        await known(fetch(`${server}/ajax-api/2.0/mlflow/experiments/get?experiment_id=0`, {credentials: 'include'})),
    ]
}
"""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of an empty page on another port."""

    class Empty(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>elsewhere</title>")

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Empty) as serving:
        threading.Thread(target=serving.serve_forever).start()
        yield f"http://127.0.0.1:{serving.server_port}/"
        serving.shutdown()


def test_a_page_on_another_port_neither_writes_nor_reads(server: "Guarded", chromium: Browser, elsewhere: str) -> None:
    who = server.who("admin")
    credentials: Any = {"username": who[0], "password": who[1]} if who else None
    name = "made by a page elsewhere"
    with chromium.new_context(http_credentials=credentials) as browser:
        page = browser.new_page()
        page.goto(f"{server.uri}/")  # the browser has logged in
        page.goto(elsewhere)
        assert page.evaluate(_TRIES, [server.uri, name]) == ["sent", "refused", "refused"]
    asked = server.ask("GET", f"/api/2.0/mlflow/registered-models/get?name={name}")
    assert asked.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST", asked.text
