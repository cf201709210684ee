import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest

import slipway
from slipway.cli import failures, main
from slipway.cli.app import COMMANDS, app
from slipway.errors import NoServer, Refusal, SpecInvalid, UnknownName

HEAVY = ("mlflow", "pandas", "sklearn", "numpy", "hyperopt", "matplotlib", "psutil", "pydantic")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Put a command `fail` beside the others that raises what it is given."""

    def put(error: BaseException) -> None:
        def fail() -> None:
            raise error

        monkeypatch.setattr(f"{__name__}.fail", click.command()(fail), raising=False)
        monkeypatch.setitem(COMMANDS, "fail", f"{__name__}:fail")

    return put


@pytest.fixture
def empty_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "experiments").mkdir()
    (tmp_path / "deeper" / "still").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deeper" / "still")
    monkeypatch.delenv("SLIPWAY_HOME", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def test_a_refusal_of_mlflow_s_own_login_is_no_line_of_its_protocol() -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import PERMISSION_DENIED

    said = "API request to endpoint /api/x failed with error code 403 != 200. Response body: 'Permission denied'"
    bare = MlflowException(said, error_code=PERMISSION_DENIED)
    message, code = failures.explain(bare, [])
    assert code == 1 and message.startswith("the tracking server does not let this user do that")
    ours = MlflowException("PERMISSION_DENIED: eva is a reader", error_code=PERMISSION_DENIED)
    assert failures.explain(ours, []) == ("eva is a reader", 1)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from slipway.cli import main; code = main(sys.argv[1:]); "
        f"print([name for name in {HEAVY!r} if name in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_lists_every_command_with_a_whole_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:")[2].partition("Example:")[0].strip().splitlines()
    assert [line.split()[0] for line in listed] == list(COMMANDS)
    assert all(line.endswith(".") and not line.endswith("...") for line in listed)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_of_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert f"slipway {name}" in capsys.readouterr().out.partition("Example:")[2]


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert slipway.__version__ in capsys.readouterr().out


def test_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["promot"]) == 2
    assert "did you mean 'promote'?" in capsys.readouterr().err


def test_an_unknown_option_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "flights", "--trails", "3"]) == 2
    assert "--trials" in capsys.readouterr().err


def test_an_unknown_stage_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["promote", "flights", "1", "Prodcution"]) == 2
    assert "did you mean 'Production'? There is: Staging, Production\n" in capsys.readouterr().err


def test_what_is_no_number_is_told_without_ranges(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["promote", "flights", "abc", "Staging"]) == 2
    assert "'abc' is not a valid integer." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Refusal("not better than the baseline"), 1, "slipway: not better than the baseline\n"),
        (UnknownName("experiment", "flihgts", ["flights"]), 2, "did you mean 'flights'"),
        (SpecInvalid("experiment.yaml", []), 2, "0 problem(s) in experiment.yaml"),
        (NoServer("no server"), 3, "slipway: no server\n"),
        (KeyboardInterrupt(), 130, "slipway: stopped\n"),
        (failures.Terminated(), 143, "slipway: stopped\n"),
        (OSError(errno.ENOSPC, "No space left on device", "out.csv"), 3, "the disk is full (out.csv); free some space"),
        (ValueError("line one\nline two"), 3, "unexpected ValueError: line one; run again with --debug"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_an_error_becomes_a_sentence_and_an_exit_code(
    error: BaseException,
    code: int,
    said: str,
    failing: Callable[[BaseException], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing(error)
    assert main(["fail"]) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_the_traceback_is_shown_with_debug(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    failing(ValueError("odd"))
    assert main(["--debug", "fail"]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_an_error_that_is_its_own_cause_is_told_like_any_other(failing: Callable[[BaseException], None]) -> None:
    ring = ValueError("ring")
    ring.__cause__ = ring
    failing(ring)
    assert main(["fail"]) == 3


def test_a_server_that_does_not_answer_is_told_in_plain_words(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    requests = pytest.importorskip("requests")
    try:
        try:
            requests.get("http://127.0.0.1:1/", timeout=5)
        except requests.exceptions.ConnectionError as error:
            raise RuntimeError(f"API request failed with exception {error}") from None  # as mlflow does: context only
    except RuntimeError as error:
        failing(error)
    assert main(["fail"]) == 3
    assert "the tracking server does not answer" in capsys.readouterr().err


def test_without_a_server_the_command_says_how_to_start_one(
    empty_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "flights"]) == 3
    said = capsys.readouterr().err
    assert f"no tracking server is up in {empty_project}/.slipway" in said
    assert "slipway up" in said


@pytest.mark.parametrize("before", [True, False])
def test_project_is_taken_before_and_after_the_command(
    before: bool, empty_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    option = ["--project", str(other)]
    assert main([*option, "down"] if before else ["down", *option]) == 0
    assert f"in {other}/.slipway" in capsys.readouterr().out


def test_down_without_a_server_is_done_and_leaves_no_folder(
    empty_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["down", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"stopped": None}
    assert not (empty_project / ".slipway").exists()


def test_a_home_that_cannot_be_written_is_told_with_the_way_out(
    empty_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (empty_project / ".slipway").touch()
    assert main(["up", "--detach"]) == 3
    assert "SLIPWAY_HOME" in capsys.readouterr().err


def test_an_unknown_setting_is_wrong_usage_but_help_still_helps(
    empty_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_HOEM", "/tmp")
    assert main(["down"]) == 2
    assert main(["down", "--help"]) == 0


def test_a_reader_that_goes_away_is_met_in_silence() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as stdout:
        command = [sys.executable, "-m", "slipway", "--help"]
        done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_behind_stdout_is_told() -> None:
    with Path("/dev/full").open("wb") as stdout:
        command = [sys.executable, "-m", "slipway", "--help"]
        done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, check=False, text=True)
    assert done.returncode == 3
    assert done.stderr == "slipway: the disk is full; free some space and run the command again\n"


WAITING = """
import sys, time, types, click
from slipway.cli import main
from slipway.cli.app import COMMANDS
def wait():
    print("waiting", flush=True)
    try:
        time.sleep(60)
    finally:
        print("closed", flush=True)
module = types.ModuleType("waiting")
module.wait = click.command()(wait)
sys.modules["waiting"] = module
COMMANDS["wait"] = "waiting:wait"
sys.exit(main(["wait"]))
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_lets_the_command_close_what_it_opened(number: signal.Signals, code: int) -> None:
    command = [sys.executable, "-c", WAITING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "waiting\n"
        time.sleep(0.1)
        child.send_signal(number)
        out, err = child.communicate(timeout=120)
    assert (child.returncode, out, err) == (code, "closed\n", "slipway: stopped\n")


def test_under_nohup_the_end_of_the_terminal_ends_nothing() -> None:
    command = ["nohup", sys.executable, "-c", WAITING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "waiting\n"
        child.send_signal(signal.SIGHUP)
        time.sleep(0.1)
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=20)
    assert child.returncode == 143


def test_commands_are_in_the_table_under_their_own_names() -> None:
    context = click.Context(app)
    assert [app.get_command(context, name).name for name in COMMANDS] == list(COMMANDS)  # type: ignore[union-attr]
