"""The registry on what a team keeps it in: one suite on SQLite, on PostgreSQL, and on PostgreSQL with artifacts on S3."""

import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil
import pytest
from sqlalchemy import create_engine, text

from slipway.processes import start_process, stop_process
from slipway.tracking.server import find_server
from slipway.tracking.stores import FOLDER, SQLITE
from slipway.workflows.platform import up
from slipway.workflows.release.history import history_at

if TYPE_CHECKING:
    from conftest import Library, ObjectStore

LENIENT = "gates: {not_worse_than_champion: {margin: 100}, thresholds: {mae: 20}}"
STRICT = "gates: {thresholds: {mae: 0.001}}"
NAME, STRICTER = "kept_by_a_team", "never_good_enough"


@pytest.fixture(scope="module")
def name(registry: "Library") -> str:
    """A model of two versions, the second of which is registered from a copy of the first one's run."""
    registry.vary("days_kept", NAME, ("gates: {thresholds: {mae: 20}}", LENIENT))
    registry.done("run", NAME, "--trials", 1, "--executor", "serial")
    registry.done("register", NAME, registry.copied_run(NAME, NAME))
    return NAME


def consistent(registry: "Library", name: str) -> int | None:
    """Check that stages, aliases and ledger say the same, and return what is in Production."""
    verified = registry.done("history", name, "--verify")
    assert (verified["verified"], verified["findings"]) == (True, [])
    live = [version for version, stage in registry.stages(name).items() if stage == "Production"]
    aliases = registry.client.get_registered_model(name).aliases
    assert int(aliases.get("production", 0)) == (live[0] if live else 0)
    assert not [run for run in registry.runs(f"{name}/promotions") if run.info.status == "RUNNING"]
    return live[0] if live else None


def test_versions_go_through_the_stages_and_back_and_history_tells_it(registry: "Library", name: str) -> None:
    assert registry.stages(name) == {1: "None", 2: "None"}
    before = datetime.now(UTC)
    registry.done("promote", name, 1, "Staging")
    assert registry.client.get_registered_model(name).aliases == {"staging": "1"}
    registry.done("promote", name, 1, "Production", "--comment", "the first")
    assert consistent(registry, name) == 1
    between = datetime.now(UTC)
    registry.done("promote", name, 2, "Production", "--force", "--comment", "the second")
    assert registry.stages(name) == {1: "Archived", 2: "Production"}
    registry.done("rollback", name, "--comment", "too many false alarms")
    assert registry.stages(name) == {1: "Production", 2: "Archived"}
    assert consistent(registry, name) == 1
    assert registry.slipway("archive", name, 2).code == 1  # it is there already

    transitions = registry.done("history", name)["movements"]
    moved = [transition for transition in transitions if transition["action"] in ("promote", "rollback")]
    assert sorted((each["version"], each["stage"]) for each in moved) == [
        (1, "Production"), (1, "Production"), (1, "Staging"), (2, "Production")
    ]  # fmt: skip
    assert {each["by"] for each in moved} == {"reviewer"}

    def live(at: datetime) -> Any:
        asked = dataclasses.replace(registry.settings, tracking_uri=registry.uri)
        return history_at(asked, name, at).as_dict()["stages"]

    assert live(before) == {}
    assert (live(between)["Production"]["version"], live(between)["Production"]["comment"]) == (1, "the first")
    assert live(datetime.now(UTC))["Production"]["comment"] == "too many false alarms"
    same = registry.slipway("promote", name, 2, "Production")
    assert same.code == 1 and "version 2 is the same model as version 1 in Production" in same.err
    registry.done("promote", name, 2, "Production", "--force")
    registry.done("promote", name, 1, "Staging")
    back = registry.slipway("rollback", name)
    assert back.code == 0 and "requests of today's callers, of version 2, fit version 1" in back.err
    assert registry.stages(name) == {1: "Production", 2: "Archived"}
    assert consistent(registry, name) == 1


def test_a_version_that_fails_its_gates_is_refused_and_that_is_written_down(registry: "Library", name: str) -> None:
    registry.registered(STRICTER, (LENIENT, STRICT), of=name)
    refused = registry.slipway("promote", STRICTER, 1, "Staging")
    assert refused.code == 1 and "nothing was moved" in refused.err
    assert registry.stages(STRICTER) == {1: "None"}
    assert "refuse" in {transition["action"] for transition in registry.done("history", STRICTER)["movements"]}
    registry.done("archive", STRICTER, 1)
    assert registry.stages(STRICTER) == {1: "Archived"}
    assert consistent(registry, STRICTER) is None


# Reads lines of commands, runs those of a line at once, each in a fork, and says how they ended.
FORKS = """
import json, os, sys, tempfile
from slipway.cli import main
from slipway.tracking.client import connect
connect(sys.argv[1])
import slipway.workflows.release.promote
from slipway.identity import process_tags

for line in sys.stdin:
    started = []
    for words in json.loads(line):
        err = tempfile.TemporaryFile("w+")
        pid = os.fork()
        if not pid:
            process_tags.cache_clear()
            sys.stdout = sys.stderr = err
            code = main(words)
            err.flush()
            os._exit(code)
        started.append((pid, err))
    ended = [(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), err.seek(0) or err.read()) for pid, err in started]
    print(json.dumps(ended), flush=True)
"""
Forks = Callable[..., list[tuple[int, str]]]


@pytest.fixture(scope="module")
def forks(registry: "Library") -> Iterator[Forks]:
    """Return a function that runs commands at once, each in a process of its own, and returns how they ended."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    command, env = (
        [sys.executable, "-c", FORKS, registry.uri],
        registry.environment(MLFLOW_HTTP_REQUEST_MAX_RETRIES="1"),
    )
    process = subprocess.Popen(command, env=env, cwd=registry.project, text=True, **pipes)

    def run(*commands: list[str]) -> list[tuple[int, str]]:
        process.stdin.write(json.dumps(commands) + "\n")
        process.stdin.flush()
        return [(code, err) for code, err in json.loads(process.stdout.readline())]

    yield run
    process.kill()
    process.communicate()


def kill_when_moved(registry: "Library", name: str, version: int) -> None:
    """Kill the server as soon as its database says that a version is in Production: alias and ledger follow that."""
    server = find_server(registry.home)
    assert server is not None
    leader = psutil.Process(server.pid)
    family = [*leader.children(recursive=True), leader]
    query = text("SELECT current_stage FROM model_versions WHERE name = :name AND version = :version")
    engine, deadline = create_engine(registry.store, isolation_level="AUTOCOMMIT"), time.monotonic() + 120
    with engine.connect() as database:
        while database.execute(query, {"name": name, "version": version}).scalar() != "Production":
            assert time.monotonic() < deadline
            time.sleep(0.001)
        for process in family:
            process.kill()
    engine.dispose()


def test_a_transition_whose_server_is_killed_is_brought_to_an_end(registry: "Library", name: str, forks: Forks) -> None:
    to = next(version for version, stage in registry.stages(name).items() if stage != "Production")
    with ThreadPoolExecutor() as pool:
        said = pool.submit(forks, ["promote", name, str(to), "Production", "--force"])
        kill_when_moved(registry, name, to)
        ((code, err),) = said.result()
    assert code in (0, 3), err  # 3: it never heard that all was done
    assert up(registry.settings, port=urlsplit(registry.uri).port or 0).server.uri == registry.uri
    registry.done("reconcile", name)
    assert consistent(registry, name) == to


def test_of_several_that_promote_at_once_one_wins_and_the_others_are_told(
    registry: "Library", name: str, forks: Forks
) -> None:
    versions = list(registry.stages(name)) * 2
    said = forks(*(["promote", name, str(version), "Production", "--force"] for version in versions))
    assert 0 in {code for code, _ in said}
    for code, err in said:
        assert code == 0 or (code == 1 and ("nothing was moved" in err or "already" in err)), err
    assert consistent(registry, name) in versions
    assert list(registry.stages(name).values()).count("Production") == 1


def test_runs_and_artifacts_are_where_the_server_was_told_to_keep_them(
    registry: "Library", name: str, request: pytest.FixtureRequest
) -> None:
    said = registry.done("up")
    assert said["adopted"]
    backend, bucket = registry.settings.backend, registry.settings.artifacts
    assert (said["backend"] == SQLITE) == (backend is None) and (said["artifacts"] == FOLDER) == (bucket is None)
    assert (registry.home / "mlflow.db").exists() == (backend is None)
    assert (registry.home / "artifacts").exists() == (bucket is None)
    if backend:
        postgres = request.getfixturevalue("postgres")
        assert postgres.ask(backend, "SELECT count(*) FROM model_versions WHERE name = %s", name) == [(2,)]
        refused = registry.slipway("backup", registry.project / "kept.zip")
        assert refused.code == 2 and "pg_dump" in refused.err
    if bucket:
        s3: ObjectStore = request.getfixturevalue("s3")
        kept, _, prefix = bucket.removeprefix("s3://").partition("/")
        keys = [found["Key"] for found in s3.client.list_objects_v2(Bucket=kept)["Contents"]]
        assert all(key.startswith(f"{prefix}/") for key in keys)
        assert any(key.endswith("model.skops") for key in keys) and "slipway.check" not in " ".join(keys)


@pytest.mark.parametrize("registry", ["PostgreSQL and S3"], indirect=True)
def test_the_password_of_the_database_is_nowhere_to_be_read(registry: "Library", name: str) -> None:
    said = registry.slipway("up", "--json"), registry.slipway("up"), registry.slipway("up", "--debug")
    shown = "".join(each.out + each.err for each in said)
    files = [path for path in registry.home.rglob("*") if path.is_file() and "artifacts" not in path.parts]
    written = b"".join(path.read_bytes() for path in files).decode(errors="replace")
    listed = "".join(" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))
    for word in ("team%2Fword", "team/word"):
        assert word not in shown and word not in written and word not in listed
    assert "postgresql://team@127.0.0.1" in shown and "postgresql://team@127.0.0.1" in written
    assert "postgresql+psycopg2://team@127.0.0.1" in listed


def test_a_server_on_other_stores_is_not_taken_for_the_one_asked_for(registry: "Library") -> None:
    said = registry.slipway("up", "--backend", "postgresql://team@127.0.0.1/another")
    assert said.code == 2
    assert "not on postgresql://team@127.0.0.1/another; stop it first with `slipway down`" in said.err
    said = registry.slipway("up", "--artifacts", "s3://another")
    assert said.code == 2 and "not on s3://another" in said.err


@pytest.mark.release
@pytest.mark.parametrize("registry", ["SQLite"], indirect=True)  # it is what SQLite has instead of pg_dump
def test_a_backup_of_a_server_that_is_up_can_be_restored_and_promoted_in(
    registry: "Library", name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger of what was restored adds up, and versions are moved on: the whole of it is there."""
    file, home = registry.project / "kept.zip", registry.project / "restored"
    before = consistent(registry, name)
    writing = start_process(
        [sys.executable, "-m", "slipway", "run", "next_genre"],
        log=registry.project / "writing.log", env=registry.environment(), cwd=registry.project
    )  # fmt: skip
    try:
        counts = registry.done("backup", file)["counts"]
    finally:
        stop_process(writing)
    assert counts["versions"] >= 3
    in_use = registry.slipway("restore", file, "--replace")
    assert in_use.code == 2 and "is up (process" in in_use.err and "slipway down" in in_use.err

    monkeypatch.setenv("SLIPWAY_HOME", str(home))
    restored = registry.done("restore", file)
    assert restored["counts"] == counts and restored["home"] == str(home)
    try:
        registry.done("up", "--detach", "--port", 0)
        assert registry.done("history", name, "--verify")["verified"]
        other = 1 if before == 2 else 2
        registry.done("promote", name, other, "Production", "--force")
        assert registry.done("history", name, "--verify")["verified"]
        assert json.loads((home / "server.json").read_text())["backend"] == SQLITE
    finally:
        assert registry.slipway("down").code == 0
    refused = registry.slipway("restore", file)
    assert refused.code == 2 and "--replace moves that aside" in refused.err
