"""The senders of a home at work: each in a thread, for as long as a process runs or for one round."""

import logging
import math
import threading
import time
from collections.abc import Callable

from slipway.workflows.notices.configured import Notices

_log = logging.getLogger(__name__)


def keep_sending(notices: Notices) -> Callable[[], None]:
    """Start a thread for each channel, and return what says that there is more to send."""
    events = []
    for sender in notices.senders:
        more = threading.Event()
        threading.Thread(target=sender.keep_on, args=[more], name=f"notices to {sender.name}", daemon=True).start()
        events.append(more)

    def tell_more() -> None:
        for each in events:
            each.set()

    return tell_more


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
