"""The processes behind an endpoint, one at a time, where something does not go as it should."""

import gc
import os
import queue
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from slipway.errors import ServiceFailed
from slipway.processes import child_environment
from slipway.serving.back.process import _ReceivedRequest
from slipway.serving.ipc import frames
from slipway.serving.ipc.frames import Frames, ModelRequest, ModelResponse
from slipway.serving.supervisor import fork_server
from slipway.serving.supervisor.child import ProcessEnded
from slipway.serving.supervisor.fork_server import ForkServer

pytestmark = pytest.mark.slow  # the file, more than each of its tests

FULL = Path("/dev/full")


def test_half_an_answer_is_the_last_thing_on_its_connection() -> None:
    """Whatever came behind it would be read as its other half, and answer somebody else's question."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, (0).to_bytes(8, "little") + (100_000).to_bytes(8, "little"))
    answers = [ModelResponse(number, 200, "application/json", bytes([number]) * 400_000) for number in range(4)]
    for answer in answers:  # nobody reads, until the buffers are full
        _ReceivedRequest(ModelRequest(answer.id, 0.0, "", b""), ours).answer(answer)
    cutter, found = Frames(), list[ModelResponse]()
    theirs.settimeout(0.5)
    while data := theirs.recv(1 << 16):
        found += map(frames.answer, cutter.feed(data))
    assert found == answers[: len(found)]
    ours.close()
    theirs.close()


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "sockets"
    folder.mkdir()
    (folder / "1.0").touch()
    yield folder


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this machine")
def test_a_forked_process_that_fails_while_the_disk_is_full_takes_nothing_with_it(sockets: Path) -> None:
    started = ForkServer(child_environment({}), FULL, sockets)
    try:
        said: queue.Queue[Any] = queue.Queue()
        child = started.start("json:loads")  # it is called without a text
        child.listen(said.put)
        assert isinstance(said.get(timeout=20), ProcessEnded)
        time.sleep(0.2)
        assert started.alive
        assert (sockets / "1.0").exists()
    finally:
        started.stop()


def test_what_cannot_be_forked_is_said_and_the_fork_server_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more() -> int:
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", no_more)
    monkeypatch.setattr(sys, "stderr", None)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert fork_server._forked(["json"], b"x", [], ours) == -1
    gc.unfreeze()


HELD = """
import os, time
from pathlib import Path
here = Path(__file__).parent
(here / "importing").touch()
while not (here / "go").exists():
    time.sleep(0.02)

def stay(control):
    (here / f"stays-{os.getpid()}").touch()
    control.recv_bytes()
"""


@pytest.fixture
def importing(tmp_path: Path, sockets: Path) -> Iterator[tuple[ForkServer, Path]]:
    """A fork server that imports the module `held` until the file `go` is there, and the folder of that."""
    (tmp_path / "held.py").write_text(HELD)
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    started = ForkServer(child_environment({"PYTHONPATH": path}), tmp_path / "log", sockets)
    yield started, tmp_path
    (tmp_path / "go").touch()
    started.stop()


def test_killing_what_is_not_forked_yet_waits_for_nothing(importing: tuple[ForkServer, Path]) -> None:
    """The supervisor has one thread: it must not stand still while the fork server imports."""
    started, folder = importing
    said: queue.Queue[Any] = queue.Queue()
    child = started.start("held:stay")
    child.listen(said.put)
    killing = threading.Thread(target=child.kill, daemon=True)
    killing.start()
    killing.join(10)
    assert not killing.is_alive()
    (folder / "go").touch()
    assert isinstance(said.get(timeout=60), ProcessEnded)


def test_signals_that_are_meant_for_the_supervisor_end_no_process_of_its(importing: tuple[ForkServer, Path]) -> None:
    """As systemd, which sends SIGTERM to all processes of a service at once."""
    started, folder = importing
    (folder / "go").touch()
    said: queue.Queue[Any] = queue.Queue()
    child = started.start("held:stay")
    child.listen(said.put)
    assert eventually(lambda: list(folder.glob("stays-*")))
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        os.kill(child.pid, number)
        os.kill(started.pid, number)
    another = started.start("held:stay")
    assert eventually(lambda: len(list(folder.glob("stays-*"))) == 2)
    assert started.alive and said.empty()
    for each in (child, another):
        each.kill()


@pytest.mark.parametrize("outlives", [True, False])
def test_what_outlives_the_fork_server_is_started_even_if_that_ends_before(
    importing: tuple[ForkServer, Path], outlives: bool
) -> None:
    """As a service that is stopped right after its start: its writer has not been forked yet."""
    started, folder = importing
    child = started.start("held:stay", outlives=outlives)
    assert eventually((folder / "importing").exists)
    started.stop()
    (folder / "go").touch()
    assert eventually(lambda: not started.alive)
    if outlives:
        assert eventually(lambda: list(folder.glob("stays-*")))
    assert bool(list(folder.glob("stays-*"))) is outlives
    child.listen(lambda _: None)
    child.tell("end")


def test_orders_to_a_fork_server_that_is_being_killed_fail_and_the_supervisor_goes_on(
    tmp_path: Path, sockets: Path
) -> None:
    """Its processes end with it, and the supervisor orders others before it sees that the fork server is gone."""
    started = ForkServer(child_environment({}), tmp_path / "log", sockets)
    try:
        started.preload("json").result(60)
        os.kill(started.pid, signal.SIGKILL)
        ordered = [started.preload("json") for _ in range(10_000)]
        assert isinstance(ordered[-1].exception(60), ServiceFailed)
        for order in ordered:
            order.exception(60)  # none is left without an answer
    finally:
        started.stop()


def eventually(truth: Callable[[], object], within_s: float = 60.0) -> bool:
    deadline = time.monotonic() + within_s
    while not truth():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
