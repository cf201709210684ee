"""Homes of real databases and files, backed up while they are written to, damaged, restored, and killed in between."""

import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from slipway.errors import FileUnusable, UsageError
from slipway.processes import child_environment
from slipway.settings import Settings
from slipway.tracking.backup.archive import MANIFEST, reading
from slipway.tracking.backup.swap import finish
from slipway.tracking.schema import known_revisions, newest_revision
from slipway.workflows.backup import backup, restore


@pytest.fixture
def settings(tmp_path: Path, migrated_database: Path) -> Settings:
    """A project whose home holds a database, one of users, a file of secrets, artifacts, and what belongs to the moment."""
    home = tmp_path / "my home #1?"
    (home / "artifacts" / "0" / "deep").mkdir(parents=True)
    (home / "logs").mkdir()
    (home / "models" / "served").mkdir(parents=True)
    shutil.copy(migrated_database, home / "mlflow.db")
    with closing(sqlite3.connect(home / "users.db")) as users:
        users.executescript("CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('ann');")
    (home / "auth.ini").write_text("secret = yes\n")
    (home / "auth.ini").chmod(0o600)
    (home / "artifacts" / "0" / "model.skops").write_bytes(os.urandom(300_000))
    (home / "artifacts" / "0" / "deep" / "ÄÖ %2F.txt").write_text("text")
    for passing in ("logs/server.log", "models/served/model", "server.lock", "users.db-journal"):
        (home / passing).touch()
    (home / "users.db-journal").unlink()
    return Settings(tmp_path, home)


def elsewhere(settings: Settings, name: str = "new home") -> Settings:
    return Settings(settings.project, settings.project / name)


def content(home: Path) -> dict[str, bytes]:
    """All files of a home but those of the moment."""
    passing = ("logs", "models", "server", ".restore", "replaced")
    found = {path.relative_to(home).as_posix(): path for path in home.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in sorted(found.items()) if not name.startswith(passing)}


def rewritten(file: Path, change: Callable[[zipfile.ZipFile, str, bytes], None], manifest: Any = None) -> Path:
    """A copy of a backup, each member of which `change` puts in, and the manifest after `manifest` has seen it."""
    forged = file.with_name("forged.zip")
    with zipfile.ZipFile(file) as read, zipfile.ZipFile(forged, "w") as written:
        for name in read.namelist():
            if name != MANIFEST:
                change(written, name, read.read(name))
        told = json.loads(read.read(MANIFEST))
        if manifest:
            manifest(told)
        written.writestr(MANIFEST, json.dumps(told))
    return forged


def keep(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(name, data)


def test_a_home_goes_into_one_file_and_comes_back_as_it_was(settings: Settings) -> None:
    file = settings.project / "kept.zip"
    made = backup(settings, file)
    assert sorted(made.manifest.files) == sorted(content(settings.home))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600  # users and secrets are in it
    assert made.manifest.counts == {"experiments": 1, "runs": 0, "models": 0, "versions": 0}
    assert made.manifest.revision == newest_revision()
    assert made.as_dict()["files"] == 5 and "1 experiments" in str(made)

    there = elsewhere(settings)
    restored = restore(there, file)
    before, after = content(settings.home), content(there.home)
    assert before.keys() == after.keys()
    assert all(before[name] == after[name] for name in before if not name.endswith(".db"))
    with closing(sqlite3.connect(there.home / "users.db")) as users:
        assert users.execute("SELECT name FROM users").fetchall() == [("ann",)]
    assert stat.S_IMODE((there.home / "auth.ini").stat().st_mode) == 0o600
    assert restored.aside is None and restored.upgrade is None
    assert not (there.home / ".restore").exists()
    assert [path.name for path in settings.project.glob(".*")] == []


WRITING = """
import sqlite3, sys, time
from contextlib import closing
with closing(sqlite3.connect(sys.argv[1], timeout=30)) as database:
    database.execute("CREATE TABLE pairs (half INTEGER, number INTEGER)")
    number = 0
    while True:
        with database:
            database.execute("INSERT INTO pairs VALUES (1, ?)", [number])
            database.execute("INSERT INTO pairs VALUES (2, ?)", [number])
        number += 1
        time.sleep(0.001)
        if number == 20:
            print("writing", flush=True)
"""


@pytest.mark.slow
def test_a_database_that_is_written_to_is_copied_at_one_moment(settings: Settings) -> None:
    command = [sys.executable, "-c", WRITING, str(settings.home / "mlflow.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout and writer.stdout.readline() == "writing\n"
        try:
            for number in range(3):
                file, there = settings.project / "kept.zip", elsewhere(settings, f"home {number}")
                backup(settings, file)  # the one before is replaced
                restore(there, file)
                with closing(sqlite3.connect(there.home / "mlflow.db")) as copy:
                    halves = dict(copy.execute("SELECT half, count(*) FROM pairs GROUP BY half").fetchall())
                    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert halves[1] == halves[2] >= 20
        finally:
            writer.kill()


@pytest.mark.parametrize(
    ("forge", "told"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:-2000]) and file, "no whole backup of Slipway: File is not a zip"),
        (lambda file: file.write_text("rows,and,columns\n") and file, "no whole backup of Slipway: File is not a zip"),
        (lambda file: rewritten(file, lambda zip, name, data: keep(zip, name, data[:-1] + b"?")), "its SHA-256 is another"),
        (lambda file: rewritten(file, lambda zip, name, data: keep(zip, name, data + b"?")), "its SHA-256 is another"),
        (
            lambda file: rewritten(file, keep, lambda told: told["files"].pop("users.db")),
            r"not those of its manifest \(users.db\)",
        ),
        (
            lambda file: rewritten(file, lambda zip, name, data: None if name == "users.db" else keep(zip, name, data)),
            r"not those of its manifest \(users.db\)",
        ),
        (lambda file: rewritten(file, keep, lambda told: told.update(format=2)), r"makes no sense \(format: "),
        (lambda file: rewritten(file, keep, lambda told: told.update(revision="f" * 12)), "is of a newer MLflow"),
        (lambda file: renamed(file, "../outside"), "'../outside' would be written where nothing is restored to"),
        (lambda file: renamed(file, "/tmp/outside"), "'/tmp/outside' would be written where"),
        (lambda file: renamed(file, "artifacts/../../outside"), "outside' would be written where"),
        (lambda file: renamed(file, "server.json"), "'server.json' would be written where"),
        (lambda file: renamed(file, "users.db-journal"), "'users.db-journal' would be written where"),
        (lambda file: linked(file), "'auth.ini' is a link or a device"),
    ],
)  # fmt: skip
def test_a_backup_that_is_not_as_it_was_made_is_refused_and_nothing_is_touched(
    settings: Settings, forge: Callable[[Path], Path], told: str
) -> None:
    file = settings.project / "kept.zip"
    backup(settings, file)
    forged = forge(file)
    forged = forged if isinstance(forged, Path) else file
    before, around = content(settings.home), set(settings.project.iterdir())
    with pytest.raises((FileUnusable, UsageError), match=told):
        restore(settings, forged, replace=True)
    there = elsewhere(settings)
    with pytest.raises((FileUnusable, UsageError), match=told):
        restore(there, forged)
    assert content(settings.home) == before and content(there.home) == {}
    assert {*settings.project.iterdir()} - {there.home} == around
    finish(there.home)  # what the next command does
    assert [path.name for path in there.home.iterdir()] == ["server.lock"]


def renamed(file: Path, to: str) -> Path:
    """A backup whose auth.ini, in the manifest too, is to be written somewhere else."""

    def put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
        archive.writestr(to if name == "auth.ini" else name, data)

    def tell(told: dict[str, Any]) -> None:
        told["files"][to] = told["files"].pop("auth.ini")

    return rewritten(file, put, tell)


def linked(file: Path) -> Path:
    def put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
        info = zipfile.ZipInfo(name)
        info.external_attr = (stat.S_IFLNK if name == "auth.ini" else stat.S_IFREG) << 16 | 0o644 << 16
        archive.writestr(info, data)

    return rewritten(file, put)


def test_an_older_database_is_restored_with_the_command_that_brings_it_up(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.home / "mlflow.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", [known_revisions()[-2]])
    file, there = settings.project / "kept.zip", elsewhere(settings)
    backup(settings, file)
    restored = restore(there, file)
    assert restored.upgrade == f"mlflow db upgrade sqlite:///{there.home}/mlflow.db"
    assert restored.upgrade in str(restored)


def test_a_home_that_is_not_empty_is_moved_aside_only_when_that_is_asked_for(settings: Settings) -> None:
    file = settings.project / "kept.zip"
    backup(settings, file)
    (settings.home / "artifacts" / "0" / "later").write_text("after the backup")
    before = content(settings.home)
    with pytest.raises(
        UsageError, match=r"is not empty \(artifacts, auth.ini, mlflow.db\); --replace moves that aside"
    ):
        restore(settings, file)
    assert content(settings.home) == before
    restored = restore(settings, file, replace=True)
    assert restored.aside is not None and content(restored.aside) == before
    assert "later" not in " ".join(content(settings.home))
    assert (settings.home / "logs" / "server.log").exists()
    assert (restored.aside / "models" / "served" / "model").exists()  # copies of other versions are not served now
    again = restore(settings, file, replace=True)
    assert again.aside not in (None, restored.aside)
    assert "replaced-" not in " ".join(backup(settings, file).manifest.files)


def test_when_an_entry_cannot_be_renamed_everything_is_put_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = settings.project / "kept.zip"
    backup(settings, file)
    before, rename, calls = content(settings.home), Path.rename, []

    def fail(path: Path, target: Path) -> Path:
        calls.append(path.name)
        if len(calls) == nth:
            raise PermissionError(13, "Permission denied", str(path))
        return rename(path, target)

    for nth in range(1, 9):  # noqa: B007 - `fail` goes by it
        calls.clear()
        with monkeypatch.context() as patch, pytest.raises(FileUnusable, match="Permission denied"):
            patch.setattr(Path, "rename", fail)
            restore(settings, file, replace=True)
        assert content(settings.home) == before
        assert not list(settings.home.glob("replaced-*")) and not (settings.home / ".restore").exists()


# Reads words, and does a piece of work in a fork that kills itself at its n-th change of a folder.
KILLED = """
import os, signal, sys
from pathlib import Path
from slipway.settings import Settings
from slipway.workflows import backup as work

def deadly(method, nth, calls):
    def call(*args, **kwargs):
        calls.append(method)
        if len(calls) == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return method(*args, **kwargs)
    return call

for line in sys.stdin:
    what, nth, home, file = line.rstrip().split("\\t")
    child = os.fork()
    if not child:
        calls = []
        for name in ("open", "rename", "replace", "unlink", "mkdir", "chmod"):
            setattr(Path, name, deadly(getattr(Path, name), int(nth), calls))
        settings = Settings(Path(home), Path(home))
        work.backup(settings, Path(file)) if what == "backup" else work.restore(settings, Path(file), replace=True)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture
def killed() -> Iterator[Callable[..., bool]]:
    """Return a function that backs up or restores, is killed at its n-th change of a folder, and says whether it was."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "-c", KILLED], env=child_environment({}), text=True, **pipes)

    def work(what: str, nth: int, home: Path, file: Path) -> bool:
        process.stdin.write(f"{what}\t{nth}\t{home}\t{file}\n")
        process.stdin.flush()
        code = int(process.stdout.readline())
        assert code in (0, -signal.SIGKILL)
        return code != 0

    yield work
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_a_restore_that_is_killed_anywhere_leaves_the_old_or_the_new(
    settings: Settings, killed: Callable[..., bool]
) -> None:
    file, home = settings.project / "kept.zip", settings.project / "home"
    (settings.home / "only new").write_text("new")
    backup(settings, file)
    (settings.home / "only new").unlink()
    new = set(content(settings.home)) | {"only new"}
    (settings.home / "artifacts" / "0" / "later").write_text("old")
    old = content(settings.home)
    nth, more, seen = 0, True, set()
    while more:
        nth += 1
        shutil.copytree(settings.home, home)
        more = killed("restore", nth, home, file)
        if nth % 2:
            finish(home)  # what the next command does, under the home's lock
        else:
            backup(Settings(home, home), file.with_name("next.zip"))
        left = content(home)
        assert set(left) == new or left == old, nth
        assert not (home / ".restore").exists()
        aside = [content(folder) for folder in home.glob("replaced-*")]
        assert aside == ([old] if set(left) == new else [])
        seen.add(set(left) == new)
        shutil.rmtree(home)
    assert nth > 20 and seen == {True, False}


@pytest.mark.slow
def test_a_backup_that_is_killed_anywhere_leaves_a_whole_one_and_the_next_takes_its_pieces_away(
    settings: Settings, killed: Callable[..., bool]
) -> None:
    file, nth, pieces = settings.project / "kept.zip", 1, 0
    backup(settings, file)
    while killed("backup", nth, settings.home, file):
        with reading(file) as whole:
            whole.extract(Path(tempfile.mkdtemp(dir=settings.project)), lambda size: None)
        pieces += len(list(settings.project.glob("*partial*")) + list(settings.project.glob(".*partial*")))
        nth += 1
    assert nth > 8 and pieces
    backup(settings, file)
    assert [path.name for path in settings.project.iterdir() if "partial" in path.name] == []


def test_what_is_no_file_is_named_and_not_waited_for(settings: Settings) -> None:
    os.mkfifo(settings.home / "artifacts" / "pipe")
    with pytest.raises(FileUnusable, match=r"artifacts/pipe is no file; a backup holds files only"):
        backup(settings, settings.project / "kept.zip")
    (settings.home / "artifacts" / "pipe").unlink()
    (settings.home / "artifacts" / "way out").symlink_to("/etc/passwd")
    with pytest.raises(FileUnusable, match=r"artifacts/way out is no file"):
        backup(settings, settings.project / "kept.zip")
    assert not (settings.project / "kept.zip").exists()


def test_a_place_that_would_lose_something_is_refused(settings: Settings) -> None:
    (settings.project / "rows.csv").write_text("a,b\n")
    with pytest.raises(UsageError, match=r"rows.csv is there and is no backup of Slipway"):
        backup(settings, settings.project / "rows.csv")
    with pytest.raises(UsageError, match="is within what is backed up"):
        backup(settings, settings.home / "artifacts" / "kept.zip")
    with pytest.raises(FileUnusable, match="/nowhere cannot be read or written: No such file"):
        backup(settings, settings.project / "nowhere" / "kept.zip")
    with pytest.raises(UsageError, match="nothing to back up"):
        backup(elsewhere(settings), settings.project / "kept.zip")
    with pytest.raises(FileUnusable, match=r"absent.zip cannot be read"):
        restore(elsewhere(settings), settings.project / "absent.zip")


def test_what_is_kept_elsewhere_is_not_passed_over_in_silence(settings: Settings) -> None:
    asked = Settings(settings.project, settings.home, backend="postgresql://u@h/d")
    with pytest.raises(UsageError, match="pg_dump"):
        backup(asked, settings.project / "kept.zip")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process's memory is read from /proc")
def test_a_large_home_is_copied_in_bounded_memory(settings: Settings) -> None:
    with (settings.home / "artifacts" / "large").open("wb") as large:
        large.truncate(256 * 2**20)
    file = settings.project / "kept.zip"
    script = (
        "import sys; from pathlib import Path; from slipway.settings import Settings\n"
        "from slipway.workflows.backup import backup, restore\n"
        "project, home, file = map(Path, sys.argv[1:])\n"
        "backup(Settings(project, home), file); restore(Settings(project, project / 'there'), file)\n"
        "print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
    )
    words = [str(settings.project), str(settings.home), str(file)]
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 160_000  # kB
    assert (settings.project / "there" / "artifacts" / "large").stat().st_size == 256 * 2**20
