"""The doctor on an installation that is broken for real, in a home of its own."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from slipway.errors import UsageError
from slipway.processes import child_environment, start_process, stop_process
from slipway.settings import Settings, read_settings
from slipway.tracking.record import Server, write_record
from slipway.workflows.doctor import installation, surroundings
from slipway.workflows.doctor.findings import Examined, Level, examine, fine


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "experiments").mkdir()
    return Settings(tmp_path, tmp_path / "home")


def found(settings: Settings, subject: str) -> Examined:
    (check,) = [check for name, check in surroundings.checks(settings) if name == subject]
    (only,) = examine([(subject, check)], 30)
    return only


@pytest.fixture
def answering() -> Iterator[Callable[[int, bytes], str]]:
    """Return a function that starts a server which answers every request with a status and a body."""
    servers = []

    def start(status: int, body: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_check_that_hangs_or_raises_is_a_finding_and_the_others_are_there() -> None:
    over = threading.Event()

    def hangs() -> Examined:
        over.wait(60)
        return fine("slow", "too late")

    def breaks() -> Examined:
        raise ZeroDivisionError("by zero")

    began = time.monotonic()
    listed = [("slow", hangs), ("broken", breaks), ("well", lambda: fine("well", "it is"))]
    slow, broken, well = examine(listed, 0.2)
    assert time.monotonic() - began < 50
    over.set()
    assert (slow.level, slow.found) == (Level.FAULT, "no answer within 0.2 s")
    assert (broken.level, broken.found) == (Level.FAULT, "ZeroDivisionError: by zero")
    assert well.level is Level.OK


def test_without_a_home_and_a_server_it_says_how_to_start_one(settings: Settings) -> None:
    assert found(settings, "home").found.endswith("is made by the first `slipway up`")
    server = found(settings, "tracking server")
    assert server.level is Level.FAULT and "slipway up --detach" in server.todo


def test_a_database_of_another_tool_or_cut_off_is_named(settings: Settings) -> None:
    settings.home.mkdir()
    database = settings.home / "mlflow.db"
    database.write_bytes(b"SQLite format 3\0 and then nothing")
    assert found(settings, "home").level is Level.FAULT
    database.unlink()
    other = sqlite3.connect(database)
    other.execute("CREATE TABLE other (x)")
    other.close()
    told = found(settings, "home")
    assert told.level is Level.FAULT and "no such table: alembic_version" in told.found
    assert "slipway restore" in told.todo


def test_a_locked_database_does_not_hang_it(settings: Settings, migrated_database: Path) -> None:
    settings.home.mkdir()
    database = shutil.copy(migrated_database, settings.home / "mlflow.db")
    assert found(settings, "home").found.startswith(f"{database}: 0 run(s), revision ")
    lock = sqlite3.connect(database, isolation_level=None)
    lock.execute("PRAGMA locking_mode = EXCLUSIVE")
    lock.execute("BEGIN EXCLUSIVE")
    try:
        told = found(settings, "home")
        assert told.level is Level.FAULT and "database is locked" in told.found
    finally:
        lock.close()


def test_a_server_that_was_killed_is_told_from_one_that_was_never_started(settings: Settings, tmp_path: Path) -> None:
    settings.home.mkdir()
    process = start_process(
        [sys.executable, "-c", "import time; time.sleep(600)"], env=child_environment({}), log=tmp_path / "log"
    )
    write_record(settings.home, Server("http://127.0.0.1:1", process.pid, process.started), ready=True)
    stop_process(process)
    told = found(settings, "home")
    assert told.level is Level.WARNING and f"ended without being stopped (process {process.pid})" in told.found


@pytest.mark.parametrize(
    ("status", "body", "level", "said"),
    [
        (500, b"{}", Level.FAULT, "answers with status 500"),
        (200, b"{}", Level.WARNING, "is plain MLflow, which guards no stage"),
        (200, b'{"guarded": true, "slipway": "0.0.1", "auth": false}', Level.WARNING, "guarded by Slipway 0.0.1"),
    ],
)
def test_a_server_that_is_not_as_it_should_be_is_named(
    settings: Settings, answering: Callable[[int, bytes], str], status: int, body: bytes, level: Level, said: str
) -> None:
    uri = answering(status, body)
    told = found(Settings(settings.project, settings.home, uri), "tracking server")
    assert told.level is level and said in told.found and told.todo


def test_a_password_is_shown_nowhere(settings: Settings) -> None:
    secret = "c4n4ry-s3cret"
    variables = {
        "SLIPWAY_BACKEND": f"postgresql://ana:{secret}@db/x",
        "MLFLOW_TRACKING_PASSWORD": secret,
        "MLFLOW_TRACKING_URI": f"http://ana:{secret}@127.0.0.1:9",
        "SLIPWAY_API_KEYS": secret,
    }
    read = read_settings(variables, project=settings.project)
    shown = [str(found(read, name)) for name in ("settings", "tracking server")]
    assert secret not in "".join(shown) and "MLFLOW_TRACKING_URI=http://127.0.0.1:9" in shown[0]


def test_a_package_that_cannot_be_imported_is_named_with_its_error(tmp_path: Path) -> None:
    """In a process of its own: the first pyarrow on the path is one that fails."""
    (tmp_path / "pyarrow.py").write_text("raise ImportError('libarrow.so: cannot open shared object file')")
    code = "from slipway.workflows.doctor.installation import _imports; print(_imports())"
    path = child_environment({"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])})
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=path, timeout=300)
    assert "cannot be imported" in done.stdout and "libarrow.so: cannot open" in done.stdout, done.stdout + done.stderr


def test_packages_are_held_to_the_lock_of_the_project(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==1.0.0 \\\n    --hash=sha256:00\npandas==2 ; python_version < '3'\n")
    told = installation._packages(lock)
    assert told.level is Level.WARNING and "locked 1.0.0" in told.found and "pandas" not in told.found
    assert installation._packages(tmp_path / "none.lock").level is Level.OK


def test_an_unknown_setting_is_refused_before_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown setting SLIPWAY_HOEM"):
        read_settings({"SLIPWAY_HOEM": "x"}, project=tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MLFLOW_TRACKING_URI", "postgresql://team:tweet/bird@db/mlflow"),
        ("MLFLOW_TRACKING_URI", "postgresql://team:tweet@bird@db/mlflow"),
        ("MLFLOW_TRACKING_URI", "postgresql:///mlflow?user=team&password=tweet"),
        ("MLFLOW_S3_ENDPOINT_URL", "https://store/x?access_key=tweet&b=1"),
        ("MLFLOW_CRYPTO_KEK_PASSPHRASE", "tweet"),
    ],
)
def test_a_secret_that_is_written_otherwise_is_shown_nowhere_either(settings: Settings, name: str, value: str) -> None:
    given = replace(settings, variables={name: value}, tracking_uri=value if name.endswith("TRACKING_URI") else None)
    for subject in ("settings", "tracking server"):
        told = str(found(given, subject))
        assert "tweet" not in told and "bird" not in told
        assert "team:" not in told


def test_a_check_that_hangs_does_not_keep_the_command_from_ending() -> None:
    code = (
        "import threading\n"
        "from slipway.workflows.doctor.findings import examine\n"
        "print(examine([('disk', threading.Event().wait)] * 3, 0.5)[2])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    assert "no answer within 0.5 s" in done.stdout
