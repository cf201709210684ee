"""The entries that a version's page reads decide as all of them do, and keep the files of the evidence among them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from slipway.core.release.judgement import eligibility
from slipway.core.release.transitions import Action, Transition
from slipway.types import HELD_STAGES, Stage, Verdict
from slipway.workflows.board.entries import deciding_rows
from slipway.workflows.board.index import LedgerRow

GOOD = Verdict("thresholds", True, "fine")


@st.composite
def ledgers(draw: Any) -> list[LedgerRow]:
    rows = []
    for at in range(draw(st.integers(0, 14))):
        action, evidence = draw(st.sampled_from(list(Action))), draw(st.sampled_from(["", "E", "F"]))
        verdicts = (GOOD,) if action.judges else ()
        said = Transition(
            "m", action, 1, draw(st.sampled_from(HELD_STAGES)), draw(st.sampled_from("abc")), at, None, "", verdicts,
            complete=draw(st.booleans()), digest="d", evidence=evidence,
        )  # fmt: skip
        rows.append(LedgerRow(f"run {at}", said, closed=True))
    return rows


@given(ledgers())
def test_what_decides_is_read_however_old_it_is(rows: list[LedgerRow]) -> None:
    kept = {row.run_id: row.transition for row in deciding_rows(rows)}
    every, few = [row.transition for row in rows], [kept[run] for run in sorted(kept, key=lambda run: kept[run].at_ms)]
    for stage in HELD_STAGES:
        found = eligibility("m", 1, stage, "d", None, every)
        assert eligibility("m", 1, stage, "d", None, few) == found
        if found.judgement:
            of_it = [e for e in every if e.complete and e.action.judges and e.evidence == found.judgement.evidence]
            assert next(e for e in of_it if e.stage is stage) in few


def test_comments_and_other_stages_do_not_decide() -> None:
    said = Transition("m", Action.COMMENT, 1, Stage.PRODUCTION, "jo", 1, comment="why?")
    assert deciding_rows([LedgerRow("run", said, closed=True)]) == []
