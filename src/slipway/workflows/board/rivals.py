"""The other versions of a model that wait: who decides on one of them has to know of all."""

from collections.abc import Sequence

from slipway.core.release.decision import decision_of
from slipway.core.release.work import Asked, Waiting
from slipway.registry.ledger import Ledger
from slipway.reports.board import RivalLine
from slipway.reports.words.decision import judged_sentence
from slipway.workflows.board.index import LedgerRow

MOST = 3


def rivals_of(
    number: int, waiting: Sequence[Waiting], ledger: Ledger | None, rows: Sequence[LedgerRow]
) -> tuple[RivalLine, ...]:
    """Return the newest other versions that wait for an approval or a promotion, each with what its judgement found.

    Args:
        number: the version that they are rivals of.
        waiting: what waits at the model.
        ledger: its ledger.
        rows: the entries of the ledger, oldest first, as the index knows them.
    """
    asked = (Asked.APPROVE, Asked.PROMOTE)
    to_decide = {each.version: each for each in waiting if each.asked in asked and each.version != number}
    chosen = sorted(to_decide.values(), key=lambda each: -each.version)[:MOST]
    judged = {
        row.transition.version: row.run_id
        for row in rows
        for each in chosen
        if (row.transition.version, row.transition.stage) == (each.version, each.stage)
        and row.transition.action.judges
        and row.transition.complete
        and row.transition.evidence
    }
    if ledger is None or not judged:
        return ()
    # The index keeps no numbers of verdicts, which the sentence is made of.
    read = ledger.entries(where=f"attributes.run_id IN ({', '.join(map(repr, sorted(judged.values())))})")
    found = {entry.transition.version: decision_of(entry.transition) for entry in read}
    return tuple(
        RivalLine(each.version, each.asked, each.stage, judged_sentence(decision))
        for each in chosen
        if (decision := found.get(each.version))
    )
