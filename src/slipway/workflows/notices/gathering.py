"""From the ledgers to the outbox: each entry behind the cursor becomes a notice, and then the cursor moves.

The ledger is written before anybody is answered, so it is the place where nothing is lost: a process that is killed anywhere
between entry and notice leaves the cursor where it was. A notice that is made twice has the same id, and is in the outbox once.
"""

import logging
from collections.abc import Callable

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from slipway.core.release.ledger import Entry
from slipway.errors import SlipwayError
from slipway.notices.composing import notice_of_entry
from slipway.notices.notice import Notice
from slipway.registry.ledger import Ledger, ledgers, now_ms
from slipway.workflows.notices.configured import Notices

_READ_FIRST = 10
# A transition takes seconds. An entry without a seal after that time is that of a writer who was killed.
_CUT_OFF_AFTER_MS = 120_000
_log = logging.getLogger(__name__)


def gather(notices: Notices, client: MlflowClient, reconcile: Callable[[str], object]) -> None:
    """Put a notice of each new entry of every ledger into the outbox.

    Args:
        notices: the notices of the home.
        client: a client that may read every ledger.
        reconcile: brings the transitions of a model that were cut off to their end.

    Raises sqlite3.Error, OSError and MlflowException; what was not gathered is gathered next time.
    """
    cursors = notices.outbox.cursors()
    for ledger, head in ledgers(client):
        if head and cursors.get(ledger.name) != head:
            _gather_one(notices, ledger, cursors.get(ledger.name, ""), reconcile)


def _gather_one(notices: Notices, ledger: Ledger, cursor: str, reconcile: Callable[[str], object]) -> None:
    entries = _behind(ledger, cursor, notices.outbox.begun_ms)
    if any(not entry.seal and entry.transition.at_ms < now_ms() - _CUT_OFF_AFTER_MS for entry in entries):
        try:
            reconcile(ledger.name)
        except (SlipwayError, MlflowException) as error:
            _log.warning("the ledger of %s has an entry without an end: %s", ledger.name, error)
        entries = _behind(ledger, cursor, notices.outbox.begun_ms)
    told = _sealed_first(entries)
    if told:
        made = (notice_of_entry(entry, notices.board) for entry in told)
        notices.outbox.add(addressed(notices, *filter(None, made)), now_ms(), (ledger.name, told[-1].hash))


def addressed(notices: Notices, *made: Notice) -> list[tuple[Notice, str]]:
    """Return notices with each channel that takes them."""
    return [(notice, channel) for notice in made for channel in notices.config.channels_for(notice)]


def _behind(ledger: Ledger, cursor: str, begun_ms: int) -> list[Entry]:
    """Return the entries behind a cursor, oldest first; those since `begun_ms` where it is not in the ledger."""
    most = _READ_FIRST
    while True:
        entries = ledger.entries(most)
        at = next((place for place, entry in enumerate(entries) if entry.hash == cursor and cursor), None)
        if at is not None:
            return entries[at + 1 :]
        if len(entries) < most or entries[0].transition.at_ms < begun_ms:
            return [entry for entry in entries if entry.hash and entry.transition.at_ms >= begun_ms]
        most *= 4


def _sealed_first(entries: list[Entry]) -> list[Entry]:
    """Return the entries up to the first without a seal, which somebody is at work on."""
    unsealed = next((place for place, entry in enumerate(entries) if not entry.seal), len(entries))
    return entries[:unsealed]
