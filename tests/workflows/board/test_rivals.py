"""The other versions that wait, each with what was found of it."""

from typing import TYPE_CHECKING, cast

from slipway.core.release.decision import MeasuredDifference
from slipway.core.release.ledger import Entry
from slipway.core.release.transitions import Action, Transition
from slipway.core.release.work import Asked, Waiting
from slipway.reports.words.decision import beside_sentence
from slipway.types import Interval, Stage, Verdict
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


def test_two_that_wait_are_compared_directly_by_the_evidence_that_was_kept_first() -> None:
    said = [judged(3, 2), judged(3, 3)]  # the gates were asked again about the same evidence
    rows = [LedgerRow(f"run{t.at_ms}", t, closed=True) for t in said]
    asked: list[tuple[int, str]] = []

    def direct(number: int, entry_run: str) -> MeasuredDifference:
        asked.append((number, entry_run))
        return MeasuredDifference(Interval(0.02, 0.01, 0.03), "roc_auc", 900)

    found = rivals_of(2, [waits(3, Asked.APPROVE)], cast("Ledger", OneLedger(said)), rows, direct, lambda n: f"#/{n}")
    assert asked == [(3, "run2")]
    assert (
        found[0].beside == "Version 2 is better than version 3 by 0.0200 roc_auc (0.0100 to 0.0300) on 900 test rows."
    )
    assert found[0].link == "#/3"
    unclear = beside_sentence(2, 3, MeasuredDifference(Interval(0.0, -0.01, 0.01), "roc_auc", 900))
    assert unclear.startswith("No clear difference to version 3: ")
