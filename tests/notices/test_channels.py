"""What every channel promises, tried on each with a receiver that takes, refuses, fails, is slow or is not there."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.receivers import Receiver, certificate, mail_server, web_hook

from slipway.notices.channel import Channel
from slipway.notices.chats import Slack, Teams, slack_message, teams_message
from slipway.notices.mail import Mail
from slipway.notices.notice import Notice, NoticeKind
from slipway.notices.webhook import Webhook
from slipway.processes import free_port

SECRET = "kept-to-ourselves"
NOTICE = Notice(
    "id-1", NoticeKind.REFUSED, "flight_delays", 3, "Production", "flight_delays version 3 refused Production",
    "flight_delays version 3 refused Production, by ana.\nthresholds: too low.",
    "http://board/slipway/models/flight_delays/versions/3", "ana", 1_700_000_000_123,
)  # fmt: skip


@dataclass
class Line:
    """A channel and the receiver at its end. id_of: the id in what the receiver got."""

    channel: Channel
    receiver: Receiver
    id_of: Callable[[Any], str]


def _in_the_header(got: Any) -> str:
    return str(got[0]["X-Slipway-Id"])


def _mail(port: int, timeout_s: float = 5.0, **more: Any) -> Mail:
    facts = {"tls": "none", "user": "", "password": ""} | more
    return Mail("127.0.0.1", port, sender="slipway@example.com", to=("ana@example.com",), timeout_s=timeout_s, **facts)


CHANNELS: dict[str, Callable[[int, float], Channel]] = {
    "webhook": lambda port, timeout: Webhook(f"http://127.0.0.1:{port}/{SECRET}", SECRET, timeout),
    "slack": lambda port, timeout: Slack(f"http://127.0.0.1:{port}/{SECRET}", timeout),
    "teams": lambda port, timeout: Teams(f"http://127.0.0.1:{port}/{SECRET}", timeout),
    "email": _mail,
}


@pytest.fixture(params=CHANNELS)
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    kind = str(request.param)
    with mail_server() if kind == "email" else web_hook() as receiver:
        yield Line(
            CHANNELS[kind](receiver.port, 0.5),
            receiver,
            (lambda got: str(got[1]["X-Slipway-Id"])) if kind == "email" else _in_the_header,
        )


def test_a_notice_that_was_taken_is_sent_with_its_id(line: Line) -> None:
    attempt = line.channel.send(NOTICE)
    assert attempt.sent
    (got,) = line.receiver.got
    assert line.id_of(got) == "id-1"


def test_the_id_is_the_same_on_each_attempt(line: Line) -> None:
    line.receiver.answers = [500]
    assert [line.channel.send(NOTICE).sent, line.channel.send(NOTICE).sent] == [False, True]
    assert {line.id_of(got) for got in line.receiver.got} == {"id-1"}


def test_a_receiver_that_fails_is_tried_again(line: Line) -> None:
    line.receiver.answers = [500]
    attempt = line.channel.send(NOTICE)
    assert (attempt.sent, attempt.final) == (False, False)


def test_a_receiver_that_says_no_is_not(line: Line) -> None:
    line.receiver.answers = [400]
    attempt = line.channel.send(NOTICE)
    assert (attempt.sent, attempt.final) == (False, True)


def test_a_slow_receiver_is_left_after_the_timeout(line: Line) -> None:
    line.receiver.answers = [lambda: time.sleep(3)]
    attempt = line.channel.send(NOTICE)
    assert (attempt.sent, attempt.final, attempt.why) == (False, False, "no answer within 0.5 s")


@pytest.mark.parametrize("kind", CHANNELS)
def test_where_nobody_listens_it_is_tried_again_and_neither_address_nor_secret_is_told(kind: str) -> None:
    channel = CHANNELS[kind](free_port("127.0.0.1", 0), 0.5)
    attempt = channel.send(NOTICE)
    assert (attempt.sent, attempt.final) == (False, False)
    assert attempt.why == "no connection (Connection refused)"
    assert SECRET not in repr(channel)


def test_what_a_person_wrote_breaks_no_channel(line: Line) -> None:
    odd = replace(
        NOTICE, title="a\r\nBcc: eve@example.com\n<!channel> \ud800", text="<!channel> *b* [a](http://evil) \u202e"
    )
    assert line.channel.send(odd).sent
    (got,) = line.receiver.got
    if isinstance(line.channel, Mail):
        assert got[1]["Bcc"] is None and "eve" in got[1]["Subject"]
    else:
        json.loads(got[1])


# ---- the web-hook


@pytest.fixture
def verify() -> Callable[[dict[str, str], bytes, str, float], bool]:
    """The function by which docs/notices.md lets a receiver tell."""
    page = (Path(__file__).parents[2] / "docs/notices.md").read_text()
    written: dict[str, Any] = {}
    exec(page.partition("```python verify.py\n")[2].partition("```")[0], written)
    return written["verify"]  # type: ignore[no-any-return]


def test_a_receiver_can_tell_that_a_notice_is_ours_and_new(verify: Callable[..., bool]) -> None:
    with web_hook() as receiver:
        assert CHANNELS["webhook"](receiver.port, 5).send(NOTICE).sent
    ((headers, body, _),) = receiver.got
    assert verify(headers, body, SECRET, time.time())
    assert not verify(headers, body + b" ", SECRET, time.time())
    assert not verify(headers, body, "another", time.time())
    assert not verify(headers, body, SECRET, time.time() + 3600)
    assert Notice.from_dict(json.loads(body)) == NOTICE


@pytest.mark.parametrize("status", [301, 307])
def test_a_redirect_is_not_followed(status: int) -> None:
    with web_hook() as receiver, web_hook() as elsewhere:
        receiver.answers, receiver.headers = [status], {"Location": f"http://127.0.0.1:{elsewhere.port}/"}
        attempt = CHANNELS["webhook"](receiver.port, 5).send(NOTICE)
    assert (attempt.sent, attempt.final) == (False, True)
    assert elsewhere.got == []


@pytest.mark.parametrize(
    ("status", "final"), [(204, True), (404, True), (401, True), (408, False), (425, False), (429, False), (503, False)]
)
def test_a_status_says_whether_it_is_worth_another_attempt(status: int, final: bool) -> None:
    with web_hook() as receiver:
        receiver.answers = [status]
        attempt = CHANNELS["webhook"](receiver.port, 5).send(NOTICE)
    assert (attempt.sent, attempt.final) == (status == 204, final)


@pytest.mark.parametrize(
    ("told", "rest_s"), [("7", 7.0), ("99999999", 86_400.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None)]
)
def test_retry_after_is_how_long_the_receiver_wants_to_rest(told: str, rest_s: float | None) -> None:
    with web_hook() as receiver:
        receiver.answers, receiver.headers = [429], {"Retry-After": told}
        assert CHANNELS["webhook"](receiver.port, 5).send(NOTICE).rest_s == rest_s


def test_no_password_of_netrc_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ana password hers\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with web_hook() as receiver:
        assert CHANNELS["webhook"](receiver.port, 5).send(NOTICE).sent
    assert "Authorization" not in receiver.got[0][0]


def test_user_and_password_of_an_address_that_a_variable_holds_are_sent() -> None:
    with web_hook() as receiver:
        assert Slack(f"http://ana:hers@127.0.0.1:{receiver.port}/", 5).send(NOTICE).sent
    assert receiver.got[0][0]["Authorization"] == "Basic YW5hOmhlcnM="


def test_tls_takes_a_certificate_that_is_trusted(tmp_path: Path) -> None:
    file, context = certificate(tmp_path)
    with web_hook(context) as receiver:
        url = f"https://127.0.0.1:{receiver.port}/"
        assert Webhook(url, SECRET, 5, file).send(NOTICE).sent
        attempt = Webhook(url, SECRET, 5).send(NOTICE)
    assert (attempt.sent, attempt.final) == (False, False) and "certificate" in attempt.why
    assert len(receiver.got) == 1


# ---- chats


def test_a_chat_shows_what_people_wrote_as_they_wrote_it() -> None:
    odd = replace(NOTICE, title="<!channel>", text="<!channel>\n[here](http://evil)")
    message = slack_message(odd)
    assert message["text"] == "&lt;!channel&gt;"
    assert [block["text"]["type"] for block in message["blocks"][:2]] == ["plain_text", "plain_text"]
    card = teams_message(odd)["attachments"][0]["content"]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "The page on the board", "url": NOTICE.link}]


# ---- mail


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_mail_goes_by_tls_and_login(tls: str, tmp_path: Path) -> None:
    file, context = certificate(tmp_path)
    with mail_server(context, from_the_start=tls == "tls", login=("slipway", SECRET)) as receiver:
        right = _mail(receiver.port, tls=tls, user="slipway", password=SECRET, ca=file)
        assert right.send(NOTICE).sent
        wrong = replace(right, password="guessed").send(NOTICE)
        untrusted = replace(right, ca=None).send(NOTICE)
    assert (wrong.sent, wrong.final) == (False, True) and "535" in wrong.why
    assert (untrusted.sent, untrusted.final) == (False, False) and "TLS" in untrusted.why
    ((to, message, _),) = receiver.got
    assert to == ["TO:<ana@example.com>"]
    assert message["Message-ID"] == "<id-1@slipway>"
    assert message["Subject"] == "[slipway] flight_delays version 3 refused Production"
    assert NOTICE.link in message.get_content()


def test_a_password_is_not_sent_to_a_mail_server_without_starttls() -> None:
    with mail_server(login=("slipway", SECRET)) as receiver, contextlib.nullcontext():
        attempt = _mail(receiver.port, tls="starttls", user="slipway", password=SECRET).send(NOTICE)
    assert (attempt.sent, attempt.final) == (False, True) and "STARTTLS" in attempt.why
    assert receiver.got == []
