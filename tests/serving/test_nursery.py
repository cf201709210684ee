"""The processes behind an endpoint, one at a time, where something does not go as it should."""

import gc
import os
import queue
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slipway.processes import child_environment
from slipway.serving import nursery, wire
from slipway.serving.back import _Asked
from slipway.serving.child import Gone
from slipway.serving.nursery import Nursery

FULL = Path("/dev/full")


def test_half_an_answer_is_the_last_thing_on_its_connection() -> None:
    """Whatever came behind it would be read as its other half, and answer somebody else's question."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, (0).to_bytes(8, "little") + (100_000).to_bytes(8, "little"))
    answers = [wire.Answer(number, 200, "application/json", bytes([number]) * 400_000) for number in range(4)]
    for answer in answers:  # nobody reads, until the buffers are full
        _Asked(wire.Ask(answer.id, 0.0, "", b""), ours).answered(answer)
    frames, found = wire.Frames(), list[wire.Answer]()
    theirs.settimeout(0.5)
    while data := theirs.recv(1 << 16):
        found += map(wire.answer, frames.feed(data))
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
def test_a_child_that_fails_while_the_disk_is_full_takes_nothing_with_it(sockets: Path) -> None:
    started = Nursery(child_environment({}), FULL, sockets)
    try:
        said: queue.Queue[Any] = queue.Queue()
        child = started.start("json:loads")  # it is called without a text
        child.listen(said.put)
        assert isinstance(said.get(timeout=20), Gone)
        time.sleep(0.2)
        assert started.alive
        assert (sockets / "1.0").exists()
    finally:
        started.stop()


def test_what_cannot_be_forked_is_said_and_the_nursery_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more() -> int:
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", no_more)
    monkeypatch.setattr(sys, "stderr", None)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert nursery._born(["json"], b"x", [], ours) == -1
    gc.unfreeze()
