"""The end of a capture: real writers, held up, killed, stopped and out of disk, and a ring that the test puts records into."""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from slipway.capture.reading import read
from slipway.capture.segments import LABELS as LABEL_SEGMENTS
from slipway.capture.segments import files_of, folder_of
from slipway.capture.writer import CaptureLimits
from slipway.processes import child_environment
from slipway.serving.config import Capture
from slipway.serving.supervisor.capture_writer import CaptureWriter
from slipway.serving.supervisor.fork_server import ForkServer
from slipway.serving.supervisor.log import Log
from slipway.serving.supervisor.mailbox import Mailbox
from slipway.sharedmem import ANSWERED, LABELS, AnsweringVersion, packed
from slipway.workflows.endpoint.capture import PRELOAD, WRITER

pytestmark = pytest.mark.slow

ABOUT = AnsweringVersion("m", 3, "Production", (("a", "double"),), "double", None).encoded()
JSON = b"application/json"
HELD_UP_S = 2.5
"""Longer than a writer was once given at the end."""
HELD = """
import os, time
from pathlib import Path
while not (Path(__file__).parent / "go").exists():
    time.sleep(0.02)

def broken(**given):
    raise RuntimeError("a writer that cannot start")
"""


class Kept:
    """A CaptureWriter as the supervisor has it, without any front."""

    def __init__(self, base: Path, writer: str = WRITER, preload: tuple[str, ...] = PRELOAD, **more: Any):
        (base / "held.py").write_text(HELD)
        (base / "sockets").mkdir(exist_ok=True)
        env = {"PYTHONPATH": os.pathsep.join(filter(None, [str(base), os.environ.get("PYTHONPATH")]))}
        self.log, self.folder = base / f"{len(list(base.iterdir()))}.log", more.pop("folder", base / "capture")
        log = Log(self.log)
        self.fork_server = ForkServer(child_environment(env), self.log, base / "sockets")
        self.mailbox, self.ended = Mailbox(), threading.Event()
        limits = CaptureLimits(segment_s=more.pop("segment_s", 600.0), last_s=more.pop("last_s", 600.0))
        capture = Capture(1.0, writer, self.folder, {"limits": limits}, preload, **more)
        self.recorder = CaptureWriter(capture, ["m"], 1, self.mailbox, log, self.fork_server.start)
        assert self.recorder.feed
        self.ring = self.recorder.feed.ring
        self._producer, self._ids = self.ring.producer(0), 0
        self._stopped = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.mailbox.post(self.recorder.start)

    def _run(self) -> None:
        while not self._stopped:
            self.mailbox.next()

    def answer(self, requests: int, labels: int = 0) -> None:
        for _ in range(requests):
            self._ids += 1
            body, answer = b'{"inputs": {"a": [%d]}}' % self._ids, b'{"predictions": [1.0]}'
            assert self._producer.put(packed(ANSWERED, time.time(), ABOUT, b"id-%d" % self._ids, JSON, body, answer))
        for number in range(labels):
            label = json.dumps([[f"id-{number + 1}", 0, 1.0]]).encode()
            assert self._producer.put(packed(LABELS, time.time(), ABOUT, b"", b"", label))

    def writing(self) -> int:
        """Wait until a writer is at work, and return its pid."""
        wait_for(lambda: self.recorder.pid and self.ring.silent_s < 0.5)
        return self.recorder.pid or 0

    def end(self) -> None:
        """As a supervisor whose fronts have ended."""
        self.mailbox.post(self.recorder.end, self.ended.set)

    def requests(self) -> int:
        return len(read(self.folder, "m"))

    def labels(self) -> int:
        return sum(1 for _ in read(self.folder, "m")["slipway_label"].dropna())

    def stop(self) -> None:
        self.mailbox.post(self.recorder.close)
        self.mailbox.post(setattr, self, "_stopped", True)
        self._thread.join()
        self.fork_server.stop()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Kept]]:
    started: list[Kept] = []

    def starter(**more: Any) -> Kept:
        started.append(Kept(tmp_path, **more))
        return started[-1]

    yield starter
    (tmp_path / "go").touch()
    for each in started:
        each.stop()


def wait_for(truth: Callable[[], object], within_s: float = 120.0) -> None:
    deadline = time.monotonic() + within_s
    while not truth():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_end_right_after_the_start_waits_for_the_writer_to_be_there(
    start: Callable[..., Kept], tmp_path: Path
) -> None:
    kept = start(preload=("held", *PRELOAD))
    kept.answer(5, labels=2)
    kept.end()
    assert not kept.ended.wait(HELD_UP_S)
    (tmp_path / "go").touch()
    assert kept.ended.wait(120)
    assert (kept.requests(), kept.labels()) == (5, 2)


def test_the_service_ends_by_itself_before_its_writer_is_there(start: Callable[..., Kept], tmp_path: Path) -> None:
    """As when it is killed: nobody waits, and the writer outlives it."""
    kept = start(preload=("held", *PRELOAD))
    kept.answer(5)
    wait_for(lambda: kept.recorder._child)
    kept.stop()
    (tmp_path / "go").touch()
    wait_for(lambda: kept.requests() == 5)


def test_a_writer_that_is_held_up_is_waited_for(start: Callable[..., Kept]) -> None:
    kept = start()
    writer = kept.writing()
    os.kill(writer, signal.SIGSTOP)
    kept.answer(5000, labels=2500)
    kept.end()
    assert not kept.ended.wait(HELD_UP_S)
    os.kill(writer, signal.SIGCONT)
    assert kept.ended.wait(120)
    assert (kept.requests(), kept.labels()) == (5000, 2500)


@pytest.mark.parametrize("heard", [True, False])
def test_another_writer_takes_the_place_of_one_that_was_killed_just_before_the_end(
    start: Callable[..., Kept], heard: bool
) -> None:
    kept = start()
    writer = kept.writing()
    kept.answer(50, labels=20)
    os.kill(writer, signal.SIGKILL)
    if heard:
        wait_for(lambda: kept.recorder._child is None)
    kept.end()
    assert kept.ended.wait(120)
    assert (kept.requests(), kept.labels()) == (50, 20)


def test_what_a_hanging_writer_does_not_write_is_left_for_the_next_service(start: Callable[..., Kept]) -> None:
    kept = start(hung_s=2.0)
    writer = kept.writing()
    os.kill(writer, signal.SIGSTOP)
    kept.answer(50, labels=20)
    kept.end()
    assert kept.ended.wait(120)
    (left,) = kept.folder.glob("*.left")
    assert left.stat().st_mode & 0o777 == 0o600
    assert f"50 requests and 20 labels of m are left in {left}; the next service" in kept.log.read_text()
    again = start()
    wait_for(lambda: again.ring.silent_s < 0.5 and not left.exists())
    assert (again.requests(), again.labels()) == (50, 20)
    assert [path.name[7:10] for path in files_of(folder_of(kept.folder, "m"), LABEL_SEGMENTS)] == ["v3-"]


def test_what_no_writer_can_be_started_for_is_left_for_the_next_service(
    start: Callable[..., Kept], tmp_path: Path
) -> None:
    (tmp_path / "go").touch()
    kept = start(writer="held:broken", preload=())
    kept.answer(3)
    kept.end()
    assert kept.ended.wait(120)
    assert "3 requests of m are left in" in kept.log.read_text()
    again = start()
    again.answer(1)
    again.end()
    assert again.ended.wait(120)
    assert again.requests() == 4
    assert not list(kept.folder.glob("*.left"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    try:
        command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk can be mounted here to be filled: that takes root")
    with (folder / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_has_room_again_in_time_gets_it_all(start: Callable[..., Kept], small_disk: Path) -> None:
    kept = start(folder=small_disk / "capture")
    kept.answer(20, labels=10)
    kept.writing()
    kept.end()
    wait_for(lambda: "it is tried again for 600 s" in kept.log.read_text())
    assert not kept.ended.is_set()
    (small_disk / "filler").unlink()
    assert kept.ended.wait(120)
    assert (kept.requests(), kept.labels()) == (20, 10)


def test_what_a_full_disk_takes_from_the_end_is_counted_and_logged(
    start: Callable[..., Kept], small_disk: Path
) -> None:
    kept = start(folder=small_disk / "capture", last_s=0.5)
    kept.answer(20, labels=10)
    kept.writing()
    kept.end()
    assert kept.ended.wait(120)
    assert "20 requests and 10 labels of m are lost: nothing can be written to" in kept.log.read_text()
    assert not list(small_disk.rglob("*.left*"))
