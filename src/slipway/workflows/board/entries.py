"""The entries that the page of a version reads: the newest, those that decide on it, and what people said in them."""

from collections.abc import Sequence

from slipway.core.release.ledger import Entry
from slipway.core.release.transitions import Action
from slipway.registry.ledger import Ledger
from slipway.reports.board import SAYINGS, Thread
from slipway.types import Stage
from slipway.workflows.board.index import LedgerRow

NEWEST = 50
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

    These are its newest judgements, the decisions on their evidence, the entries that keep the files of the evidence, and what
    was declared again.
    """
    newest: dict[Stage, LedgerRow] = {}
    for row in reversed(rows):
        of = row.transition
        if of.stage not in newest and of.complete and of.evidence and of.action.judges:
            newest[of.stage] = row
    on = {(stage, row.transition.evidence) for stage, row in newest.items()}
    first: dict[Stage, LedgerRow] = {}
    decisions = []
    for row in rows:
        of = row.transition
        if of.complete and (of.stage, of.evidence) in on:
            if of.action.decides:
                decisions.append(row)
            elif of.stage not in first and of.action.judges:
                first[of.stage] = row
    redeclared = [row for row in rows if row.transition.action is Action.REDECLARE]
    return [*first.values(), *newest.values(), *decisions, *redeclared]


def thread_of(entries: Sequence[Entry]) -> Thread:
    """Return what people said of a version. entries: as `entries_on` returns them."""
    said = [entry.transition for entry in entries if entry.transition.action in SAYINGS and entry.transition.complete]
    return Thread(tuple(said), older=len(entries) >= NEWEST)
