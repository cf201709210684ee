"""The server tells of what its registrar does, through a kill of the server and a receiver that fails."""

import os
import threading
from pathlib import Path

import psutil
import pytest
from mlflow import MlflowClient
from mlflow.server import BACKEND_STORE_URI_ENV_VAR
from tests.helpers.receivers import Receiver, web_hook
from tests.helpers.waiting import wait_for
from tests.server.conftest import CANDIDATE, Guarded

from slipway.errors import SpecInvalid, UsageError
from slipway.server.app import start_telling
from slipway.server.identity import Anybody
from slipway.server.own_stores import OwnStores
from slipway.settings import Settings, read_settings
from slipway.workflows.notices.commands import listed
from slipway.workflows.platform import down, up
from slipway.workflows.promotion.registrar import LocalRegistrar

pytestmark = pytest.mark.slow


def kinds(receiver: Receiver) -> list[str]:
    return [
        body.partition(b'"kind": "')[2].partition(b'"')[0].decode() for _, body, status in receiver.got if status == 200
    ]


def ids(receiver: Receiver) -> list[str]:
    return [headers["X-Slipway-Id"] for headers, _, status in receiver.got if status == 200]


def kill(pid: int) -> None:
    leader = psutil.Process(pid)
    for process in [*leader.children(recursive=True), leader]:
        process.kill()


@pytest.mark.release
def test_each_entry_of_the_server_is_told_once_through_kill_and_failure(
    tmp_path: Path, migrated_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_KEY", "secret")
    (tmp_path / "mlflow.db").write_bytes(migrated_database.read_bytes())
    store = f"sqlite:///{tmp_path}/mlflow.db"
    settings = Settings(tmp_path, tmp_path, variables={"AUDIT_KEY": "secret"})
    with web_hook() as receiver:
        (tmp_path / "notices.yaml").write_text(
            f"channels:\n- {{name: audit, kind: webhook, url: 'http://127.0.0.1:{receiver.port}/', secret_env: AUDIT_KEY}}\n"
            "retry: {first_s: 0.05, most_s: 0.2}\n"
        )
        platform = up(settings, port=0)
        try:
            assert "notices go to audit (webhook): every notice" in str(platform)
            guarded = Guarded(platform.server.uri, tmp_path, MlflowClient(store, store))
            name = guarded.model()  # its two entries were written past the server, which tells of them too
            receiver.answers = [500]

            def move(**body: object) -> int:
                return guarded.ask("POST", f"/api/2.0/slipway/models/{name}/movements", json=body).status_code

            assert move(action="promote", version=CANDIDATE, stage="Staging") == 403
            receiver.wait_for(lambda: sorted(kinds(receiver)) == ["promoted", "refused"])
            assert f"{platform.server.uri}/slipway/models/{name}/versions/1".encode() in receiver.got[0][1]
            receiver.answers = [lambda: kill(platform.server.pid)]
            assert move(action="archive", version=CANDIDATE) == 200
            receiver.wait_for(lambda: len(ids(receiver)) == 3)  # and the server died before it could write that down
        finally:
            down(settings)
        up(settings, port=0)
        try:
            receiver.wait_for(lambda: len(ids(receiver)) == 4)
            assert kinds(receiver)[2:] == ["archived", "archived"]
            assert len(set(ids(receiver))) == 3
            assert listed(settings).as_dict()["pending"] in (0, 1)
        finally:
            down(settings)


def test_the_server_tells_of_what_its_own_client_seals(
    tmp_path: Path, migrated_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mlflow.db").write_bytes(migrated_database.read_bytes())
    monkeypatch.setenv(BACKEND_STORE_URI_ENV_VAR, f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv("SLIPWAY_HOME", str(tmp_path))
    sealed = threading.Event()
    stores = OwnStores(Anybody(), sealed=sealed.set)
    stores.client.create_experiment("small/promotions", artifact_location=str(tmp_path / "ledger"))
    stores.client.create_registered_model("small")
    stores.client.create_model_version("small", "s3://models/1")
    with web_hook() as receiver:
        (tmp_path / "notices.yaml").write_text(
            f"channels: [{{name: hook, kind: teams, url: 'http://127.0.0.1:{receiver.port}/'}}]\n"
        )
        start_telling(stores, sealed, read_settings(os.environ, project=tmp_path))
        LocalRegistrar(stores.client, "pia").archive("small", 1, "done with it")
        receiver.wait_for(lambda: len(receiver.got) == 1)
    assert "small version 1 archived, by pia." in receiver.got[0][1].decode()


def test_a_changed_file_is_read_again_and_a_broken_one_leaves_the_last_good_one_and_says_so(
    tmp_path: Path, migrated_database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "mlflow.db").write_bytes(migrated_database.read_bytes())
    monkeypatch.setenv(BACKEND_STORE_URI_ENV_VAR, f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv("SLIPWAY_HOME", str(tmp_path))
    sealed, file = threading.Event(), tmp_path / "notices.yaml"
    stores = OwnStores(Anybody(), sealed=sealed.set)
    stores.client.create_experiment("small/promotions", artifact_location=str(tmp_path / "ledger"))
    stores.client.create_registered_model("small")
    stores.client.create_model_version("small", "s3://models/1")
    reloading = start_telling(stores, sealed, read_settings(os.environ, project=tmp_path))  # there is no file yet

    def said(what: str) -> None:
        LocalRegistrar(stores.client, "pia").comment("small", 1, what)

    def rewrite(text: str) -> None:
        file.write_text(text)
        sealed.set()

    with web_hook() as first, web_hook() as second:
        hooks = "channels: [{{name: hook, kind: teams, url: 'http://127.0.0.1:{}/'}}]\n"
        one, other = hooks.format(first.port), hooks.format(second.port)
        rewrite(one)
        wait_for(lambda: reloading.now is not None)
        said("to the first")
        first.wait_for(lambda: len(first.got) == 1)
        rewrite("channels: 3\n")
        wait_for(lambda: bool(reloading.problem))
        assert "notices.yaml was changed and is not taken" in caplog.text
        said("to the first, too")
        first.wait_for(lambda: len(first.got) == 2)
        rewrite(other)
        wait_for(lambda: not reloading.problem)
        said("to the second")
        second.wait_for(lambda: len(second.got) == 1)
    assert len(first.got) == 2 and "to the second" in second.got[0][1].decode()


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        ("channels: 3\n", SpecInvalid, "channels"),
        (
            "channels: [{name: a, kind: slack, url_env: HOOK_A}]\n",
            UsageError,
            "HOOK_A of channel 'a'; set them where `slipway up` is started",
        ),
    ],
)
def test_no_server_is_started_on_notices_that_cannot_work(
    tmp_path: Path, content: str, error: type[Exception], said: str
) -> None:
    (tmp_path / "notices.yaml").write_text(content)
    with pytest.raises(error, match=said):
        up(Settings(tmp_path, tmp_path), port=0)
    assert not (tmp_path / "server.json").exists()
