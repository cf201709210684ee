import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.files import is_partial, locked_file, sweep, sweep_dead, whole_file, whole_locked_file


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_takes_the_place_of_the_old_one_when_all_went_well_and_not_before(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("old")
    with whole_file(file, synced=True) as draft:
        draft.write_text("new")
        assert file.read_text() == "old" and is_partial(draft.name) and not is_partial(file.name)
    assert file.read_text() == "new" and list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("private", [False, True])
def test_nothing_is_left_of_what_failed_and_the_old_file_stays(tmp_path: Path, private: bool) -> None:
    file = tmp_path / "page.html"
    file.write_text("old")
    with pytest.raises(KeyboardInterrupt), whole_file(file, private=private) as draft:
        draft.write_text("half")
        raise KeyboardInterrupt
    assert file.read_text() == "old" and list(tmp_path.iterdir()) == [file]
    with pytest.raises(FileNotFoundError), whole_file(file) as draft:  # nothing was written at all
        pass
    assert file.read_text() == "old"


def test_a_private_file_was_never_open_to_others(tmp_path: Path) -> None:
    file = tmp_path / "auth.ini"
    (tmp_path / f".auth.ini.{os.getpid()}.partial").touch(0o644)  # of a killed process of the same number
    with whole_file(file, private=True) as draft:
        assert mode(draft) == 0o600
        draft.write_text("secret")
    assert mode(file) == 0o600
    with whole_file(tmp_path / "page.html") as draft:
        draft.write_text("anybody's")
    mask = os.umask(0)
    os.umask(mask)
    assert mode(tmp_path / "page.html") == 0o666 & ~mask


def test_what_a_dead_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    day = tmp_path / "requests" / "2026-01-02"
    day.mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        left = day / f".segment.parquet.{process.pid}.partial"
        left.touch()
        sweep_dead(tmp_path, "*/*")
        assert left.exists()
        process.kill()
    sweep_dead(tmp_path, "*/*")
    assert not left.exists()


def test_a_locked_file_is_swept_once_nobody_writes_it_wherever_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "home.backup"
    (tmp_path / ".home.backup.killed.partial").touch()
    with locked_file(file) as (path, stream):
        sweep(file)
        assert [each.name for each in tmp_path.iterdir()] == [path.name]
        stream.write(b"half")
    with whole_locked_file(file) as stream:
        stream.write(b"whole")
    assert list(tmp_path.iterdir()) == [file] and file.read_bytes() == b"whole" and mode(file) == 0o600
