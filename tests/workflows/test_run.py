"""`slipway run` before it reads the data."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from slipway.errors import CallerUnknown
from slipway.settings import Settings
from slipway.workflows.run import run

DECLARED = """
name: small
scope: {goal: Say which.}
task: binary
data:
  source: {csv: rows.csv}
  target: y
  columns: {x: {type: float}, y: {type: int}}
split: {method: random}
search: {metric: roc_auc, candidates: {one: {estimator: sklearn.linear_model.LogisticRegression}}}
"""


class Locked(BaseHTTPRequestHandler):
    """A tracking server that wants a login for everything but its health."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write nothing to stderr."""


@pytest.fixture
def locked() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Locked) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_login_that_is_missing_is_found_before_the_data_are_read(locked: str, tmp_path: Path) -> None:
    folder = tmp_path / "experiments" / "small"
    folder.mkdir(parents=True)
    (folder / "experiment.yaml").write_text(DECLARED)  # there are no rows: reading them would be the error
    with pytest.raises(CallerUnknown):
        run(Settings(project=tmp_path, home=tmp_path / ".slipway", tracking_uri=locked), "small")
