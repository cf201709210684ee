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
from slipway.notices.outbox import now_ms
from slipway.registry.ledger import Ledger, ledgers
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

    Where one ledger cannot be read or the outbox not written, that is logged, and gathered next time. Raises MlflowException,
    sqlite3.Error and OSError where nothing can be read at all.
    """
    cursors = notices.outbox.cursors()
    for ledger, head in ledgers(client):
        if head and cursors.get(ledger.name) != head:
            try:
                _gather_one(notices, ledger, head, cursors.get(ledger.name, ""), reconcile)
            except Exception as error:  # noqa: BLE001 - an entry that nobody can read must not keep all others untold
                _log.warning("the ledger of %s is not told: %s: %s", ledger.name, type(error).__name__, error)


def _gather_one(notices: Notices, ledger: Ledger, head: str, cursor: str, reconcile: Callable[[str], object]) -> None:
    entries = _behind(ledger, cursor, notices.outbox.begun_ms)
    if any(not entry.seal and entry.transition.at_ms < now_ms() - _CUT_OFF_AFTER_MS for entry in entries):
        try:
            reconcile(ledger.name)
        except (SlipwayError, MlflowException) as error:
            _log.warning("the ledger of %s has an entry without an end: %s", ledger.name, error)
        entries = _behind(ledger, cursor, notices.outbox.begun_ms)
    if not entries:  # all of it is of a time before the outbox: not to be read again each time
        notices.outbox.add([], now_ms(), (ledger.name, head))
    told = _sealed_first(entries)
    if told:
        made = (notice_of_entry(entry, notices.board) for entry in told)
        notices.outbox.add(notices.addressed(*filter(None, made)), now_ms(), (ledger.name, told[-1].hash))


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
