"""The other versions that wait, each with what was found of it."""

from typing import TYPE_CHECKING, cast

from slipway.core.release.ledger import Entry
from slipway.core.release.transitions import Action, Transition
from slipway.core.release.work import Asked, Waiting
from slipway.types import Stage, Verdict
from slipway.workflows.board.index import LedgerRow
from slipway.workflows.board.rivals import rivals_of

if TYPE_CHECKING:
    from slipway.registry.ledger import Ledger

BESIDE = {"difference": 0.13, "low": 0.1, "high": 0.16, "rows": 1000.0, "different": 9.0, "roc_auc": 0.95}


class OneLedger:
    """A ledger that answers with all of its judgements, and counts the questions."""

    def __init__(self, transitions: list[Transition]) -> None:
        self.asked: list[str] = []
        self._entries = [Entry(f"run{t.at_ms}", t, "", "", "") for t in transitions]

    def entries(self, where: str) -> list[Entry]:
        self.asked.append(where)
        return [entry for entry in self._entries if repr(entry.run_id) in where]


def judged(version: int, at_ms: int) -> Transition:
    verdict = Verdict("not_worse_than_champion", True, "", BESIDE)
    return Transition("m", Action.JUDGE, version, Stage.PRODUCTION, "ci", at_ms, 1, verdicts=(verdict,), evidence="e")


def waits(version: int, asked: Asked) -> Waiting:
    return Waiting("m", version, asked, Stage.PRODUCTION, 1, "ci")


def test_the_others_that_wait_are_told_with_their_findings_by_one_question() -> None:
    said = [judged(2, 1), judged(3, 2), judged(3, 3), judged(4, 4)]
    rows = [LedgerRow(f"run{t.at_ms}", t, closed=True) for t in said]
    ledger = OneLedger(said)
    waiting = [waits(2, Asked.APPROVE), waits(3, Asked.PROMOTE), waits(4, Asked.READ)]
    (other,) = rivals_of(2, waiting, cast("Ledger", ledger), rows)
    assert (other.number, other.asked, other.stage) == (3, Asked.PROMOTE, Stage.PRODUCTION)
    assert other.found == "Better than version 1 by 0.1300 roc_auc (0.1000 to 0.1600) on 1,000 test rows."
    assert ledger.asked == ["attributes.run_id IN ('run3')"]
    assert rivals_of(2, waiting[:1], cast("Ledger", ledger), rows) == () and len(ledger.asked) == 1
