"""Commands on a plain server, and services, tell by themselves; what cannot be told stops neither."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient
from tests.helpers.receivers import Receiver, web_hook
from tests.notices.test_composing import RECORD

from slipway.registry.permissions import Operation
from slipway.settings import Settings
from slipway.workflows.notices.canary import variant_teller
from slipway.workflows.notices.commands import listed, send
from slipway.workflows.promotion.registrar import registrar_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"),
]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with web_hook() as found:
        yield found


@pytest.fixture
def settings(tmp_path: Path, receiver: Receiver) -> Settings:
    (tmp_path / "notices.yaml").write_text(
        f"channels:\n- {{name: hook, kind: webhook, url: 'http://127.0.0.1:{receiver.port}/', secret_env: KEY}}\n"
        "retry: {first_s: 0.01, most_s: 0.01}\n"
    )
    return Settings(tmp_path, tmp_path, user="pia", variables={"KEY": "secret"})


@pytest.fixture
def archive(store: MlflowClient, settings: Settings) -> Callable[..., None]:
    """Returns what archives the one version there is, as `slipway archive` does, and waits until all is told."""
    store.create_registered_model("small")
    store.create_model_version("small", "s3://models/1")

    def archive(**more: object) -> None:
        before = set(threading.enumerate())
        chosen = replace(settings, **more)  # type: ignore[arg-type]
        registrar_of(store, chosen, Operation.ARCHIVE, "small").archive("small", 1, "done with it")
        for thread in set(threading.enumerate()) - before:
            thread.join(60)

    return archive


def test_a_command_on_a_plain_server_tells_what_it_did(archive: Callable[..., None], receiver: Receiver) -> None:
    archive()
    ((headers, body, _),) = receiver.got
    assert headers["X-Slipway-Signature"] and b"small version 1 archived, by pia" in body


def test_a_receiver_that_fails_fails_no_command_and_gets_it_by_the_next_round(
    archive: Callable[..., None], receiver: Receiver, settings: Settings
) -> None:
    receiver.answers = [500]
    archive()
    assert listed(settings).as_dict()["pending"] == 1
    time.sleep(0.02)
    assert send(settings).as_dict()["sent"] == 1
    assert len(receiver.got) == 2


@pytest.mark.parametrize("content", ["channels: [", ""])
def test_notices_that_cannot_be_told_stop_no_command(
    archive: Callable[..., None],
    store: MlflowClient,
    settings: Settings,
    content: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if content:
        (settings.home / "notices.yaml").write_text(content)
    archive(variables={})
    assert "nothing is told" in caplog.text
    assert store.get_model_version("small", "1").current_stage == "Archived"


def test_an_outbox_that_cannot_be_written_stops_no_command(
    archive: Callable[..., None], store: MlflowClient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    (settings.home / "notices.db").mkdir()
    archive()
    assert "cannot be written" in caplog.text
    assert store.get_model_version("small", "1").current_stage == "Archived"


def test_a_service_tells_the_end_of_its_canary_once(settings: Settings, receiver: Receiver) -> None:
    tell = variant_teller(settings)
    ended = replace(RECORD, at=time.time() + 1)
    tell(replace(ended, at=0))  # of a time before there was an outbox
    for _ in range(3):
        tell(ended)
    receiver.wait_for(lambda: len(receiver.got) == 1)
    tell(replace(ended, model="other"))
    receiver.wait_for(lambda: len(receiver.got) == 2)
    assert b'"kind": "canary_ended", "model": "small"' in receiver.got[0][1]
    assert b'"model": "other"' in receiver.got[1][1]


def test_a_service_without_usable_notices_serves_on(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    (settings.home / "notices.yaml").write_text("channels: [")
    variant_teller(settings)(RECORD)
    assert "nothing is told of canaries" in caplog.text
