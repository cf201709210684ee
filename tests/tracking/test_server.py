"""Real servers; each takes seconds to start, so one serves as many questions as it can."""

import http.client
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from slipway.errors import FileUnusable, NoServer, ServiceFailed, UsageError
from slipway.processes import child_environment, free_port, is_alive
from slipway.settings import Settings
from slipway.tracking.address import HOST, remember_port, remembered_port
from slipway.tracking.record import Server, write_record
from slipway.tracking.server import find_server, home_at_rest, start_server, stop_server, was_stopped
from slipway.workflows.session import resolve_tracking_uri

UP_TO_S = 180.0  # a busy machine takes a minute


@pytest.fixture
def home(tmp_path: Path, migrated_database: Path) -> Iterator[Path]:
    """A home whose name would break a URI, with a database that is ready."""
    folder = tmp_path / "my home #1?"
    folder.mkdir()
    shutil.copy(migrated_database, folder / "mlflow.db")
    yield folder
    stop_server(folder)


def status(server: Server, path: str, headers: dict[str, str] | None = None, body: str | None = None) -> int:
    address = urlsplit(server.uri)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)
    try:
        connection.request(
            "POST" if body else "GET", path, body, {"Content-Type": "application/json"} | (headers or {})
        )
        return connection.getresponse().status
    finally:
        connection.close()


def eventually_dead(server: Server) -> bool:
    deadline = time.monotonic() + 120
    while is_alive(server.process) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not is_alive(server.process)


def listeners(server: Server) -> list[int]:
    port = urlsplit(server.uri).port
    found = []
    for process in psutil.process_iter():
        try:
            found += [
                process.pid
                for held in process.net_connections("tcp")
                if held.laddr.port == port and held.status == "LISTEN"
            ]
        except psutil.Error:
            continue
    return found


def test_a_home_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with home_at_rest(tmp_path / "above" / "home"):
        assert stat.S_IMODE((tmp_path / "above" / "home").stat().st_mode) == 0o700


@pytest.mark.slow
def test_the_port_that_the_home_had_is_passed_over_when_taken_and_two_starts_share_one_server_which_is_found_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("MLFLOW_GUNICORN_OPTS", "--reload"), ("MLFLOW_SERVER_ALLOWED_HOSTS", "elsewhere.example")):
        monkeypatch.setenv(name, value)  # what the surroundings say must not reach the server
    wanted = free_port(HOST, 0)
    command = [sys.executable, "-m", "http.server", str(wanted), "--bind", HOST, "--directory", str(home.parent)]
    found: list[Server] = []
    remember_port(home, wanted)

    def start() -> None:
        found.append(start_server(home, tied=False, timeout_s=UP_TO_S))

    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as holder:
        while free_port(HOST, wanted) == wanted:
            time.sleep(0.05)
        threads = [threading.Thread(target=start) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        holder.kill()
    assert len({(server.pid, server.uri) for server in found}) == 1
    assert sorted(server.adopted for server in found) == [False, True]
    assert (urlsplit(found[0].uri).port or 0) > wanted
    assert {server.instead_of for server in found} == {None, wanted}  # whoever started it says so
    assert remembered_port(home) == urlsplit(found[0].uri).port

    server = next(each for each in found if not each.adopted)
    server = replace(server, instead_of=None)
    assert find_server(home) == server
    assert resolve_tracking_uri(Settings(project=home.parent, home=home)) == server.uri
    assert stat.S_IMODE((home / "mlflow.db").stat().st_mode) == 0o600  # it was readable by all

    # The MLflow client, and a browser that came by either name.
    search, api, port = '{"max_results": 1}', "/ajax-api/2.0/mlflow/experiments/search", urlsplit(server.uri).port
    assert status(server, "/api/2.0/mlflow/experiments/search", body=search) == 200
    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        assert status(server, "/", {"Host": host}) == 200
        assert status(server, api, {"Host": host, "Origin": f"http://{host}"}, search) == 200
    assert status(server, api, {"Origin": "http://elsewhere.example"}, search) == 403

    # A copy of the home has the record of the original's server, which is none of the copy's business.
    copy = home.with_name("copy")
    shutil.copytree(home, copy)
    assert find_server(copy) is None
    assert stop_server(copy) is None
    shutil.copy(home / "server.json", copy)
    with home_at_rest(copy):
        pass
    shutil.copy(home / "server.json", copy)
    own = start_server(copy, timeout_s=UP_TO_S)
    assert (own.adopted, own.instead_of) == (False, urlsplit(server.uri).port)
    assert own.uri != server.uri
    assert stop_server(copy) == replace(own, instead_of=None)
    assert find_server(home) == server

    # Where the home itself is moved while its server runs, the server stays the home's.
    moved = home.rename(home.with_name("moved"))
    assert not was_stopped(home, server)
    assert not home.exists()
    assert find_server(moved) == server
    assert start_server(moved).adopted
    assert status(server, "/api/2.0/mlflow/experiments/search", body=search) == 200
    moved.rename(home)

    # What one that was killed leaves is cleared away.
    os.kill(server.pid, signal.SIGKILL)
    assert eventually_dead(server)
    assert listeners(server)  # its worker lives on and holds the port and the database
    assert find_server(home) is None
    assert listeners(server) == []
    assert not (home / "server.json").exists()


@pytest.mark.slow
def test_other_machines_reach_it_by_its_names_where_they_have_to_say_who_they_are(home: Path) -> None:
    with pytest.raises(UsageError, match="add --auth"):
        start_server(home, host="0.0.0.0")
    proxy = "https://slipway.example"
    server = start_server(home, host="0.0.0.0", port=0, auth=True, origins=[proxy], timeout_s=UP_TO_S)
    port, search, api = urlsplit(server.uri).port, '{"max_results": 1}', "/ajax-api/2.0/mlflow/experiments/search"
    name = f"{socket.gethostname()}:{port}"
    assert status(server, api, {"Host": name, "Origin": f"http://{name}"}, search) == 401
    assert status(server, api, {"Host": "elsewhere.example", "Origin": "http://elsewhere.example"}, search) == 403
    for host in ("slipway.example", f"127.0.0.1:{port}"):  # a proxy passes the name on, or it does not
        assert status(server, api, {"Host": host, "Origin": proxy}, search) == 401
        assert status(server, api, {"Host": host, "Origin": "https://elsewhere.example"}, search) == 403
    assert remembered_port(home) is None  # it was to be any
    found = find_server(home)
    assert found and found.host == "0.0.0.0" and found.origins == (proxy,)
    assert start_server(home, origins=[proxy]).adopted
    with pytest.raises(UsageError, match=r"is up without http://box:3000; `slipway down` first"):
        start_server(home, origins=[proxy, "http://box:3000"])
    with pytest.raises(UsageError, match=r"is up on 0\.0\.0\.0; `slipway down` first"):
        start_server(home, host=HOST)


@pytest.mark.slow
def test_kill_9_of_up_ends_its_server_unless_it_was_detached_and_that_one_is_stopped(home: Path) -> None:
    env = child_environment({"SLIPWAY_HOME": str(home)}, without=("MLFLOW_", "SLIPWAY_"))
    wanted = free_port(HOST, 0)
    command = [sys.executable, "-m", "slipway", "up", "--json"]
    with subprocess.Popen([*command, "--port", str(wanted)], env=env, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        assert up.stdout.readline() == "{\n"  # printed when the server answers
        up.kill()
    left = json.loads((home / "server.json").read_text())
    assert left["uri"] == f"http://127.0.0.1:{wanted}"
    assert eventually_dead(Server(left["uri"], left["pid"], left["started"]))

    done = subprocess.run([*command, "--detach"], env=env, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    assert not said["adopted"]
    assert said["uri"] == f"http://{HOST}:{wanted}"  # where it was before
    assert (found := find_server(home)) is not None
    assert (found.uri, found.pid) == (said["uri"], said["pid"])
    adopted = subprocess.run(
        [sys.executable, "-m", "slipway", "up"], env=env, capture_output=True, text=True, check=True
    )
    assert f"was already up at {found.uri}" in adopted.stdout
    assert f"export MLFLOW_TRACKING_URI={found.uri}" in adopted.stdout

    assert stop_server(home) == found
    assert not is_alive(found.process)
    assert listeners(found) == []
    assert find_server(home) is None
    assert stop_server(home) is None


@pytest.mark.slow
def test_a_server_that_does_not_come_up_says_why_and_leaves_nothing(home: Path) -> None:
    (home / "mlflow.db").write_text("this is no database, whatever its name says" * 100)
    with pytest.raises(ServiceFailed, match=r"the tracking server ended before it was ready(?s:.*)not a database"):
        start_server(home, port=0, timeout_s=UP_TO_S)
    assert not (home / "server.json").exists()


@pytest.mark.parametrize(
    "record", ["", "{", "[]", '{"uri": "http://127.0.0.1:1"}', '{"uri": 1, "pid": "x", "started": 0}']
)
def test_a_record_that_makes_no_sense_is_no_server(tmp_path: Path, record: str) -> None:
    (tmp_path / "server.json").write_text(record)
    assert find_server(tmp_path) is None
    assert stop_server(tmp_path) is None


def test_a_record_whose_pid_is_a_stranger_s_is_removed_and_the_stranger_left_alone(tmp_path: Path) -> None:
    write_record(tmp_path, Server("http://127.0.0.1:1", os.getpid(), 1.0), ready=True)
    assert find_server(tmp_path) is None
    assert not (tmp_path / "server.json").exists()


def test_a_home_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    assert find_server(tmp_path / "home") is None
    assert stop_server(tmp_path / "home") is None
    assert not (tmp_path / "home").exists()


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileUnusable, match=r"file/home cannot be written.*SLIPWAY_HOME"):
        start_server(tmp_path / "file" / "home")


def test_without_any_server_the_error_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(NoServer, match="slipway up"):
        resolve_tracking_uri(Settings(project=tmp_path, home=tmp_path))


def test_a_server_that_was_asked_for_wins(tmp_path: Path) -> None:
    settings = Settings(project=tmp_path, home=tmp_path, tracking_uri="http://mlflow.example")
    assert resolve_tracking_uri(settings) == "http://mlflow.example"
