"""From the ledgers to the outbox: each entry behind the cursor becomes a notice, and then the cursor moves.

The ledger is written before anybody is answered, so it is the place where nothing is lost: a process that is killed anywhere
between entry and notice leaves the cursor where it was. A notice that is made twice has the same id, and is in the outbox once.
"""

import logging
from collections.abc import Callable
from itertools import takewhile

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
    begun_ms, ended = notices.outbox.begun_ms, False
    entries = _behind(ledger, head, cursor, begun_ms)
    if any(map(_is_cut_off, entries)):
        ended = _brought_to_an_end(ledger, reconcile)
        entries = _behind(ledger, ledger.head, cursor, begun_ms)
    if not entries:  # all of it is of a time before the outbox: not to be read again each time
        notices.outbox.add([], now_ms(), (ledger.name, head))
    # Up to the first that somebody is at work on. One that reconciling gave no end has none to be told, and blocks nothing.
    told = list(takewhile(lambda entry: entry.seal or (ended and _is_cut_off(entry)), entries))
    if told:
        made = (notice_of_entry(entry, notices.board) for entry in told if entry.seal)
        notices.outbox.add(notices.addressed(*filter(None, made)), now_ms(), (ledger.name, told[-1].hash))


def _behind(ledger: Ledger, head: str, cursor: str, begun_ms: int) -> list[Entry]:
    """Return the entries from behind a cursor up to the head, oldest first; those since `begun_ms` where there is no cursor.

    They are followed by their hashes: by time, a judgement that waited for the mutex stands before what was written meanwhile.
    """
    most = _READ_FIRST
    while True:
        read = ledger.entries(most)
        known, chain, wanted = {entry.hash: entry for entry in read if entry.hash}, list[Entry](), head
        while wanted != cursor and (entry := known.pop(wanted, None)) and entry.transition.at_ms >= begun_ms:
            chain.append(entry)
            wanted = entry.previous
        older_wanted = wanted not in ("", cursor) and not (entry and entry.transition.at_ms < begun_ms)
        if len(read) < most or not older_wanted:
            return chain[::-1]
        most *= 4


def _is_cut_off(entry: Entry) -> bool:
    return not entry.seal and entry.transition.at_ms < now_ms() - _CUT_OFF_AFTER_MS


def _brought_to_an_end(ledger: Ledger, reconcile: Callable[[str], object]) -> bool:
    try:
        reconcile(ledger.name)
    except (SlipwayError, MlflowException) as error:
        _log.warning("the ledger of %s has an entry without an end: %s", ledger.name, error)
        return False
    return True
