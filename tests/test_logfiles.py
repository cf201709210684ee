"""Logs that several processes would have: each its own, and the earlier ones bounded."""

import os
from pathlib import Path

import pytest

from slipway.errors import FileUnusable
from slipway.logfiles import KEPT, hold, make_room


def written(log: Path, text: str) -> None:
    file = hold(log)
    os.write(file, text.encode())
    os.close(file)


def test_a_crash_loop_keeps_a_bounded_number_of_earlier_logs(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "serve-m-Production-5001.log"
    for number in range(KEPT + 3):
        written(log, f"start {number}")
    found = {path.name.removeprefix(log.name): path.read_text() for path in log.parent.iterdir()}
    assert found == {
        "": f"start {KEPT + 2}",
        **{f".{back}": f"start {KEPT + 2 - back}" for back in range(1, KEPT + 1)},
    }


def test_a_log_that_somebody_writes_is_not_moved_away(tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    file = hold(log)
    os.write(file, b"mine")
    with pytest.raises(
        FileUnusable, match=r"serve\.log is written by another process that runs; name another with --log"
    ):
        hold(log)
    assert [path.name for path in tmp_path.iterdir()] == ["serve.log"] and log.read_text() == "mine"
    os.close(file)
    written(log, "next")
    assert (tmp_path / "serve.log.1").read_text() == "mine"


def test_an_empty_log_is_not_kept_as_an_earlier_one(tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    for _ in range(2):
        written(log, "")
    assert [path.name for path in tmp_path.iterdir()] == ["serve.log"]


def test_logs_of_services_that_had_other_ports_are_bounded_too(tmp_path: Path) -> None:
    stem = "serve-m-Production"
    for port in range(6000, 6000 + KEPT + 3):
        written(tmp_path / f"{stem}-{port}.log", "x")
        written(tmp_path / f"{stem}-{port}.log", "y")
        os.utime(tmp_path / f"{stem}-{port}.log", (port, port))
    for name in (f"{stem}-m2-6000.log", f"{stem}.log", "serve-m-Staging-6000.log"):
        written(tmp_path / name, "of others")
    running = hold(tmp_path / f"{stem}-6001.log")
    make_room(tmp_path / f"{stem}-{6000 + KEPT + 2}.log")
    os.close(running)
    left = sorted(path.name for path in tmp_path.glob(f"{stem}-6*.log"))
    # 6000 and nothing else is too old: 6001 is in use, five others are kept beside the one that is begun.
    assert left == [f"{stem}-{port}.log" for port in range(6001, 6000 + KEPT + 3)]
    assert not list(tmp_path.glob(f"{stem}-6000.log*"))
    assert len(list(tmp_path.glob("*-m2-*"))) == len(list(tmp_path.glob("*Staging*"))) == 1
