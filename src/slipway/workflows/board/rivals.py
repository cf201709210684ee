"""The other versions of a model that wait: who decides on one of them has to know of all."""

from collections.abc import Callable, Sequence

from mlflow.entities import Run

from slipway.core.release.decision import MeasuredDifference, decision_of
from slipway.core.release.ledger import Entry
from slipway.core.release.work import Asked, Waiting
from slipway.registry.ledger import Ledger
from slipway.reports.board import RivalLine
from slipway.reports.words.decision import beside_sentence, judged_sentence
from slipway.workflows.board.buttons import Position
from slipway.workflows.board.comparison import Comparisons, JudgedVersion
from slipway.workflows.board.index import LedgerRow, ModelFacts
from slipway.workflows.board.links import comparison_link

MOST = 3


def rivals_beside(
    comparisons: Comparisons,
    at: Position,
    facts: ModelFacts | None,
    ledger: Ledger | None,
    rows: Sequence[LedgerRow],
    run: Run | None,
    judged: Entry | None,
) -> tuple[RivalLine, ...]:
    """Return the other versions that wait, compared with the version of a page.

    Args:
        comparisons: what was read of runs before.
        at: the place of the version of the page.
        facts: the model, as the index knows it.
        ledger: its ledger.
        rows: the entries of the ledger, oldest first, as the index knows them.
        run: the run of the version of the page; None for none.
        judged: the entry that keeps the evidence of that version; None for none.
    """
    runs = {each.version.number: each.version.run_id for each in facts.versions} if facts else {}

    def direct(other: int, entry_run: str) -> MeasuredDifference | None:
        if run is None or judged is None:
            return None
        ours = JudgedVersion(judged.run_id, run.info.run_id)
        return comparisons.direct(ours, JudgedVersion(entry_run, runs.get(other, "")))

    def link(other: int) -> str:
        return comparison_link(run, runs.get(other, "")) if run else ""

    return rivals_of(at.number, facts.waiting if facts else (), ledger, rows, direct, link)


def rivals_of(
    number: int,
    waiting: Sequence[Waiting],
    ledger: Ledger | None,
    rows: Sequence[LedgerRow],
    direct: Callable[[int, str], MeasuredDifference | None] = lambda _, __: None,
    link: Callable[[int], str] = lambda _: "",
) -> tuple[RivalLine, ...]:
    """Return the newest other versions that wait for an approval or a promotion, each with what its judgement found.

    Args:
        number: the version that they are rivals of.
        waiting: what waits at the model.
        ledger: its ledger.
        rows: the entries of the ledger, oldest first, as the index knows them.
        direct: returns by how much the version is better than another one, by that one's number and the run of the entry that
            keeps its evidence; None where they answered other rows.
        link: returns the address of a comparison with another version below MLflow's UI; empty for none.
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
        RivalLine(
            each.version,
            each.asked,
            each.stage,
            judged_sentence(decision),
            beside_sentence(number, each.version, direct(each.version, _keeps(rows, each))),
            link(each.version),
        )
        for each in chosen
        if (decision := found.get(each.version))
    )


def _keeps(rows: Sequence[LedgerRow], item: Waiting) -> str:
    """Return the run of the entry that keeps the evidence of a version: the first that names the evidence judged last."""
    ours = [
        row
        for row in rows
        if (row.transition.version, row.transition.stage) == (item.version, item.stage)
        and row.transition.action.judges
        and row.transition.evidence
    ]
    return next(row.run_id for row in ours if row.transition.evidence == ours[-1].transition.evidence)
