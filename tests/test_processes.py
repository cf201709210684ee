import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from slipway.errors import FileUnusable, ServiceFailed, UsageError
from slipway.logfiles import hold
from slipway.processes import (
    Process,
    child_environment,
    free_port,
    is_alive,
    local_url,
    log_tail,
    start_process,
    stop_process,
    wait_for_end,
    wait_until_ready,
)

HOST = "127.0.0.1"
SLEEP = "import time; time.sleep(600)"
# Starts a child in a session of its own, which is out of reach of a signal to the process group, and prints its pid.
WITH_CHILD = f"""
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", {SLEEP!r}], start_new_session=True).pid, flush=True)
time.sleep(600)
"""
SAME_GROUP = WITH_CHILD.replace(", start_new_session=True", "")
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {SLEEP}"
STARTER = """
import sys, time
from pathlib import Path
from slipway.processes import child_environment, start_process
process = start_process([sys.executable, "-c", sys.argv[1]], log=Path(sys.argv[2]), env=child_environment({}),
                        tied=sys.argv[3] == "tied")
print(process.pid, process.started, flush=True)
time.sleep(600)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def starter(*arguments: str) -> Process:
        command = [sys.executable, *arguments]
        started.append(start_process(command, log=tmp_path / "child.log", env=child_environment({}), cwd=tmp_path))
        return started[-1]

    yield starter
    for process in started:
        stop_process(process)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        holder.listen()
        yield holder.getsockname()[1]


def eventually(truth: Callable[[], object], within_s: float = 20.0) -> bool:
    deadline = time.monotonic() + within_s
    while not truth():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def printed_pid(log: Path) -> int:
    assert eventually(lambda: log.exists() and log.read_text().endswith("\n"))
    return int(log.read_text())


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_free_port_is_given_as_wanted() -> None:
    port = free_port(HOST, 0)
    assert free_port(HOST, port) == port


def test_the_next_free_port_is_given_for_a_taken_one(taken: int) -> None:
    assert taken < free_port(HOST, taken) <= taken + 100


def test_a_taken_port_that_may_not_move_is_named(taken: int) -> None:
    with pytest.raises(ServiceFailed, match=f"port {taken} is taken"):
        free_port(HOST, taken, span=1)


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid"])
def test_a_host_that_is_not_this_machine_is_wrong_usage(host: str) -> None:
    with pytest.raises(UsageError, match="not an address of this machine"):
        free_port(host, 0)


def test_a_child_gets_no_variable_that_starts_with_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_GUNICORN_OPTS", "--reload")
    assert "MLFLOW_GUNICORN_OPTS" in child_environment({})
    assert "MLFLOW_GUNICORN_OPTS" not in child_environment({}, without=("MLFLOW_",))


def test_a_child_reports_to_nobody_and_asks_no_proxy_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "intranet")
    env = child_environment({"MINE": "1"}, without=("MLFLOW_",))
    assert (env["MLFLOW_DISABLE_TELEMETRY"], env["MINE"]) == ("true", "1")
    assert env["NO_PROXY"] == "intranet,127.0.0.1,localhost,::1"
    assert env["PATH"].startswith(str(Path(sys.executable).parent))


def test_a_server_is_ready_when_it_answers(start: Callable[..., Process], tmp_path: Path) -> None:
    port = free_port(HOST, 0)
    process = start("-m", "http.server", str(port), "--bind", HOST)
    wait_until_ready(process, local_url(HOST, port) + "/", name="it", log=tmp_path / "child.log", timeout_s=30)
    assert is_alive(process)


@pytest.mark.slow
def test_a_stranger_that_answers_on_the_port_is_not_taken_for_the_process(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    port = free_port(HOST, 0)
    stranger = start("-m", "http.server", str(port), "--bind", HOST)
    url = local_url(HOST, port) + "/"
    wait_until_ready(stranger, url, name="the stranger", log=tmp_path / "child.log", timeout_s=30)
    with pytest.raises(ServiceFailed, match=r"mine did not answer at .* within 1 s"):
        wait_until_ready(start("-c", SLEEP), url, name="mine", log=tmp_path / "child.log", timeout_s=1)


def test_a_process_that_ends_early_is_reported_with_the_end_of_its_log(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    process = start("-c", "raise SystemExit('no such table: runs')")
    with pytest.raises(ServiceFailed, match=r"it ended before it was ready(?s:.*)no such table: runs"):
        wait_until_ready(process, "http://127.0.0.1:1/", name="it", log=tmp_path / "child.log", timeout_s=30)


def test_a_process_that_ends_on_a_full_disk_is_reported_as_that(start: Callable[..., Process], tmp_path: Path) -> None:
    process = start("-c", "raise SystemExit('sqlite3.OperationalError: database or disk is full')")
    with pytest.raises(FileUnusable, match="is full; free some space"):
        wait_until_ready(process, "http://127.0.0.1:1/", name="it", log=tmp_path / "child.log", timeout_s=30)


def test_stopping_takes_children_in_other_sessions_along(start: Callable[..., Process], tmp_path: Path) -> None:
    process = start("-c", WITH_CHILD)
    child = printed_pid(tmp_path / "child.log")
    stop_process(process)
    assert not is_alive(process)
    assert gone(child)


def test_a_process_that_ignores_sigterm_is_killed(start: Callable[..., Process], tmp_path: Path) -> None:
    process = start("-c", DEAF)
    assert eventually(lambda: "deaf" in log_tail(tmp_path / "child.log"))
    stop_process(process, grace_s=0.5)
    assert not is_alive(process)


def test_what_outlives_a_killed_leader_is_stopped(start: Callable[..., Process], tmp_path: Path) -> None:
    process = start("-c", SAME_GROUP)
    child = printed_pid(tmp_path / "child.log")
    os.kill(process.pid, signal.SIGKILL)
    wait_for_end(process)
    assert not is_alive(process)
    assert not gone(child)
    stop_process(process)
    assert gone(child)


def test_a_group_of_the_same_number_that_works_elsewhere_is_a_stranger_s(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    process = start("-c", SAME_GROUP)
    child = printed_pid(tmp_path / "child.log")
    os.kill(process.pid, signal.SIGKILL)
    wait_for_end(process)
    stop_process(process, grace_s=0.2, at=Path.cwd())
    assert not gone(child)
    stop_process(process, at=tmp_path)
    assert gone(child)


def test_stopping_twice_is_no_error(start: Callable[..., Process]) -> None:
    process = start("-c", SLEEP)
    stop_process(process)
    stop_process(process)


def test_a_stranger_with_the_same_pid_is_left_alone(start: Callable[..., Process]) -> None:
    stranger = start("-c", SLEEP)
    mistaken = Process(stranger.pid, stranger.started - 60)
    assert not is_alive(mistaken)
    stop_process(mistaken, grace_s=0.2)
    assert is_alive(stranger)


@pytest.mark.parametrize(("tie", "survives"), [("tied", False), ("detached", True)])
@pytest.mark.slow
def test_kill_9_of_the_parent_ends_a_tied_child_only(tmp_path: Path, tie: str, survives: bool) -> None:
    command = [sys.executable, "-c", STARTER, SLEEP, str(tmp_path / "child.log"), tie]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, started = parent.stdout.readline().split()
        parent.kill()
    child = Process(int(pid), float(started))
    try:
        assert eventually(lambda: not is_alive(child), within_s=2.0) is not survives
    finally:
        stop_process(child)


def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceFailed, match="no-such-program cannot be started"):
        start_process(["no-such-program"], log=tmp_path / "log", env={})


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileUnusable, match=r"the log .* cannot be written"):
        start_process([sys.executable], log=tmp_path / "file" / "log", env={})


def test_some_logs_before_are_kept(start: Callable[..., Process], tmp_path: Path) -> None:
    for number in range(3):
        wait_for_end(start("-c", f"print({number})"))
    assert [log_tail(tmp_path / f"child.log{earlier}") for earlier in (".2", ".1", "")] == ["  0", "  1", "  2"]


def test_a_log_is_in_use_for_as_long_as_its_process_lives(start: Callable[..., Process], tmp_path: Path) -> None:
    process = start("-c", SLEEP)
    with pytest.raises(FileUnusable, match="is written by another process that runs"):
        hold(tmp_path / "child.log")
    stop_process(process)
    os.close(hold(tmp_path / "child.log"))


@pytest.mark.parametrize(("host", "url"), [("0.0.0.0", "http://127.0.0.1:1"), ("::1", "http://[::1]:1")])
def test_a_url_is_one_that_this_machine_reaches(host: str, url: str) -> None:
    assert local_url(host, 1) == url
