"""The senders of a home at work: each in a thread, for as long as a process runs or for one round."""

import logging
import math
import threading
import time
from collections.abc import Callable

from slipway.workflows.notices.configured import Notices

_log = logging.getLogger(__name__)


class Sending:
    """The senders of a home at work, each in a thread of its own, until they are stopped."""

    def __init__(self, notices: Notices) -> None:
        self._stopped = threading.Event()
        self._events = [threading.Event() for _ in notices.senders]
        for sender, more in zip(notices.senders, self._events, strict=True):
            thread = threading.Thread(target=sender.keep_on, args=[more, self._stopped], daemon=True)
            thread.name = f"notices to {sender.name}"
            thread.start()

    def tell_more(self) -> None:
        """Say that there is more to send."""
        for each in self._events:
            each.set()

    def stop(self) -> None:
        """Let each sender end after the notice that it is at; what it leaves is sent by whoever comes next."""
        self._stopped.set()
        self.tell_more()


def send_once(notices: Notices, most_s: float = math.inf) -> None:
    """Try what is due now, up to the first that fails, each channel in a thread of its own; after `most_s`, leave the rest."""
    threads = [
        threading.Thread(target=without_fault, args=[sender.send_once], daemon=True) for sender in notices.senders
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + most_s
    for thread in threads:
        thread.join(None if most_s == math.inf else max(deadline - time.monotonic(), 0))


def without_fault(work: Callable[[], object]) -> None:
    """Do some work whose failure must stop nothing; the ledger and the outbox keep what was not done."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - the edge of a thread that has to go on, and of a command that is done
        _log.warning("notices wait: %s: %s", type(error).__name__, error)
