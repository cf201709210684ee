"""The project as MLflow runs it: `mlflow run .` in a process, and where asked in an environment, of its own."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Library

REPOSITORY = Path(__file__).parents[2]
NAME = "airport_delay_minutes"
# What a wrong tracking address or home would leave in the repository.
STRAY = ("mlruns", "mlartifacts", "mlflow.db", ".slipway")


def mlflow_run(library: "Library", folder: Path, *words: str, **environment: str) -> Any:
    """Run the main entry point with three trials and return the run that MLflow made for it."""
    stray = {name for name in STRAY if (REPOSITORY / name).exists()}
    command = [sys.executable, "-m", "mlflow", "run", str(REPOSITORY), "-P", f"experiment={NAME}", "-P", "trials=3"]
    env = library.environment(MLFLOW_TRACKING_URI=library.uri, **environment)
    done = subprocess.run([*command, *words], env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "Warning" not in done.stderr
    assert {name for name in STRAY if (REPOSITORY / name).exists()} == stray
    assert not any((folder / name).exists() for name in STRAY)
    run_id = done.stderr.partition("=== Run (ID '")[2].partition("'")[0]
    return library.client.get_run(run_id)


def latest_version(library: "Library") -> Any:
    return max(library.client.search_model_versions(f"name = '{NAME}'"), key=lambda version: int(version.version))


@pytest.mark.timeout(300)
def test_mlflow_run_ends_with_a_version_and_its_run_becomes_the_search(library: "Library", tmp_path: Path) -> None:
    made = mlflow_run(library, tmp_path, "--env-manager", "local", "--experiment-name", NAME)
    version = latest_version(library)
    assert version.run_id == made.info.run_id
    assert (made.info.status, made.data.tags["slipway.kind"]) == ("FINISHED", "search")
    assert made.data.tags["mlflow.project.entryPoint"] == "main"
    assert (made.data.params["experiment"], made.data.params["trials"]) == (NAME, "3")
    assert made.data.metrics["test_rmse"] < made.data.metrics["test_rmse.hour_rule"]
    children = library.client.search_runs(
        [made.info.experiment_id], f"tags.`mlflow.parentRunId` = '{made.info.run_id}' and tags.`slipway.kind` = 'trial'"
    )
    assert [child.info.status for child in children] == ["FINISHED"] * 3


@pytest.mark.release
@pytest.mark.timeout(600)
def test_mlflow_run_makes_its_own_environment_with_uv_and_links_its_run(library: "Library", tmp_path: Path) -> None:
    uv = shutil.which("uv", path=library.environment()["PATH"])
    if uv is None:
        pytest.skip("there is no uv on the PATH")
    require_registry(uv, tmp_path)
    made = mlflow_run(library, tmp_path, "--env-manager", "uv", MLFLOW_ENV_ROOT=str(tmp_path / "environments"))
    version = latest_version(library)
    assert made.info.status == "FINISHED"
    assert made.data.tags["slipway.run"] == version.run_id
    assert library.client.get_run(version.run_id).data.tags["slipway.kind"] == "search"
    assert list((tmp_path / "environments").glob("*/bin/python"))


def require_registry(uv: str, folder: Path) -> None:
    """Skip the test where no package can be had."""
    (folder / "asked.txt").write_text("six\n")
    ask = [uv, "pip", "compile", "--quiet", "--no-cache", "--python", sys.executable, str(folder / "asked.txt")]
    try:
        subprocess.run(ask, check=True, capture_output=True, timeout=30)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("no package registry can be reached, so no environment can be made")
