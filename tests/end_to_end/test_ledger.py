"""A ledger that somebody altered, a movement that was killed at each of its steps, many movers at once."""

import json
import socket
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Library


LENIENT = "gates: {not_worse_than_champion: {margin: 100}, thresholds: {mae: 20}}"


def quick(library: "Library", name: str, versions: int = 2) -> str:
    """An experiment whose versions all pass, since each is the same model, registered again."""
    library.registered(name, ("gates: {thresholds: {mae: 20}}", LENIENT))
    first = library.client.get_model_version(name, "1")
    stored = first.source.removeprefix("models:/")
    for _ in range(versions - 1):
        library.client.create_model_version(name, first.source, first.run_id, tags=first.tags, model_id=stored)
    return name


def findings(library: "Library", name: str) -> list[tuple[str, str]]:
    said = library.slipway("history", name, "--verify", "--json")
    told = said.json
    assert said.code == (0 if told["verified"] else 1)
    return [(finding["kind"], finding["message"]) for finding in told["findings"]]


def entries(library: "Library", name: str) -> list[Any]:
    return library.runs(f"{name}/promotions")


@pytest.fixture(scope="module")
def told(library: "Library") -> str:
    """A model with three entries in its ledger, which adds up."""
    name = quick(library, "audited")
    for version in (1, 2):
        library.done("promote", name, version, "Production", "--force", "--comment", f"number {version}")
    library.done("rollback", name)
    assert findings(library, name) == []
    return name


def test_the_head_is_the_hash_of_the_newest_entry_and_each_names_the_one_before(library: "Library", told: str) -> None:
    tags = [run.data.tags for run in entries(library, told)]
    hashes = [tag["slipway.entry"] for tag in tags]
    assert [tag["slipway.previous"] for tag in tags] == ["", *hashes[:-1]]
    verified = library.done("history", told, "--verify")
    assert (verified["head"], verified["entries"], verified["verified"]) == (hashes[-1], 3, True)


def test_history_tells_what_was_live_at_a_time_and_who_decided_on_what(library: "Library", told: str) -> None:
    first, variant, back = (datetime.fromtimestamp(run.info.start_time / 1000, UTC) for run in entries(library, told))
    from slipway.settings import Settings
    from slipway.workflows.release.history import history_at

    settings = Settings(library.project, library.home, library.uri)
    live = [history_at(settings, told, at).as_dict()["stages"]["Production"] for at in (first, variant, back)]
    assert [transition["version"] for transition in live] == [1, 2, 1]
    assert live[1]["comment"] == "number 2" and live[1]["by"] == "reviewer"
    assert "not_worse_than_champion" in {verdict["gate"] for verdict in live[1]["verdicts"]}
    assert library.done("history", told, "--at", "2013-01-01")["stages"] == {}
    assert "Production: version 1, since" in library.slipway("history", told, "--at", "2100-01-01 12:30").out
    assert library.slipway("history", told, "--at", "yesterday").code == 2
    assert library.slipway("history", told, "--at", "2013-01-01", "--verify").code == 2
    assert len(library.done("history", told, "--last", 2)["movements"]) == 2


@pytest.mark.parametrize("words", [("--at", "2100-01-01"), ("--last", "2")])
def test_a_short_question_is_not_held_up_by_the_import_of_mlflow(
    library: "Library", told: str, words: tuple[str, ...]
) -> None:
    """Slipway's server answers it; what another one would be asked through MLflow's client is the same."""
    program = (
        "import sys; from slipway.cli import main; code = main(sys.argv[1:]); sys.exit(code or 'mlflow' in sys.modules)"
    )
    asked = ["history", told, *words, "--json", "--tracking-uri", library.uri, "--project", str(library.project)]
    quick = subprocess.run([sys.executable, "-c", program, *asked], capture_output=True, text=True, check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("slipway.workflows.release.history.snapshot", lambda *_: None)
        assert library.done("history", told, *words) == json.loads(quick.stdout)


def test_an_entry_altered_in_the_database_is_named(library: "Library") -> None:
    name = quick(library, "altered", versions=1)
    library.done("promote", name, 1, "Production", "--comment", "as agreed")
    (entry,) = entries(library, name)
    with sqlite3.connect(library.home / "mlflow.db", timeout=30) as database:
        database.execute(
            "UPDATE tags SET value = 'as ordered' WHERE run_uuid = ? AND key = 'slipway.comment'", [entry.info.run_id]
        )
    ((kind, message),) = findings(library, name)
    assert kind == "altered" and "'version 1 → Production'" in message and entry.info.run_id[:12] in message


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_deleted_entry_is_missed(library: "Library", told: str, which: int) -> None:
    entry = entries(library, told)[which]
    library.past.delete_run(entry.info.run_id)
    try:
        assert "missing" in {kind for kind, _ in findings(library, told)}
    finally:
        library.past.restore_run(entry.info.run_id)
    assert findings(library, told) == []


def test_a_stage_that_plain_mlflow_moved_is_named(library: "Library") -> None:
    name = quick(library, "moved_past")
    library.done("promote", name, 1, "Production")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        library.past.transition_model_version_stage(name, "2", "Production", archive_existing_versions=True)
    assert findings(library, name) == [
        ("foreign", "version 1 is in Archived, by the ledger in Production: it was moved past Slipway"),
        ("foreign", "version 2 is in Production, by the ledger not in a stage yet: it was moved past Slipway"),
    ]


# Killed at every step

# Reads commands, and runs each in a fork that kills itself just before, or just after, its n-th call that writes to the server.
KILLED = """
import os, signal, sys
from slipway.cli import main
from slipway.tracking.client import connect
connect(sys.argv[1])
import slipway.workflows.release.promote
from mlflow import MlflowClient

def deadly(method, nth, when, calls):
    def call(*args, **kwargs):
        calls.append(method.__name__)
        if len(calls) == nth and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = method(*args, **kwargs)
        if len(calls) == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

for line in sys.stdin:
    nth, when, *words = line.split()
    child = os.fork()
    if not child:
        from slipway.identity import process_tags
        process_tags.cache_clear()
        calls = []
        for name in ("create_run", "log_batch", "log_text", "log_artifacts", "set_tag", "set_terminated", "set_experiment_tag",
                     "create_registered_model", "delete_registered_model", "transition_model_version_stage",
                     "set_registered_model_alias", "delete_registered_model_alias"):
            setattr(MlflowClient, name, deadly(getattr(MlflowClient, name), int(nth), when, calls))
        sys.stdout = sys.stderr
        code = main(words)
        print("ended", code, len(calls), file=sys.__stdout__, flush=True)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL:
        print("killed", flush=True)
"""


@pytest.fixture
def killed(library: "Library", plain: str) -> Iterator[Callable[..., list[str]]]:
    """Return a function that runs a command which is killed at its n-th write, and says how it ended."""
    command = [sys.executable, "-c", KILLED, plain]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=environment(library, plain), text=True, **pipes)

    def run(nth: int, when: str, *words: object) -> list[str]:
        process.stdin.write(" ".join(map(str, (nth, when, *words))) + "\n")
        process.stdin.flush()
        return process.stdout.readline().split()

    yield run
    process.kill()
    process.communicate()


def environment(library: "Library", uri: str) -> dict[str, str]:
    return library.environment(MLFLOW_TRACKING_URI=uri, MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT="true")


def consistent(library: "Library", name: str) -> int | None:
    """Check that stages, aliases and ledger say the same, and return what is in Production."""
    assert findings(library, name) == []
    stages = library.stages(name)
    live = [version for version, stage in stages.items() if stage == "Production"]
    aliases = library.client.get_registered_model(name).aliases
    assert {alias: int(version) for alias, version in aliases.items()} == ({"production": live[0]} if live else {})
    assert not [run for run in entries(library, name) if run.info.status == "RUNNING"]
    return live[0] if live else None


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.release)])
def test_killed_at_any_step_a_promotion_is_brought_to_an_end(
    library: "Library", killed: Callable[..., list[str]], every: int
) -> None:
    name = quick(library, f"killed_anywhere_{every}")
    library.done("promote", name, 1, "Production")
    ended, code, steps = killed(0, "never", "promote", name, 2, "Production", "--force")
    assert (ended, code) == ("ended", "0") and int(steps) >= 8
    target = 1
    for nth in range(1, int(steps) + 1, every):
        assert killed(nth, "before" if nth % 2 else "after", "promote", name, target, "Production", "--force") == [
            "killed"
        ]
        if nth % 3:
            library.done("reconcile", name)
            live = consistent(library, name)
        else:  # the next command does it too
            live = consistent_after_next(library, name)
        target = 1 if live == 2 else 2


def consistent_after_next(library: "Library", name: str) -> int | None:
    library.slipway("rollback", name)
    return consistent(library, name)


def test_a_transition_that_failed_after_its_stage_had_moved_is_sealed_as_made(
    library: "Library", plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = quick(library, "failed_halfway", versions=1)

    def fail(*_: object) -> None:
        raise ConnectionError("the alias could not be set")

    with monkeypatch.context() as patch:
        patch.setattr("mlflow.MlflowClient.set_registered_model_alias", fail)
        assert library.slipway("promote", name, 1, "Production", "--tracking-uri", plain).code == 3
    assert [kind for kind, _ in findings(library, name)][:1] == ["cut off"]
    (ended,) = library.done("reconcile", name)["ended"]
    assert ended["complete"] and consistent(library, name) == 1


# Many at once

# Each round, forks a process a version; all of them promote at once. Prints a list a round of what became of each.
MANY = """
import json, os, sys
from pathlib import Path
from slipway.errors import Refusal
from slipway.identity import process_tags
from slipway.settings import Settings
from slipway.types import Stage
from slipway.workflows.release.promote import promote

project, home, uri, name, movers, rounds = sys.argv[1:]

def move(version):
    process_tags.cache_clear()
    settings = Settings(Path(project), Path(home), uri, user=f"mover {version}")
    try:
        promote(settings, name, version, Stage.PRODUCTION, force=True)
        return "moved"
    except Refusal as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"

for turn in range(int(rounds)):
    pipes = []
    for version in range(1, int(movers) + 1):
        read, write = os.pipe()
        pipes.append(read)
        if not os.fork():
            sys.stdout = sys.stderr = open(os.devnull, "w")
            os.write(write, move(version).encode())
            os._exit(0)
        os.close(write)
    print(json.dumps([os.fdopen(pipe).read() for pipe in pipes]), flush=True)
"""
MOVERS, ROUNDS = 6, 1


@pytest.mark.parametrize("guarded", [True, pytest.param(False, marks=pytest.mark.release)])
def test_of_many_that_promote_at_once_one_wins_and_the_others_are_told(
    library: "Library", plain: str, guarded: bool
) -> None:
    name = quick(library, f"crowded_{guarded}".lower(), versions=MOVERS)
    uri = library.uri if guarded else plain
    words = [str(library.project), str(library.home), uri, name, str(MOVERS), str(ROUNDS)]
    command = [sys.executable, "-c", MANY, *words]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=environment(library, uri), text=True, **pipes) as crowd:
        for line in crowd.stdout:
            said = json.loads(line)
            assert "moved" in said, said
            assert all(told == "moved" or "nothing was moved" in told or "already" in told for told in said), "\n".join(
                said
            )
            assert list(library.stages(name).values()).count("Production") == 1
    assert crowd.returncode == 0
    assert consistent(library, name) in range(1, MOVERS + 1)


def test_a_mutex_of_a_process_that_is_gone_stands_in_nobodys_way(library: "Library") -> None:
    name = quick(library, "left_locked", versions=1)
    gone = json.dumps({"slipway.host": socket.gethostname(), "slipway.process": "999999999 1.00"})
    library.past.create_registered_model(f"{name}.moving", description=gone)
    library.done("promote", name, 1, "Production")
    assert "left_locked.moving" not in {model.name for model in library.client.search_registered_models()}
    library.past.create_registered_model(f"{name}.moving", description=gone)
    unknown = library.slipway("history", "left_lockt")
    assert "left_locked.moving" not in unknown.err and "left_locked" in unknown.err
    library.past.delete_registered_model(f"{name}.moving")
