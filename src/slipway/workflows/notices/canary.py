"""The service tells of the end of its canary. It has no server beside it, and imports no MLflow for that."""

import logging
import queue
import threading
from collections.abc import Callable
from functools import partial

from slipway.core.variants import VariantRecord
from slipway.errors import SlipwayError
from slipway.notices.composing import notice_of_variant
from slipway.notices.outbox import now_ms
from slipway.settings import Settings
from slipway.workflows.notices.configured import Notices, notices_of
from slipway.workflows.notices.senders import Sending, without_fault

_log = logging.getLogger(__name__)


def variant_teller(settings: Settings) -> Callable[[VariantRecord], None]:
    """Return what takes each record of a variant and tells that a canary was ended, in threads of its own.

    A service is not stopped by a notices.yaml that cannot be used: that is logged, and nothing is told.
    """
    try:
        notices = notices_of(settings)
        if notices is None:
            return lambda _: None
        without_fault(notices.outbox.begin)
        sending = Sending(notices)
    except SlipwayError as error:
        _log.warning("nothing is told of canaries: %s", error)
        return lambda _: None
    records = queue.SimpleQueue[VariantRecord]()

    def telling() -> None:
        while True:
            without_fault(partial(_tell_variant, notices, records.get()))
            sending.tell_more()

    threading.Thread(target=telling, name="notices", daemon=True).start()
    return records.put


def _tell_variant(notices: Notices, record: VariantRecord) -> None:
    if record.at * 1000 >= notices.outbox.begun_ms and (notice := notice_of_variant(record, notices.board)):
        notices.outbox.add(notices.addressed(notice), now_ms())
