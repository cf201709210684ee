"""The threads that tell: those of a server or a service for as long as it runs, and that of a command at its end."""

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from functools import partial

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from slipway.core.variants import VariantRecord
from slipway.errors import SlipwayError
from slipway.notices.composing import notice_of_variant
from slipway.registry.ledger import now_ms
from slipway.registry.sealing import SealingClient
from slipway.settings import Settings
from slipway.workflows.notices.configured import Notices, notices_of
from slipway.workflows.notices.gathering import addressed, gather

_GATHERS_EACH_S = 30.0
_FAULTS = (sqlite3.Error, OSError, MlflowException)
_log = logging.getLogger(__name__)


def keep_telling(
    notices: Notices, client: Callable[[], MlflowClient], sealed: threading.Event, reconcile: Callable[[str], object]
) -> None:
    """Gather from the ledgers and send, in threads of this process, until the process ends; returns at once.

    Args:
        notices: the notices of the home.
        client: returns a client that may read every ledger.
        sealed: set when a ledger entry was sealed; without it, the ledgers are looked at twice a minute.
        reconcile: brings the transitions of a model that were cut off to their end.
    """
    _without_fault(notices.outbox.begin)  # before the first request: what is written from then on is news
    tell_more = _keep_sending(notices)

    def gathering() -> None:
        while True:
            sealed.clear()
            _without_fault(lambda: gather(notices, client(), reconcile))
            tell_more()
            sealed.wait(_GATHERS_EACH_S)

    threading.Thread(target=gathering, name="notices", daemon=True).start()


def variant_teller(settings: Settings) -> Callable[[VariantRecord], None]:
    """Return what takes each record of a variant and tells that a canary was ended, in threads of its own.

    A service is not stopped by a notices.yaml that cannot be used: that is logged, and nothing is told.
    """
    try:
        notices = notices_of(settings)
        if notices is None:
            return lambda _: None
        _without_fault(notices.outbox.begin)
        tell_more = _keep_sending(notices)
    except SlipwayError as error:
        _log.warning("nothing is told of canaries: %s", error)
        return lambda _: None
    records = queue.SimpleQueue[VariantRecord]()

    def telling() -> None:
        while True:
            _without_fault(partial(_tell_variant, notices, records.get()))
            tell_more()

    threading.Thread(target=telling, name="notices", daemon=True).start()
    return records.put


def telling(settings: Settings, client: MlflowClient, reconcile: Callable[[str], object]) -> MlflowClient:
    """Return a client whose ledger entries are told by this process; the same client where the home has no notices.

    The thread that tells goes on after the command is done with its work, up to the first attempt that fails. The next command
    of the home, or `slipway notices send`, tries what is left. A notices.yaml that cannot be used stops no transition.
    """
    try:
        notices = notices_of(settings)
        if notices is None:
            return client
        notices.check()
    except SlipwayError as error:
        _log.warning("nothing is told: %s", error)
        return client
    one_at_a_time = threading.Lock()

    def tell() -> None:
        with one_at_a_time:
            _without_fault(lambda: gather(notices, client, reconcile))
            send_once(notices)

    return SealingClient(client.tracking_uri, client.tracking_uri, lambda: threading.Thread(target=tell).start())


def send_once(notices: Notices) -> None:
    """Try what is due now, up to the first that fails, each channel in a thread of its own."""
    threads = [threading.Thread(target=_without_fault, args=[sender.send_once]) for sender in notices.senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _tell_variant(notices: Notices, record: VariantRecord) -> None:
    if record.at * 1000 >= notices.outbox.begun_ms and (notice := notice_of_variant(record, notices.board)):
        notices.outbox.add(addressed(notices, notice), now_ms())


def _keep_sending(notices: Notices) -> Callable[[], None]:
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


def _without_fault(work: Callable[[], object]) -> None:
    """Do some work whose failure must stop nothing; the ledger and the outbox keep what was not done."""
    try:
        work()
    except _FAULTS as error:
        _log.warning("notices wait: %s", error)
