"""`slipway notices`: what is pending, sent and failed; check, test and send."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.receivers import Receiver, web_hook
from tests.notices.test_channels import NOTICE

from slipway.cli import main
from slipway.notices.outbox import Outbox


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver, and a home whose notices.yaml names it."""
    monkeypatch.setenv("SLIPWAY_HOME", str(tmp_path))
    with web_hook() as found:
        url = f"http://127.0.0.1:{found.port}/"
        (tmp_path / "notices.yaml").write_text(
            f"channels:\n- {{name: hook, kind: webhook, url: '{url}', notices: [refused]}}\n"
        )
        yield found


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_check_says_who_is_told_of_what_and_sends_nothing(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["notices", "check"]) == 0
    assert said(capsys) == "notices go to hook (webhook): refused\n"
    assert receiver.got == []


def test_without_notices_check_says_how_to_have_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLIPWAY_HOME", str(tmp_path))
    assert main(["notices", "check"]) == 2
    assert "docs/notices.md" in capsys.readouterr().err
    assert main(["notices"]) == 0
    assert said(capsys) == "0 pending, 0 sent, 0 failed\n"
    assert not (tmp_path / "notices.db").exists()


def test_a_test_goes_out_at_once_and_its_failure_is_an_error(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.answers = [200, 500]
    assert main(["notices", "test", "hook"]) == 0
    assert said(capsys) == "the receiver of 'hook' took the test (status 200)\n"
    assert main(["notices", "test", "hook"]) == 3
    assert "did not reach 'hook': status 500" in capsys.readouterr().err
    assert main(["notices", "test", "hok"]) == 2
    assert "did you mean 'hook'?" in capsys.readouterr().err


def test_the_list_shows_what_became_of_each_notice_and_send_tries_what_failed(
    receiver: Receiver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Outbox(tmp_path / "notices.db").add([(NOTICE, "hook")], 0)
    receiver.answers = [404]
    assert main(["notices", "send"]) == 0
    assert "failed   hook  flight_delays version 3 refused Production (attempt 1: status 404)" in said(capsys)
    assert main(["notices", "send", "--failed", "--json"]) == 0
    listed = json.loads(said(capsys))
    assert (listed["pending"], listed["sent"], listed["failed"]) == (0, 1, 0)
    (delivery,) = listed["notices"]
    assert (delivery["state"], delivery["notice"]["id"], delivery["notice"]["version"]) == ("sent", "id-1", 3)
    assert main(["notices"]) == 0
    assert said(capsys).endswith(
        "sent     hook  flight_delays version 3 refused Production\n0 pending, 1 sent, 0 failed\n"
    )
