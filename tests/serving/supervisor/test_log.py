import io
import json
import os
from contextlib import suppress
from pathlib import Path

import pytest

from slipway.errors import FileUnusable
from slipway.serving.front.access_log import MOST_FAILED, AccessLog
from slipway.serving.http.messages import Request, Response
from slipway.serving.supervisor.log import Log


def test_the_log_of_the_service_before_is_kept_beside(tmp_path: Path) -> None:
    Log(tmp_path / "logs" / "serve.log").say("first")
    Log(tmp_path / "logs" / "serve.log").say("second")
    assert (tmp_path / "logs" / "serve.log").read_text().endswith("Z second\n")
    assert (tmp_path / "logs" / "serve.log.1").read_text().endswith("Z first\n")


def test_two_services_never_share_a_log_nor_move_it_away(tmp_path: Path) -> None:
    first = Log(tmp_path / "serve.log")
    first.say("first")
    with pytest.raises(FileUnusable, match="is written by another process that runs; name another with --log"):
        Log(tmp_path / "serve.log")
    assert first.path.read_text().endswith("Z first\n")
    assert [path.name for path in tmp_path.iterdir()] == ["serve.log"]
    first.close()
    Log(tmp_path / "serve.log").say("next")


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no /dev/shm on this machine")
def test_what_is_under_dev_is_written_to_and_never_moved(tmp_path: Path) -> None:
    stream = Path(f"/dev/shm/slipway-test-{os.getpid()}")
    stream.write_text("of others\n")
    try:
        Log(stream).say("ours")
        assert stream.read_text().splitlines()[0] == "of others" and stream.read_text().endswith("Z ours\n")
        assert not stream.with_name(f"{stream.name}.1").exists()
    finally:
        stream.unlink()


def test_a_folder_is_no_log_and_stays_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with pytest.raises(FileUnusable, match="it is a folder; name another with --log"):
        Log(tmp_path / "logs")
    (tmp_path / "file").touch()
    with pytest.raises(FileUnusable, match=r"cannot be written: .*; name another with --log"):
        Log(tmp_path / "file" / "serve.log")
    assert [each.name for each in sorted(tmp_path.iterdir())] == ["file", "logs"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this machine")
def test_a_disk_that_is_full_ends_nobody_who_writes_a_log() -> None:
    Log(Path("/dev/full")).say("a process ended; another one takes its place")
    with suppress(OSError), Path("/dev/full").open("w", buffering=1) as full:  # which fails again when it is closed
        access = AccessLog(1.0, full)
        for _ in range(3):
            access.write(Request(b"GET", b"/", {}, b"", ""), Response(503, b""), b"id", "", 0, 0.1)
            access.flush()


def test_answers_that_fail_by_the_thousand_fill_no_disk() -> None:
    stream = io.StringIO()
    access, request = AccessLog(0.0, stream), Request(b"GET", b"/", {}, b"", "")
    for _ in range(2):
        for _ in range(1000):
            if access.wants(503):
                access.write(request, Response(503, b""), b"id", "", 0, 0.1)
        access.flush()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == 2 * (MOST_FAILED + 1)
    assert [line["failed_and_not_listed"] for line in lines if "failed_and_not_listed" in line] == [
        1000 - MOST_FAILED
    ] * 2
    assert not access.wants(200)
