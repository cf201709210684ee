import subprocess
from pathlib import Path

import pytest

from slipway.tracking.lineage import GIT_REMOTE, git_state

ME = ("-c", "user.name=reader", "-c", "user.email=reader@library.example")


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *ME, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def rides(tmp_path: Path) -> Path:
    """The folder of an experiment that is committed, in a project that ignores some files."""
    folder = tmp_path / "experiments" / "rides"
    folder.mkdir(parents=True)
    (tmp_path / ".gitignore").write_text("*.csv\n__pycache__/\nexperiments/hidden/\n*_own.py\n")
    for name in ("experiment.yaml", "features.py"):
        (folder / name).write_text("as committed\n")
    for words in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "--message", "Rides")):
        git(tmp_path, *words)
    return folder


def dirty(folder: Path) -> str:
    return git_state(folder.parents[1], folder)["slipway.git_dirty"]


def test_an_experiment_that_is_all_committed_is_clean_whatever_lies_elsewhere(rides: Path) -> None:
    (rides.parents[1] / "notes.txt").write_text("untracked, and no run reads it")
    (rides.parent / "boats").mkdir()
    (rides.parent / "boats" / "experiment.yaml").write_text("of another experiment")
    assert dirty(rides) == "false"
    state = git_state(rides.parents[1], rides)
    assert state["slipway.git_commit"] == state["mlflow.source.git.commit"] == git(rides, "rev-parse", "HEAD")


@pytest.mark.parametrize("changed", ["experiments/rides/experiment.yaml", ".gitignore"])
def test_a_committed_file_that_was_changed_makes_it_dirty(rides: Path, changed: str) -> None:
    (rides.parents[1] / changed).write_text("changed\n")
    assert dirty(rides) == "true"


@pytest.mark.parametrize("name", ["boats", "hidden"])
def test_an_experiment_that_was_never_committed_is_dirty_also_where_git_ignores_it(rides: Path, name: str) -> None:
    folder = rides.parent / name
    folder.mkdir()
    (folder / "experiment.yaml").write_text("new\n")
    assert dirty(folder) == "true"


@pytest.mark.parametrize("new", ["more.py", "more.parquet", "part/own_own.py", "more_own.py", "grüße.py"])
def test_a_file_of_the_experiment_that_was_never_committed_makes_it_dirty_code_also_where_it_is_ignored(
    rides: Path, new: str
) -> None:
    (rides / new).parent.mkdir(exist_ok=True)
    (rides / new).write_text("new\n")
    assert dirty(rides) == "true"


@pytest.mark.parametrize("new", ["rows.csv", "__pycache__/features.pyc"])
def test_rows_and_caches_that_git_ignores_leave_it_clean(rides: Path, new: str) -> None:
    (rides / new).parent.mkdir(exist_ok=True)
    (rides / new).write_text("new\n")
    assert dirty(rides) == "false"


def test_what_is_in_no_checkout_says_nothing(tmp_path: Path) -> None:
    assert git_state(tmp_path, tmp_path) == {}


@pytest.mark.parametrize(
    ("remote", "page"),
    [
        ("https://ana:secret@github.com/city/rides.git", "https://github.com/city/rides"),
        ("git@gitlab.city.net:a/rides.git", "https://gitlab.city.net/a/rides"),
        ("/srv/git/rides.git", None),
    ],
)
def test_a_run_keeps_the_web_page_of_its_remote_and_no_password(rides: Path, remote: str, page: str | None) -> None:
    assert GIT_REMOTE not in git_state(rides.parents[1], rides)
    git(rides, "remote", "add", "origin", remote)
    assert git_state(rides.parents[1], rides).get(GIT_REMOTE) == page
