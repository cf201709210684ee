"""The door of the real server: each route of MLflow that writes, asked by pages of other origins, and bodies without a user."""

import contextlib
import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
from tests.helpers.sharing import Sharing

from slipway.processes import child_environment
from slipway.tracking.auth import auth_environment

if TYPE_CHECKING:
    from conftest import Guarded

SEARCH = "/api/2.0/mlflow/experiments/search"
FOREIGN = ("http://localhost:1", "null")
# The routes of the app with users: those of Flask and those of FastAPI before them.
_ROUTES = """
import json
from slipway.server.app import create_app_with_auth
app = create_app_with_auth()
from mlflow.server import app as flask_app
found = {(method, rule.rule) for rule in flask_app.url_map.iter_rules() for method in rule.methods}
routers = [route for route in app.routes if hasattr(route, "effective_route_contexts")]
found |= {(method, each.path) for router in routers for each in router.effective_route_contexts() for method in each.methods}
print(json.dumps(sorted(found)))
"""


@pytest.fixture(scope="session")
def writes(sharing: Sharing, migrated_database: Path) -> list[tuple[str, str]]:
    """Each route of the server that writes, as method and path with something in the place of what it names."""

    def find() -> Any:
        home = sharing.folder / "routes"
        home.mkdir()
        shutil.copy(migrated_database, home / "mlflow.db")
        store = {
            "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{home}/mlflow.db",
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": f"{home}/artifacts",
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
            "_MLFLOW_SGI_NAME": "uvicorn",
        }
        env = child_environment(auth_environment(home) | store, without=("MLFLOW_", "_MLFLOW_"))
        command = [sys.executable, "-c", _ROUTES]
        done = subprocess.run(command, env=env, cwd=home, check=True, capture_output=True, text=True)
        return json.loads(done.stdout.splitlines()[-1])

    found = sharing.once("routes", find)
    return [(m, re.sub(r"<[^>]*>|{[^}]*}", "1", path)) for m, path in found if m not in ("GET", "HEAD", "OPTIONS")]


def granted(answer: requests.Response) -> list[str]:
    return [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_page_of_another_origin_writes_by_no_route(server: "Guarded", writes: list[tuple[str, str]]) -> None:
    for part in (
        "runs/create",
        "/graphql",
        "users/delete",
        "mlflow-artifacts/artifacts",
        "gateway",
        "v1/traces",
        "assistant",
    ):
        assert any(part in path for _, path in writes), part
    assert len(writes) > 300
    with requests.Session() as browser:
        browser.auth = server.who("admin")
        browser.cookies.set("session", "of a browser")
        for method, path in writes:
            for origin in FOREIGN:
                answer = browser.request(method, f"{server.uri}{path}", json={}, headers={"Origin": origin}, timeout=60)
                assert answer.status_code == 403 and "page of another site" in answer.text, (method, path, answer.text)
                assert granted(answer) == []


def test_a_page_of_another_origin_is_granted_no_reading_and_no_asking(server: "Guarded") -> None:
    for origin in FOREIGN:
        asks = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        for method, path, headers in (
            ("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", {"Origin": origin}),
            ("OPTIONS", SEARCH, asks),
            ("OPTIONS", "/api/2.0/mlflow-artifacts/artifacts/x", asks),
        ):
            answer = server.ask(method, path, headers=headers)
            assert answer.status_code == 403 and granted(answer) == [], (path, dict(answer.headers))


def test_the_pages_of_the_server_itself_and_programs_are_answered(server: "Guarded") -> None:
    for headers in ({"Origin": server.uri}, {"Origin": server.uri, "Sec-Fetch-Site": "same-origin"}, {}):
        assert server.ask("POST", SEARCH, json={"max_results": 1}, headers=headers).status_code == 200


def test_a_form_without_origin_does_not_get_to_mlflow(server: "Guarded") -> None:
    for kind in ("application/x-www-form-urlencoded", "text/plain"):
        answer = server.ask("POST", SEARCH, data='{"max_results": 1}', headers={"Content-Type": kind})
        assert answer.status_code == 403 and "send JSON" in answer.text


def test_a_page_that_has_its_name_point_to_the_server_is_refused(server: "Guarded") -> None:
    name = f"evil.example:{urlsplit(server.uri).port}"
    for method, path in (("POST", SEARCH), ("GET", "/")):
        answer = server.ask(method, path, headers={"Host": name, "Origin": f"http://{name}"})
        assert answer.status_code == 403 and "rebinding" in answer.text and granted(answer) == []


def said(server: "Guarded", headers: str, body: bytes) -> bytes:
    """What the server answers to the beginning of a request whose rest never comes."""
    address = urlsplit(server.uri)
    with socket.create_connection((address.hostname, address.port), timeout=60) as opened:
        opened.sendall(f"POST {SEARCH} HTTP/1.1\r\nHost: {address.netloc}\r\n{headers}\r\n".encode())
        with contextlib.suppress(ConnectionError):
            opened.sendall(body)
        return opened.recv(65536)


def test_a_body_is_not_waited_for_before_the_login(server: "Guarded") -> None:
    if not server.users:
        pytest.skip("without auth there is no login")
    for headers in ("Content-Length: 400000000\r\n", "Transfer-Encoding: chunked\r\n"):
        assert b" 401 " in said(server, headers, b"1\r\n")


def test_a_body_for_mlflows_routes_has_a_limit(server: "Guarded") -> None:
    parts: Callable[[], Any] = lambda: (b"x" * 2**20 for _ in range(30))
    assert server.ask("POST", SEARCH, data=parts(), headers={"Content-Type": "application/json"}).status_code == 413
    path = "/api/2.0/mlflow-artifacts/artifacts/0/" + "a" * 32 + "/artifacts/large"
    assert server.ask("PUT", path, "admin", data=parts()).status_code == 200


def test_the_server_counts_what_it_refused(server: "Guarded") -> None:
    server.ask("GET", "/", headers={"Origin": "null"})
    told = server.ask("GET", "/slipway/metrics").text
    assert re.search(r'^slipway_server_refused_total{reason="origin"} [1-9]', told, re.MULTILINE)
    assert re.search(r"^slipway_server_connections [1-9]", told, re.MULTILINE)
    if server.users:
        assert requests.get(f"{server.uri}/slipway/metrics", timeout=60).status_code == 401
