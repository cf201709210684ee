"""The server tells of what its registrar does, through a kill of the server and a receiver that fails."""

import os
import signal
from pathlib import Path

import pytest
from mlflow import MlflowClient
from tests.helpers.receivers import Receiver, web_hook
from tests.server.conftest import CANDIDATE, Guarded

from slipway.errors import SpecInvalid, UsageError
from slipway.settings import Settings
from slipway.workflows.notices.commands import listed
from slipway.workflows.platform import down, up


def kinds(receiver: Receiver) -> list[str]:
    return [
        body.partition(b'"kind": "')[2].partition(b'"')[0].decode() for _, body, status in receiver.got if status == 200
    ]


def ids(receiver: Receiver) -> list[str]:
    return [headers["X-Slipway-Id"] for headers, _, status in receiver.got if status == 200]


@pytest.mark.slow
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
            receiver.wait_for(lambda: kinds(receiver) == ["promoted", "refused"])
            assert f"{platform.server.uri}/slipway/models/{name}/versions/2".encode() in receiver.got[-1][1]
            killed = [lambda: os.kill(platform.server.pid, signal.SIGKILL)]
            receiver.answers = list(killed)
            assert move(action="archive", version=CANDIDATE) == 200
            receiver.wait_for(lambda: len(ids(receiver)) == 3)  # and the server died before it could write that down
        finally:
            down(settings)
        up(settings, port=0)
        try:
            receiver.wait_for(lambda: len(ids(receiver)) == 4)
            assert kinds(receiver) == ["promoted", "refused", "archived", "archived"]
            assert len(set(ids(receiver))) == 3
            assert listed(settings).as_dict()["pending"] in (0, 1)
        finally:
            down(settings)


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
