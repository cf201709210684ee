"""`slipway serve` beside a registry in which versions move, that goes away, and that is lied to."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from mlflow import MlflowClient
from tests.helpers.constant_load import Load
from tests.helpers.services import live, port_of, post
from tests.helpers.versions import ASKED, VERSIONS, answers_of, make_versions
from tests.helpers.waiting import wait_for

from slipway.cli import main
from slipway.processes import child_environment
from slipway.registry.artifacts.local_cache import tell_moved
from slipway.registry.stages import move
from slipway.registry.trust import DIGEST, artifact_digest
from slipway.settings import Settings
from slipway.types import Stage
from slipway.workflows.platform import down, up

NAME = "tides"


@dataclass
class Registry:
    """A server of its own with versions 1, 2 and 3 of one model; the first is in Production."""

    project: Path
    home: Path
    folders: Path
    expected: dict[str, list[bytes]]
    client: MlflowClient

    @property
    def settings(self) -> Settings:
        return Settings(self.project, self.home)

    def move(self, version: int, tell: bool = True, name: str = NAME, stage: Stage = Stage.PRODUCTION) -> None:
        """Move a version past the gates of the server, which are tested elsewhere."""
        database = f"sqlite:///{self.home / 'mlflow.db'}"
        move(MlflowClient(database, database), name, version, stage)
        if tell:
            tell_moved(self.home, NAME)

    def serve(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "slipway", "serve", NAME, "--port", "0", "--json", "--workers", "2", *words]
        env = child_environment({"SLIPWAY_HOME": str(self.home)}, without=("MLFLOW_", "SLIPWAY_", "PYTEST_"))
        return subprocess.Popen(
            command, env=env, cwd=self.project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Iterator[Registry]:
    project = tmp_path_factory.mktemp("harbour")
    (project / "experiments").mkdir()
    home = project / ".slipway"
    home.mkdir()
    shutil.copy(migrated_database, home / "mlflow.db")
    folders = make_versions(project / "versions")
    client = connected(project, home)
    client.create_registered_model(NAME)
    for number in VERSIONS:
        run = client.create_run("0")
        client.log_artifacts(run.info.run_id, str(folders / str(number)), "model")
        digest = artifact_digest(folders / str(number))
        source = f"{run.info.artifact_uri}/model"
        client.create_model_version(NAME, source, run.info.run_id, tags={DIGEST: digest})
    registry = Registry(project, home, folders, answers_of(folders), client)
    registry.move(1)
    try:
        yield registry
    finally:
        down(registry.settings)


def connected(project: Path, home: Path) -> MlflowClient:
    uri = up(Settings(project, home), port=0).server.uri
    return MlflowClient(uri, uri)


@pytest.fixture
def serving(registry: Registry) -> Iterator[subprocess.Popen[str]]:
    with registry.serve() as process:
        yield process
        process.kill()


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def test_a_service_follows_its_stage_under_load_and_ends_with_all_that_was_accepted_answered(
    registry: Registry, serving: subprocess.Popen[str]
) -> None:
    port = port_of(serving)
    live(port, "1")
    took = {}
    with Load(port, ASKED, registry.expected) as load:
        for version, tell in ((2, True), (3, False), (2, True), (1, False)):
            registry.move(version, tell)
            took[f"{version}, {'told' if tell else 'seen'}"] = round(live(port, str(version)), 2)
        assert load.failed == []
        load.ending = True
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(120) == 0
    assert load.failed == []
    assert load.refused == load.kept + load.fresh
    print(f"\n{sum(load.answered.values())} answers, {load.sent_again} sent again; live after s: {took}")


def test_without_its_registry_a_service_goes_on_and_starts_again_from_its_copy(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.move(2)
    with registry.serve() as first:
        port = port_of(first)
        live(port, "2")
        down(registry.settings)
        time.sleep(2.5)
        assert post(port, ASKED[0][1])[:2] == (200, "2")
        first.send_signal(signal.SIGHUP)  # its terminal is closed
        assert first.wait(120) == 0
    try:
        with registry.serve() as again:
            port = port_of(again)
            assert post(port, ASKED[0][1]) == (200, "2", registry.expected["2"][0])
            registry.client = connected(registry.project, registry.home)
            registry.move(3)
            live(port, "3")  # the registry is back, at another address
            again.terminate()
            assert again.wait(120) == 0
        registry.move(2)
        with registry.serve() as third:
            live(port_of(third), "2")
            third.terminate()
            third.wait(120)
        down(registry.settings)
        copy = registry.home / "models" / NAME / "2" / "model.skops"
        content = bytearray(copy.read_bytes())
        content[len(content) // 2] ^= 1
        copy.write_bytes(content)
        monkeypatch.setenv("SLIPWAY_HOME", str(registry.home))
        monkeypatch.chdir(registry.project)
        code = main(["serve", NAME, "--port", "0"])
        said = capsys.readouterr().err
        assert (code, "changed" in said) == (1, True), said
    finally:
        registry.client = connected(registry.project, registry.home)
    with registry.serve() as healed:  # a sound copy takes the place of the other
        live(port_of(healed), "2")
        healed.terminate()
        healed.wait(120)


def test_kill_9_of_a_service_ends_everything_of_it(registry: Registry, serving: subprocess.Popen[str]) -> None:
    port = port_of(serving)
    wait_for(
        lambda: len(family(serving)) >= 4, 30.0
    )  # the nursery, two fronts, a back, which may come after the answers
    processes = family(serving)
    os.kill(serving.pid, signal.SIGKILL)
    wait_for(lambda: not any(process.is_running() for process in processes))
    with pytest.raises(ConnectionRefusedError):
        post(port, ASKED[0][1])


def test_several_models_are_answered_by_their_names(registry: Registry) -> None:
    other = "currents"
    registry.client.create_registered_model(other)
    found = registry.client.get_model_version(NAME, "3")
    registry.client.create_model_version(other, found.source, found.run_id, tags=dict(found.tags))
    registry.move(1, name=other, stage=Stage.STAGING)
    registry.move(1, stage=Stage.STAGING)
    with registry.serve(other, "--stage", "Staging") as serving:
        port = port_of(serving)
        for name, version, said in ((NAME, "1", "1"), (other, "1", "3")):
            status, found_version, body = post(port, ASKED[0][1], path=f"/models/{name}/invocations")
            assert (status, found_version, body) == (200, version, registry.expected[said][0])
        serving.terminate()
        assert serving.wait(120) == 0


def test_a_registry_that_is_a_database_is_followed_too(registry: Registry) -> None:
    for version in ("1", "2"):  # where these come from is a matter of their addresses, which name a server
        shutil.copytree(registry.folders / version, registry.home / "models" / NAME / version, dirs_exist_ok=True)
    registry.move(1)
    with registry.serve("--tracking-uri", f"sqlite:///{registry.home / 'mlflow.db'}") as serving:
        port = port_of(serving)
        live(port, "1")
        registry.move(2)
        live(port, "2")
        serving.terminate()
        assert serving.wait(120) == 0
