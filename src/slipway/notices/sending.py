"""The sender of a channel: one at a time over all processes of a home, each with a thread of its own, so that none waits."""

import fcntl
import logging
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from slipway.notices.channel import Attempt, Channel, failed
from slipway.notices.config import Retry
from slipway.notices.outbox import Delivery, Outbox, now_ms

_AFTER_FAULT_S = 30.0
_log = logging.getLogger(__name__)
_random = random.SystemRandom()


@dataclass(frozen=True)
class Sender:
    """The sender of one channel: it brings the deliveries of that channel out of the outbox.

    Attributes:
        name: the channel's name.
        channel: the channel.
        outbox: the outbox.
        retry: how often a notice is tried.
        lock: the file that the sender at work holds a lock on; the kernel lets go of it however a process ends.
        looks_each_s: how often it looks for what other processes put in and for what is due again.
    """

    name: str
    channel: Channel
    outbox: Outbox
    retry: Retry
    lock: Path
    looks_each_s: float = 2.0

    def keep_on(self, more: threading.Event, stopped: threading.Event | None = None) -> None:
        """Send whatever is due, until `stopped` is set. Set `more` when something new is in the outbox, or it was stopped."""
        stopped = stopped or threading.Event()
        while not stopped.is_set():
            pause = self.looks_each_s
            try:
                with self._alone() as alone:
                    while alone and not stopped.is_set():  # the lock is held until this process ends
                        self.send_due(stopped)
                        more.wait(self.looks_each_s)
                        more.clear()
            except Exception as error:  # noqa: BLE001 - mostly a disk; whatever it is, the thread goes on
                _log.warning("notices to '%s' wait: the outbox cannot be used (%s)", self.name, error)
                pause = _AFTER_FAULT_S
            stopped.wait(pause)

    def send_once(self) -> None:
        """Send what is due now, up to the first that fails, unless another process does."""
        with self._alone() as alone:
            if alone:
                self.send_due(stop_at_failure=True)

    def send_due(self, stopped: threading.Event | None = None, *, stop_at_failure: bool = False) -> None:
        """Send what is due now, unless `stopped` is set meanwhile; the caller is the only sender of the channel."""
        while not (stopped and stopped.is_set()) and (delivery := self.outbox.next_due(self.name, now_ms())):
            self.outbox.note_attempt(delivery, now_ms() + round(1000 * self._wait_s(delivery.attempts)))
            outcome = self._outcome(delivery)
            self.outbox.settle(delivery, outcome, now_ms())
            if outcome.final and not outcome.sent:
                _log.warning("notice %s to '%s' failed for good: %s", delivery.notice.id, self.name, outcome.why)
            if stop_at_failure and not outcome.sent:
                return

    def _outcome(self, delivery: Delivery) -> Attempt:
        try:
            outcome = self.channel.send(delivery.notice)
        except Exception as error:  # noqa: BLE001 - a fault of one notice must not end the thread that sends all others
            outcome = failed(f"unexpected {type(error).__name__}")
        hours = self.retry.give_up_after_h
        if outcome.final or now_ms() - delivery.made_ms < hours * 3_600_000:
            return outcome
        return replace(outcome, final=True, why=f"given up after {hours:g} h: {outcome.why}")

    def _wait_s(self, attempts: int) -> float:
        """Return the seconds until the attempt after the next: twice as many each time, and not the same everywhere."""
        longest = min(self.retry.first_s * 2.0 ** min(attempts, 40), self.retry.most_s)
        return _random.uniform(longest / 2, longest)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        self.lock.parent.mkdir(parents=True, exist_ok=True)
        with self.lock.open("ab") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
