"""The entries that the page of a version reads: the newest, those that decide on it, and what people said in them."""

from collections.abc import Sequence

from slipway.core.release.ledger import Entry
from slipway.registry.ledger import Ledger
from slipway.reports.board import SAYINGS, Thread
from slipway.workflows.board.index import LedgerRow

NEWEST = 100
"""So many of the newest entries of a version are read; an entry that decides on the version is read however old it is."""


def entries_on(ledger: Ledger | None, number: int, rows: Sequence[LedgerRow]) -> list[Entry]:
    """Return the entries of a version that its page shows, oldest first. rows: of the model's ledger, by the index.

    The index knows their runs, so the store finds them by their ids: a filter by tags goes through a whole ledger.
    """
    ours = [row for row in rows if row.transition.version == number]
    wanted = {row.run_id for row in (*deciding_rows(ours), *ours[-NEWEST:])}
    if ledger is None or not wanted:
        return []
    return ledger.entries(where=f"attributes.run_id IN ({', '.join(repr(run) for run in sorted(wanted))})")


def deciding_rows(rows: Sequence[LedgerRow]) -> list[LedgerRow]:
    """Return the entries of one version that decide whether it may move.

    These are its newest judgements, the decisions on their evidence, and the entries that keep the files of the evidence.
    """
    done = [row for row in rows if row.transition.complete and row.transition.evidence]
    newest = {row.transition.stage: row for row in done if row.transition.action.judges}
    on = {(row.transition.stage, row.transition.evidence) for row in newest.values()}
    of_it = [row for row in done if (row.transition.stage, row.transition.evidence) in on]
    first = {
        (row.transition.stage, row.transition.evidence): row for row in reversed(of_it) if row.transition.action.judges
    }
    return [*first.values(), *newest.values(), *(row for row in of_it if row.transition.action.decides)]


def thread_of(entries: Sequence[Entry]) -> Thread:
    """Return what people said of a version. entries: as `entries_on` returns them."""
    said = [entry.transition for entry in entries if entry.transition.action in SAYINGS and entry.transition.complete]
    return Thread(tuple(said), older=len(entries) >= NEWEST)
