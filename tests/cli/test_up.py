"""What `slipway up` says before any server is started, and what others can see of it meanwhile."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from slipway.cli import main
from slipway.processes import child_environment

SECRET = "not-for-others"


@pytest.fixture
def silent() -> Iterator[int]:
    """A port on which something listens and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["--backend {}", "--backend={}"])
def test_a_password_among_the_arguments_does_not_stay_there(tmp_path: Path, silent: int, form: str) -> None:
    uri = f"postgresql://ann:{SECRET}@127.0.0.1:{silent}/runs"
    command = [sys.executable, "-m", "slipway", "up", "--port", "0", *form.format(uri).split()]
    env = child_environment({"SLIPWAY_HOME": str(tmp_path / "home")}, without=("MLFLOW_", "SLIPWAY_"))
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as up:
        process, deadline = psutil.Process(up.pid), time.monotonic() + 30
        while not process.net_connections("tcp"):  # it asks the database by then
            assert up.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        arguments = process.cmdline()
        _, err = up.communicate(timeout=60)
    assert arguments[-3:] == ["up", "--port", "0"]
    assert up.returncode == 3 and "timeout expired" in err
    assert f"postgresql://ann@127.0.0.1:{silent}/runs cannot be used" in err and SECRET not in err
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["server.lock"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--backend", f"mysql://ann:{SECRET}@db/runs"), "found 'mysql://…'"),
        (("--backend", f"postgresql://ann:{SECRET}/x@db/runs"), "percent-encoded"),
        (("--artifacts", f"gs://{SECRET}"), "--artifacts takes a bucket on S3"),
        (("--host", "0.0.0.0"), "add --auth, so that they need a user and a password, or leave --host out"),
        (("--host", ""), "--host is empty"),
        (("--allow-origin", "https://a.example", "--allow-origin", "*"), "the allowed origin '*' is none; name scheme"),
    ],
)
def test_what_cannot_be_a_store_is_wrong_usage(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    told: str,
) -> None:
    monkeypatch.setenv("SLIPWAY_HOME", str(tmp_path / "home"))
    assert main(["up", *words]) == 2
    said = capsys.readouterr()
    assert told in said.err and (SECRET not in said.err or "gs" in words[1]) and said.out == ""
    assert not (tmp_path / "home").exists()


def test_the_environment_says_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLIPWAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SLIPWAY_BACKEND", "mysql://db/runs")
    assert main(["up"]) == 2
    assert "found 'mysql://…'" in capsys.readouterr().err
    monkeypatch.delenv("SLIPWAY_BACKEND")
    monkeypatch.setenv("SLIPWAY_ARTIFACTS", "gs://models")
    assert main(["up"]) == 2
    assert "found 'gs://models'" in capsys.readouterr().err
