"""What goes wrong outside, in the data, in an experiment's code, by somebody's hand: each has its sentence and exit code."""

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from slipway.processes import free_port

if TYPE_CHECKING:
    from conftest import Library

HOST = "127.0.0.1"
AT_ONCE_S = 60.0  # on a busy machine, too; MLflow's own client would try for minutes


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on, and answers nothing."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


# The server


@pytest.mark.parametrize(
    "words",
    [
        ("run", "days_kept"),
        ("register", "days_kept", "0" * 32),
        ("compare", "days_kept"),
        ("promote", "days_kept", 1, "Staging"),
        ("rollback", "days_kept"),
        ("archive", "days_kept", 1),
        ("history", "days_kept"),
        ("serve", "days_kept"),
        ("score", "days_kept", "in.csv", "out.csv"),
        ("report", "days_kept"),
    ],
    ids=lambda words: words[0],
)
def test_without_a_server_each_command_says_at_once_how_to_start_one(
    library: "Library", tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[object, ...]
) -> None:
    monkeypatch.setenv("SLIPWAY_HOME", str(tmp_path / "nowhere"))
    if words[0] == "report":
        pytest.importorskip("slipway.workflows.report")
    started = time.monotonic()
    said = library.slipway(*words)
    assert time.monotonic() - started < AT_ONCE_S
    assert (said.code, said.out) == (3, "")
    assert f"no tracking server is up in {tmp_path}/nowhere; start one with `slipway up --detach`" in said.err
    assert not (tmp_path / "nowhere").exists()


def test_a_server_that_is_not_there_or_is_no_mlflow_is_told_at_once(
    library: "Library", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = f"http://{HOST}:{free_port(HOST, 0)}"
    started = time.monotonic()
    said = library.slipway("history", "days_kept", "--tracking-uri", nobody)
    assert said.code == 3
    assert f"no tracking server answers at {nobody} (ConnectionError)" in said.err
    monkeypatch.setenv("MLFLOW_TRACKING_URI", nobody)
    assert library.slipway("history", "days_kept").err == said.err
    assert time.monotonic() - started < AT_ONCE_S

    port = free_port(HOST, 0)
    command = [sys.executable, "-m", "http.server", str(port), "--bind", HOST, "--directory", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as stranger:
        wait_until(lambda: free_port(HOST, port) != port, 120)
        said = library.slipway("--tracking-uri", f"http://{HOST}:{port}", "history", "days_kept")
        stranger.kill()
    assert said.code == 3
    assert "is no healthy MLflow server (status 404)" in said.err


def test_a_port_that_is_taken_is_named_and_nothing_is_served_elsewhere(library: "Library", taken: int) -> None:
    library.in_production("days_kept")
    said = library.slipway("serve", "days_kept", "--port", taken)
    assert (said.code, said.out) == (3, "")
    assert f"port {taken} is taken on {HOST}; name another with --port, or 0 for any that is free" in said.err


def test_an_experiment_that_was_deleted_in_mlflow_is_said_with_the_way_back(library: "Library") -> None:
    name = library.vary("days_kept", "taken_away")
    experiment = library.client.create_experiment(name)
    library.client.delete_experiment(experiment)
    said = library.slipway("run", name)
    assert said.code == 1
    assert (
        f"deleted in MLflow; bring it back with `mlflow experiments restore --experiment-id {experiment}`" in said.err
    )


# Names


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("check", "late_loan"), 2, "there is no experiment 'late_loan'; did you mean 'late_loans'?"),
        (("run", "../late_loans"), 2, "there is no experiment '../late_loans'"),
        (("promote", "days_kep", 1, "Staging"), 2, "no registered model 'days_kep'; did you mean 'days_kept'?"),
        (("promote", "days_kept", 7, "Staging"), 2, "there is no version 7 of days_kept; there is 1"),
        (("promote", "days_kept", 1, "Prodution"), 2, "there is no stage 'Prodution'; did you mean 'Production'?"),
        (("archive", "days_kept", 0), 2, "0 is not in the range x>=1"),
        (("register", "days_kept", "f" * 32), 2, f"there is no run '{'f' * 32}'"),
        (("register", "days_kept", "not-a-run"), 2, "there is no run 'not-a-run'"),
        (
            ("score", "days_kept", "loans.csv", "out.csv", "--stage", "Staging"),
            2,
            "there is no version of days_kept in",
        ),
        (("score", "days_kept", "lones.csv", "out.csv"), 3, "there is no file lones.csv"),
        (("score", "days_kept", "loans.csv", "out.xlsx"), 3, "out.xlsx ends in '.xlsx'; allowed is .csv, .parquet"),
        (("promote", "days_kept", 1, "Production"), 1, "days_kept version 1 is in Production already"),
        (("rollback", "days_kept"), 1, "no version of days_kept that was in Production before"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(
    library: "Library", words: tuple[object, ...], code: int, why: str
) -> None:
    library.in_production("days_kept")
    before = library.stages("days_kept")
    said = library.slipway(*words)
    assert (said.code, said.out) == (code, "")
    assert why in said.err
    assert "Traceback" not in said.err
    assert library.stages("days_kept") == before
    assert not list(library.project.glob("out.*"))


def test_the_traceback_is_shown_with_debug_only(library: "Library") -> None:
    words = ("promote", "late_loans_of_old", 1, "Staging")
    plain, debug = library.slipway(*words), library.slipway("--debug", *words)
    assert plain.code == debug.code == 2
    assert "Traceback" not in plain.err
    assert "Traceback (most recent call last):" in debug.err
    assert debug.err.endswith(plain.err)


# The declaration and the data


def test_every_slip_of_the_declaration_is_told_with_its_line(library: "Library") -> None:
    name = library.vary(
        "days_kept",
        "mistyped",
        ("metric: mae", "metric: mea\n  trails: 5"),
        ("alpha: {log_uniform: [0.1, 10]}", "alpha: {log_uniform: [10, 0.1]}"),
    )
    said = library.slipway("run", name)
    assert said.code == 2
    lines = library.spec(name).read_text().splitlines()
    at = f"{library.spec(name)}:{{}}: search".format
    assert f"{at(lines.index('  trails: 5') + 1)}.trails: unknown key 'trails'; did you mean 'trials'?" in said.err
    assert f"{at(len(lines) - 1)}.candidates.ridge.space.alpha" in said.err
    assert "log_uniform needs its low end below its high end; found [10.0, 0.1]" in said.err
    assert library.runs(name) == []


def test_an_estimator_that_does_not_exist_is_told_with_the_nearest(library: "Library") -> None:
    name = library.vary("days_kept", "misnamed", ("sklearn.linear_model.Ridge", "sklearn.linear_model.Rigde"))
    said = library.slipway("check", name)
    assert said.code == 2
    assert "there is no class 'Rigde' in sklearn.linear_model; did you mean 'Ridge'?" in said.err


def test_bad_data_is_told_whole_and_nothing_is_trained(library: "Library") -> None:
    name = library.vary("late_loans", "bad_rows", ("../../loans.csv", "bad.csv"), ("min_rows: 1000", "min_rows: 2000"))
    rows = pd.read_csv(library.project / "loans.csv").astype({"pages": object, "days_kept": float})
    rows.loc[3, "branch"] = "valley"
    rows.loc[[5, 6], "pages"] = [0, -4]
    rows.loc[8, "late_before"] = -1
    rows.loc[9, "days_kept"] = np.inf
    rows.loc[:299, "age"] = np.nan
    rows.loc[11, "lent_on"] = "yesterday"
    rows.loc[12, "loan"] = rows.loc[13, "loan"]
    rows["student"] = np.nan
    rows.to_csv(library.spec(name).with_name("bad.csv"), index=False)

    said = library.slipway("run", name)
    assert (said.code, said.out) == (1, "")
    assert f"the data of '{name}' breaks its contract in 9 place(s); nothing was trained:" in said.err
    for told in (
        "branch: not one of the known values harbour, hill, mill: 1 row(s) (row 3: 'valley')",
        "pages: below the minimum 1.0: 2 row(s) (row 5: 0, row 6: -4)",
        "late_before: below the minimum 0.0: 1 row(s) (row 8: -1)",
        "days_kept: not a finite number: 1 row(s) (row 9: inf)",
        "lent_on: not of type datetime: 1 row(s) (row 11: 'yesterday')",
        f"loan: not unique: 2 row(s) (row 12: '{rows.loc[13, 'loan']}', row 13: '{rows.loc[13, 'loan']}')",
        "student: missing, and no missing value is allowed: 1500 row(s) (row 0: nan, row 1: nan",
        "(rows): at least 2000 rows are promised; found 1500: 1500 row(s)",
    ):
        assert told in said.err
    assert re.search(
        r"age: missing in more than the allowed share of 0\.1: 3\d\d row\(s\) \(row 0: nan, row 1: nan", said.err
    )
    assert library.client.get_experiment_by_name(name) is None


@pytest.mark.parametrize(
    ("damage", "code", "why"),
    [
        (lambda rows: rows.iloc[:0], 1, "has no rows; nothing was trained"),
        (lambda rows: rows.drop(columns=["pages", "age"]), 1, "in 2 place(s)"),
        (
            lambda rows: rows.assign(late="no"),
            1,
            "late: a binary task needs two classes in its target; found 1: ['no']",
        ),
        (lambda rows: rows.head(4), 1, "at least 1000 rows are promised; found 4"),
        (None, 3, "there is no file"),
    ],
    ids=["no rows", "columns missing", "one class", "few rows", "no file"],
)
def test_data_that_cannot_be_learned_from_is_told_before_a_run_is_opened(
    library: "Library",
    request: pytest.FixtureRequest,
    damage: Callable[[pd.DataFrame], pd.DataFrame] | None,
    code: int,
    why: str,
) -> None:
    name = library.vary(
        "late_loans", f"unusable_{request.node.callspec.id.replace(' ', '_')}", ("../../loans.csv", "rows.csv")
    )
    if damage:
        damage(pd.read_csv(library.project / "loans.csv")).to_csv(library.spec(name).with_name("rows.csv"), index=False)
    for command in ("check", "run"):
        said = library.slipway(command, name)
        assert (said.code, said.out) == (code, "")
        assert why in said.err
    assert library.client.get_experiment_by_name(name) is None


# The search

BROKEN = (
    "    stump:\n",
    "    broken: {estimator: sklearn.dummy.DummyClassifier, space: {strategy: {choice: [prior, none_such]}}}\n    stump:\n",
)


def test_a_trial_that_fails_is_recorded_and_the_search_goes_on(library: "Library") -> None:
    name = library.vary("late_loans", "some_fail", BROKEN, ("trials: 3", "trials: 6"))
    said = library.done("run", name)
    trials = library.runs(name, "trial")
    failed = [run for run in trials if run.info.status == "FAILED"]
    assert 0 < len(failed) < len(trials) == said["trials"] == 6
    assert said["failed_trials"] == len(failed)
    for run in failed:
        assert run.data.params["candidate"] == "broken"
        assert "InvalidParameterError: The 'strategy' parameter of DummyClassifier" in run.data.tags["slipway.error"]
        assert "roc_auc" not in run.data.metrics
    assert said["candidate"] == "stump"
    (parent,) = library.runs(name, "search")
    assert (parent.info.status, parent.data.metrics["failed_trials"]) == ("FINISHED", len(failed))


def test_when_all_trials_fail_the_run_is_failed_and_no_version_made(library: "Library") -> None:
    nearest = ("sklearn.linear_model.Ridge", "sklearn.neighbors.KNeighborsRegressor")
    too_many = ("alpha: {log_uniform: [0.1, 10]}", "n_neighbors: {int: [90000, 90009]}")  # which no fit minds
    name = library.vary("days_kept", "all_fail", nearest, too_many)
    said = library.slipway("run", name)
    assert (said.code, said.out) == (1, "")
    assert "all 2 trials failed:\n  ridge: ValueError: Expected n_neighbors <= n_samples_fit" in said.err
    (parent,) = library.runs(name, "search")
    assert parent.info.status == "FAILED"
    assert "all 2 trials failed" in parent.data.tags["slipway.error"]
    assert {run.info.status for run in library.runs(name, "trial")} == {"FAILED"}
    assert library.stages(name) == {}


def test_a_candidate_that_can_never_be_fitted_or_stored_is_refused_before_a_run_is_opened(library: "Library") -> None:
    name = library.vary("days_kept", "never", ("alpha: {log_uniform: [0.1, 10]}", "alpha: {uniform: [-3, -1]}"))
    for command in ("check", "run"):
        said = library.slipway(command, name)
        assert (said.code, said.out) == (2, "")
        assert "candidate 'ridge' cannot be fitted; nothing was trained: InvalidParameterError: The 'alpha'" in said.err
    name = library.vary("own_pipeline", "not_trusted", ("  trusted_types: [features.per_page]\n", ""))
    said = library.slipway("run", name)
    assert (said.code, said.out) == (1, "")
    assert "candidate 'ours': the pipeline holds types that are not trusted: features.per_page" in said.err
    assert library.runs("never") == library.runs("not_trusted") == []


@pytest.fixture(scope="module")
def searching(library: "Library") -> Iterator[dict[str, "subprocess.Popen[str]"]]:
    """Two searches in processes of their own that would take minutes."""
    started: dict[str, subprocess.Popen[str]] = {}
    try:
        for name in ("interrupted", "killed"):
            library.vary("own_pipeline", name, ("trials: 2", "trials: 500"))
            code = library.spec(name).with_name("features.py")
            slow = "import time\n\ndef make(strength):\n    time.sleep(0.3)\n"
            code.write_text(code.read_text().replace("def make(strength):\n", slow))
            command = [sys.executable, "-m", "slipway", "run", name]
            started[name] = subprocess.Popen(
                command, env=library.environment(), cwd=library.project, stderr=subprocess.PIPE, text=True
            )
        yield started
    finally:
        for process in started.values():
            process.kill()
            process.wait()
            assert process.stderr is not None
            process.stderr.close()


def wait_until(true: Callable[[], Any], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def finished_trials(library: "Library", name: str) -> list[Any]:
    return [run for run in library.runs(name, "trial") if run.info.status == "FINISHED"]


def test_ctrl_c_in_a_search_closes_the_run_and_keeps_the_trials(
    library: "Library", searching: dict[str, "subprocess.Popen[str]"]
) -> None:
    name = "interrupted"
    wait_until(lambda: finished_trials(library, name), 120)
    searching[name].send_signal(signal.SIGINT)
    _, err = searching[name].communicate(timeout=120)
    assert searching[name].returncode == 130
    assert err.endswith("slipway: stopped\n")
    assert "Traceback" not in err
    (parent,) = library.runs(name, "search")
    assert parent.info.status == "KILLED"
    assert parent.data.tags["slipway.error"].startswith("KeyboardInterrupt")
    children = [run for run in library.runs(name) if run.info.run_id != parent.info.run_id]
    assert {run.info.status for run in children} == {"FINISHED"}
    assert all("roc_auc" in run.data.metrics for run in children)
    assert library.stages(name) == {}


def test_kill_9_in_a_search_leaves_a_run_that_the_next_command_closes(
    library: "Library", searching: dict[str, "subprocess.Popen[str]"]
) -> None:
    name = "killed"
    wait_until(lambda: finished_trials(library, name), 120)
    searching[name].kill()
    searching[name].wait()
    (dead,) = library.runs(name, "search")
    assert dead.info.status == "RUNNING"

    said = library.done("run", name, "--trials", 1)
    closed = library.client.get_run(dead.info.run_id)
    assert closed.info.status == "KILLED"
    assert closed.info.end_time is not None
    assert closed.data.tags["slipway.error"] == "the process that wrote this run ended without closing it"
    assert not [run for run in library.runs(name) if run.info.status == "RUNNING"]
    refused = library.slipway("register", name, dead.info.run_id)
    assert refused.code == 1
    assert "is no finished search (status KILLED)" in refused.err
    assert library.client.get_model_version(name, str(said["version"])).run_id == said["run_id"]

    # A run of the dead process that was not there yet: the next command need not be a search.
    tags = {key: value for key, value in dead.data.tags.items() if key.startswith("slipway.")}
    late = library.client.create_run(dead.info.experiment_id, tags=tags)
    library.done("history", name)
    assert library.client.get_run(late.info.run_id).info.status == "KILLED"


# The disk


@pytest.fixture
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A disk of so many kB, 64 if nothing is said, where this user may mount one."""
    folder, size = tmp_path / "small", getattr(request, "param", 64)
    folder.mkdir()
    try:
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(folder)]
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk can be mounted here to be filled: that takes root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_full_disk_is_told_and_leaves_no_half_of_a_file(library: "Library", small_disk: Path, kind: str) -> None:
    library.in_production("days_kept")
    rows = pd.concat([pd.read_csv(library.project / "loans.csv")] * 4)
    rows.assign(note=np.random.default_rng(1).random(len(rows))).to_csv(small_disk.parent / "many.csv")
    said = library.slipway("score", "days_kept", small_disk.parent / "many.csv", small_disk / f"scored.{kind}")
    assert (said.code, said.out) == (3, "")
    assert "No space left on device" in said.err or "the disk is full" in said.err
    assert list(small_disk.iterdir()) == []


def test_a_server_whose_home_is_on_a_full_disk_says_so(
    library: "Library", small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_HOME", str(small_disk))
    said = library.slipway("up", "--detach", "--port", 0)
    assert (said.code, said.out) == (3, "")
    assert f"the disk that holds {small_disk}/logs is full" in said.err
    assert not (small_disk / "server.json").exists()


@pytest.mark.parametrize("small_disk", [4096], indirect=True)
def test_a_search_ends_when_the_disk_of_its_server_fills_up(
    library: "Library", small_disk: Path, migrated_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_HOME", str(small_disk))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # four would take half a minute
    shutil.copy(migrated_database, small_disk / "mlflow.db")
    try:
        library.done("up", "--detach", "--port", 0)
        with (small_disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space left"):
            while True:
                filler.write(bytes(4096))
        said = library.slipway("run", "days_kept")
        assert (said.code, said.out) == (3, "")
        assert "the tracking server answers with errors only: API request to" in said.err
        assert "database or disk is full" in (small_disk / "logs" / "server.log").read_text()
    finally:
        assert library.slipway("down").code == 0
