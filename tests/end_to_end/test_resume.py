"""A search that is killed again and again ends with every trial once; a server that goes away loses nothing."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.helpers.waiting import wait_for

from slipway.settings import Settings
from slipway.workflows.platform import down, up

if TYPE_CHECKING:
    from conftest import Library

MANY = (
    ("trials: 3", "trials: 60"),
    (
        "min_samples_leaf: {int: [20, 60]}",
        "min_samples_leaf: {int: [20, 600]}\n        ccp_alpha: {uniform: [0, 0.01]}",
    ),
)


def started(library: "Library", *words: str) -> subprocess.Popen[bytes]:
    """Start a command of its own, which can be killed."""
    command = [sys.executable, "-m", "slipway", *words]
    return subprocess.Popen(command, env=library.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def finished_trials(library: "Library", name: str) -> int:
    return sum(run.info.status == "FINISHED" for run in library.runs(name, "trial"))


@pytest.mark.parametrize("kills", [1, pytest.param(5, marks=pytest.mark.release)])
def test_a_search_killed_again_and_again_ends_with_every_trial_once(library: "Library", kills: int):
    name, wanted_trials = library.vary("late_loans", f"killed_often_{kills}", *MANY), 14 + 6 * kills
    library.edit(name, ("trials: 60", f"trials: {wanted_trials}"))
    chance = random.Random(5)
    for turn in range(kills):
        before = finished_trials(library, name)
        resume = ["--resume"] if before else []
        process = started(library, "run", name, *resume)
        wanted = before + chance.randint(1, 8)
        wait_for(
            lambda wanted=wanted, process=process: (
                finished_trials(library, name) >= wanted or process.poll() is not None
            )
        )
        assert process.poll() is None, f"turn {turn}: it ended before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    done = library.done("run", name, "--resume")
    runs = library.runs(name, "trial")
    numbers = Counter(run.data.tags["slipway.trial"] for run in runs if run.info.status == "FINISHED")
    assert done["trials"] == wanted_trials
    assert set(numbers) == {str(number) for number in range(1, wanted_trials + 1)} and set(numbers.values()) == {1}
    params = Counter(run.data.tags["slipway.params"] for run in runs if run.info.status == "FINISHED")
    assert set(params.values()) == {1}
    assert not [run for run in library.runs(name) if run.info.status == "RUNNING"]
    assert len(library.runs(name, "search")) == 1


def test_asked_for_more_later_it_goes_on_with_the_same_study(library: "Library"):
    name = library.vary("late_loans", "wants_more", *MANY)
    first = library.done("run", name, "--trials", 4)
    variant = library.done("run", name, "--trials", 7, "--resume")
    assert (first["trials"], variant["trials"]) == (4, 7)
    assert variant["version"] == first["version"] + 1
    assert len(library.runs(name, "trial")) == 7
    continued = library.client.get_run(variant["run_id"]).data.tags["slipway.continues"]
    assert continued == first["run_id"]
    third = library.done("run", name, "--trials", 8, "--resume")
    assert third["trials"] == 8, "a search that goes on from two before knows the trials of both"
    rewritten = library.runs(name, "trial")[0]
    library.past.log_metric(rewritten.info.run_id, "roc_auc", 0.9999)
    page = library.project / "rewritten.html"
    library.done("report", name, "--output", page)
    text = page.read_text()
    number = rewritten.data.tags["slipway.trial"]
    assert f"trial {number} was changed after the search: roc_auc was" in text and "is 0.9999" in text
    assert "0.9999</span>" not in text, "the leaderboard shows what was sealed"


def test_there_is_nothing_to_resume_when_the_space_has_changed(library: "Library"):
    name = library.registered("changed_space", of="late_loans")
    library.edit(name, ("[20, 60]", "[20, 61]"))
    said = library.slipway("run", name, "--resume")
    assert said.code == 2 and "search to resume" in said.err


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_server_that_is_away_in_the_middle_of_a_search_loses_nothing(
    library: "Library", tmp_path: Path, migrated_database: Path
):
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(migrated_database, home / "mlflow.db")
    settings = Settings(library.project, home)
    name = library.vary("late_loans", "server_away", *MANY)
    platform = up(settings, port=0)
    port = int(platform.server.uri.rpartition(":")[2])
    command = [sys.executable, "-m", "slipway", "run", name, "--trials", "16"]
    process = subprocess.Popen(command, env=library.environment(SLIPWAY_HOME=str(home)), stderr=subprocess.PIPE)
    try:
        from mlflow import MlflowClient

        client = MlflowClient(platform.server.uri, platform.server.uri)

        def trials() -> list[str]:
            experiment = client.get_experiment_by_name(name)
            below = "tags.`slipway.kind` = 'trial'"
            runs = client.search_runs([experiment.experiment_id], below) if experiment else []
            return [run.data.tags["slipway.trial"] for run in runs if run.info.status == "FINISHED"]

        wait_for(lambda: len(trials()) >= 3)
        down(settings)
        time.sleep(4)
        up(settings, port=port)
        _, said = process.communicate(timeout=240)
        assert process.returncode == 0, said.decode()
        assert sorted(map(int, trials())) == list(range(1, 17))
    finally:
        process.kill()
        process.wait()
        down(settings)


def test_a_new_search_says_that_one_was_cut_off_and_could_be_resumed(library: "Library"):
    name = library.vary("late_loans", "cut_off_once", *MANY)
    process = started(library, "run", name)
    wait_for(lambda: finished_trials(library, name) >= 2 or process.poll() is not None)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    said = library.slipway("run", name, "--trials", 1)
    assert said.code == 0 and f"`slipway run {name} --resume` would go on with it" in said.err
