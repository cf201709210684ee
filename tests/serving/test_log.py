import os
from pathlib import Path

import pytest

from slipway.serving.log import Log


def test_the_log_of_the_service_before_is_kept_beside(tmp_path: Path) -> None:
    Log(tmp_path / "logs" / "serve.log").say("first")
    Log(tmp_path / "logs" / "serve.log").say("second")
    assert (tmp_path / "logs" / "serve.log").read_text().endswith("Z second\n")
    assert (tmp_path / "logs" / "serve.log.1").read_text().endswith("Z first\n")


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
