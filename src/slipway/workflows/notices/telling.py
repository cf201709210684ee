"""The threads that tell what the ledgers say: those of a server for as long as it runs, and that of a command at its end."""

import logging
import threading
from collections.abc import Callable
from functools import partial

from mlflow import MlflowClient

from slipway.errors import SlipwayError
from slipway.registry.sealing import SealingClient
from slipway.settings import Settings
from slipway.workflows.notices.configured import Notices, notices_of
from slipway.workflows.notices.gathering import gather
from slipway.workflows.notices.reloading import Reloading
from slipway.workflows.notices.senders import Sending, send_once, without_fault

_GATHERS_EACH_S = 30.0
_COMMAND_WAITS_S = 30.0
_log = logging.getLogger(__name__)


def keep_telling(
    reloading: Reloading,
    client: Callable[[], MlflowClient],
    sealed: threading.Event,
    reconcile: Callable[[str], object],
) -> None:
    """Gather from the ledgers and send, in threads of this process, until the process ends; returns at once.

    Args:
        reloading: the notices of the home, which are read again when their file changes.
        client: returns a client that may read every ledger.
        sealed: set when a ledger entry was sealed; without it, the ledgers are looked at twice a minute.
        reconcile: brings the transitions of a model that were cut off to their end.
    """
    sending = _begun(reloading.now)

    def gathering(sending: Sending | None) -> None:
        while True:
            sealed.clear()
            if reloading.reload():
                if sending:
                    sending.stop()
                sending = _begun(reloading.now)
            notices = reloading.now
            if notices and sending:
                without_fault(partial(_gather_and_send, notices, sending, client, reconcile))
            sealed.wait(_GATHERS_EACH_S)

    threading.Thread(target=gathering, args=[sending], name="notices", daemon=True).start()


def _begun(notices: Notices | None) -> Sending | None:
    if notices is None:
        return None
    without_fault(notices.outbox.begin)  # before the first request: what is written from then on is news
    return Sending(notices)


def _gather_and_send(
    notices: Notices, sending: Sending, client: Callable[[], MlflowClient], reconcile: Callable[[str], object]
) -> None:
    try:
        gather(notices, client(), reconcile)
    finally:
        sending.tell_more()


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
            without_fault(lambda: gather(notices, client, reconcile))
            send_once(notices, _COMMAND_WAITS_S)

    return SealingClient(client.tracking_uri, client.tracking_uri, lambda: threading.Thread(target=tell).start())
