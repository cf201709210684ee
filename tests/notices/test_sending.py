"""The outbox and its senders, against receivers that fail, with processes that are killed: nothing lost, nothing twice."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.helpers.receivers import Receiver, web_hook
from tests.notices.test_channels import NOTICE

from slipway.notices.channel import Attempt, Channel, failed, sent
from slipway.notices.config import Retry
from slipway.notices.notice import Notice
from slipway.notices.outbox import DeliveryState, Outbox
from slipway.notices.sending import Sender
from slipway.notices.webhook import Webhook
from slipway.processes import child_environment

AT_ONCE = Retry(first_s=0.02, most_s=0.05, give_up_after_h=1)


def notices(count: int) -> list[Notice]:
    return [replace(NOTICE, id=f"id-{number}") for number in range(count)]


def filled(home: Path, count: int = 1, channel: str = "hook") -> Outbox:
    outbox = Outbox(home / "notices.db")
    outbox.add([(notice, channel) for notice in notices(count)], now())
    return outbox


def now() -> int:
    return int(time.time() * 1000)


def sender(outbox: Outbox, channel: Channel, folder: Path, name: str = "hook", retry: Retry = AT_ONCE) -> Sender:
    return Sender(name, channel, outbox, retry, folder / "notices" / f"{name}.lock", 0.05)


def hook(receiver: Receiver) -> Webhook:
    return Webhook(f"http://127.0.0.1:{receiver.port}/", "secret", 10)


def ids(receiver: Receiver) -> list[str]:
    return [headers["X-Slipway-Id"] for headers, _, status in receiver.got if status == 200]


def until(done: object, timeout_s: float = 60.0) -> None:
    assert callable(done)
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# ---- the outbox


def test_a_notice_is_in_the_outbox_once_a_channel(tmp_path: Path) -> None:
    outbox = filled(tmp_path, 2)
    outbox.add([(notice, channel) for notice in notices(2) for channel in ("hook", "mail")], now())
    assert [(each.notice.id, each.channel) for each in outbox.latest(10)] == [
        ("id-0", "hook"), ("id-1", "hook"), ("id-0", "mail"), ("id-1", "mail"),
    ]  # fmt: skip


def test_only_its_owner_may_read_the_outbox(tmp_path: Path) -> None:
    filled(tmp_path)
    assert (tmp_path / "notices.db").stat().st_mode & 0o077 == 0


def test_notices_and_cursor_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "notices.db")
    with pytest.raises(sqlite3.Error):
        outbox.add([(NOTICE, "hook")], now(), ("small", None))  # type: ignore[arg-type]
    assert (outbox.latest(10), outbox.cursors()) == ([], {})
    outbox.add([(NOTICE, "hook")], now(), ("small", "h1"))
    assert (len(outbox.latest(10)), outbox.cursors()) == (1, {"small": "h1"})


def test_an_outbox_begins_when_it_is_first_used_and_stays_so(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "notices.db")
    before = now()
    begun = first.begun_ms
    assert begun <= before
    assert Outbox(tmp_path / "notices.db").begun_ms == begun
    (tmp_path / "notices.db").unlink()
    assert first.begun_ms >= before


def test_an_outbox_that_could_not_be_made_is_made_later_and_begins_when_the_process_did(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("in the way")
    outbox, before = Outbox(home / "notices.db"), now()
    with pytest.raises(OSError):
        outbox.begin()
    home.unlink()
    assert outbox.begun_ms <= before


# ---- attempts


def test_a_receiver_that_fails_twice_gets_the_notice_once_it_takes_it(tmp_path: Path) -> None:
    outbox = filled(tmp_path)
    with web_hook() as receiver:
        receiver.answers = [500, 503]
        at_work = sender(outbox, hook(receiver), tmp_path)
        until(lambda: at_work.send_due() or not outbox.counts()[DeliveryState.PENDING])
    (delivery,) = outbox.latest(10)
    assert (delivery.state, delivery.attempts, delivery.why) == ("sent", 3, "status 200")
    assert [status for _, _, status in receiver.got] == [500, 503, 200]


def test_each_attempt_waits_about_twice_as_long_up_to_a_bound(tmp_path: Path) -> None:
    at_work = sender(filled(tmp_path), hook(Receiver()), tmp_path, retry=Retry(first_s=2, most_s=60))
    waits = [at_work._wait_s(attempts) for attempts in range(200)]
    assert all(2**n <= waits[n] <= 2 ** (n + 1) for n in range(5))
    assert all(30 <= wait <= 60 for wait in waits[5:])
    assert len(set(waits[5:])) > 1


def test_a_notice_is_given_up_after_its_time_and_can_be_sent_again_by_hand(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "notices.db")
    outbox.add([(NOTICE, "hook")], now() - 3_600_001)
    with web_hook() as receiver:
        receiver.answers = [500]
        at_work = sender(outbox, hook(receiver), tmp_path)
        at_work.send_due()
        (delivery,) = outbox.latest(10)
        assert (delivery.state, delivery.why) == ("failed", "given up after 1 h: status 500")
        assert outbox.renew(now()) == 1
        at_work.send_due()
    assert [each.state for each in outbox.latest(10)] == ["sent"]


def test_what_a_receiver_refuses_is_recorded_and_not_tried_again(tmp_path: Path) -> None:
    outbox = filled(tmp_path)
    with web_hook() as receiver:
        receiver.answers = [410]
        at_work = sender(outbox, hook(receiver), tmp_path)
        at_work.send_due()
        at_work.send_due()
    (delivery,) = outbox.latest(10)
    assert (delivery.state, delivery.why, len(receiver.got)) == ("failed", "status 410", 1)


def test_a_receiver_that_wants_a_rest_gets_one_for_all_that_is_pending(tmp_path: Path) -> None:
    outbox = filled(tmp_path, 3)
    with web_hook() as receiver:
        receiver.answers, receiver.headers = [429], {"Retry-After": "600"}
        sender(outbox, hook(receiver), tmp_path).send_due()
        assert len(receiver.got) == 1
    assert all(each.due_ms > now() + 500_000 for each in outbox.latest(10))


class Faulty:
    """A channel with a bug."""

    def send(self, notice: Notice) -> Attempt:
        raise ZeroDivisionError


def test_a_fault_in_a_channel_is_an_attempt_that_failed(tmp_path: Path) -> None:
    outbox = filled(tmp_path)
    sender(outbox, Faulty(), tmp_path, retry=Retry()).send_due()
    assert [each.why for each in outbox.latest(10)] == ["unexpected ZeroDivisionError"]


class Held:
    """A channel whose receiver takes its time: until `free` is set."""

    def __init__(self) -> None:
        self.begun, self.free = threading.Event(), threading.Event()

    def send(self, notice: Notice) -> Attempt:
        self.begun.set()
        return sent("at last") if self.free.wait(60) else failed("never")


def test_a_slow_channel_holds_up_no_other(tmp_path: Path) -> None:
    outbox, slow = filled(tmp_path, channel="slow"), Held()
    with web_hook() as receiver:
        for name, channel in (("slow", slow), ("hook", hook(receiver))):
            at_work = sender(outbox, channel, tmp_path, name)
            threading.Thread(target=at_work.keep_on, args=[threading.Event()], daemon=True).start()
        assert slow.begun.wait(60)
        outbox.add([(NOTICE, "hook")], now())
        receiver.wait_for(lambda: len(receiver.got) == 1)
        assert outbox.counts()[DeliveryState.SENT] <= 1
        slow.free.set()
        until(lambda: outbox.counts()[DeliveryState.SENT] == 2)


def test_while_the_outbox_cannot_be_written_nothing_is_sent(tmp_path: Path) -> None:
    """Otherwise a full disk would send the same notice every two seconds."""
    outbox = filled(tmp_path)
    with web_hook() as receiver, sqlite3.connect(tmp_path / "notices.db") as database:
        database.execute("CREATE TRIGGER full BEFORE UPDATE ON deliveries BEGIN SELECT raise(ABORT, 'disk full'); END")
        database.commit()
        with pytest.raises(sqlite3.Error):
            sender(outbox, hook(receiver), tmp_path).send_due()
        assert receiver.got == []
    database.close()


# ---- several processes, and kills

CHILD = """
import os, signal, sqlite3, sys, threading
from pathlib import Path
from slipway.notices.config import Retry
from slipway.notices.outbox import Outbox
from slipway.notices.sending import Sender
from slipway.notices.webhook import Webhook

home, port, dies = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

class Dying(Outbox):
    def note_attempt(self, *given):
        if dies == "before the attempt": os.kill(os.getpid(), signal.SIGKILL)
        super().note_attempt(*given)
        if dies == "after it was counted": os.kill(os.getpid(), signal.SIGKILL)
    def settle(self, *given):
        if dies == "after the answer": os.kill(os.getpid(), signal.SIGKILL)
        super().settle(*given)
        if dies == "after it was settled": os.kill(os.getpid(), signal.SIGKILL)

hook = Webhook(f"http://127.0.0.1:{port}/", "secret", 10)
retry = Retry(first_s=0.02, most_s=0.05, give_up_after_h=1)
sender = Sender("hook", hook, Dying(home / "notices.db"), retry, home / "notices" / "hook.lock", 0.05)
sender.keep_on(threading.Event())
"""


def child(home: Path, receiver: Receiver, dies: str = "") -> subprocess.Popen[str]:
    words = [sys.executable, "-c", CHILD, str(home), str(receiver.port), dies]
    return subprocess.Popen(words, env=child_environment({}), stdout=subprocess.PIPE, text=True)


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_a_sender_killed_at_any_step_loses_nothing_and_brings_each_id_once_or_knowingly_again(tmp_path: Path) -> None:
    """The next sender goes on. A kill between answer and record alone repeats a notice, under its id."""
    outbox = filled(tmp_path, 5)
    with web_hook() as receiver:
        victims: list[subprocess.Popen[str]] = []
        receiver.answers = [lambda: None, lambda: os.kill(victims[-1].pid, signal.SIGKILL)]
        # The fourth is killed by the receiver, which has its first notice from the third: while the answer is under way.
        for dies in ("before the attempt", "after it was counted", "after the answer", "while it waits"):
            victims.append(child(tmp_path, receiver, dies))
            victims[-1].communicate(timeout=120)
            assert victims[-1].returncode == -signal.SIGKILL, dies
        last = child(tmp_path, receiver)
        until(lambda: outbox.counts()[DeliveryState.SENT] == 5, 120)
        end(last)
    got = ids(receiver)
    assert set(got) == {notice.id for notice in notices(5)}
    assert len(got) == 5 + 2, got  # the third and the fourth child left one each that its receiver had


@pytest.mark.slow
def test_of_two_senders_one_is_at_work_and_the_other_goes_on_when_it_is_killed(tmp_path: Path) -> None:
    outbox = filled(tmp_path, 20)
    with web_hook() as receiver:
        both = [child(tmp_path, receiver), child(tmp_path, receiver)]
        until(lambda: outbox.counts()[DeliveryState.SENT] == 20, 120)
        assert sorted(ids(receiver)) == sorted(notice.id for notice in notices(20))
        end(both[0])
        outbox.add([(replace(NOTICE, id="after"), "hook")], now())
        until(lambda: outbox.counts()[DeliveryState.SENT] == 21, 120)
        end(both[1])
        assert ids(receiver).count("after") == 1
