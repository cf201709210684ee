"""Results as a notebook shows them."""

from slipway.api.released import ModelHistory, MovedVersion, VerifiedLedger
from slipway.core.release.history import History, Verified
from slipway.core.release.transitions import Action, Transition
from slipway.reports.notebook import Sheet
from slipway.types import Stage, Verdict

REFUSED = Verdict("thresholds", False, "roc_auc 0.61 is below 0.7 <script>")
REFUSAL = Transition("rides", Action.REFUSE, 2, Stage.STAGING, "ann", 1_700_000_000_000, verdicts=(REFUSED,))
MOVE = Transition(
    "rides", Action.PROMOTE, 1, Stage.PRODUCTION, "ben", 1_600_000_000_000, 3, "a & b", (Verdict("size", True, "1 kB"),)
)
HISTORY = History("rides", {Stage.PRODUCTION: 1}, (MOVE, REFUSAL))


def test_a_result_is_that_of_the_workflow_with_another_look() -> None:
    moved = MovedVersion.of(MOVE)
    assert isinstance(moved, Transition) and moved.as_dict() == MOVE.as_dict()
    assert repr(moved) == str(moved) == str(MOVE)
    assert "a &amp; b" in moved._repr_html_() and "replaced version" in moved._repr_html_()


def test_a_history_is_a_table_as_html_and_as_a_frame() -> None:
    history = ModelHistory.of(HISTORY)
    assert repr(history) == str(HISTORY)
    frame = history.to_frame()
    assert frame[["action", "version", "replaced", "refused_by"]].astype(object).where(frame.notna(), None).values.tolist() == [
        ["promote", 1, 3, ""], ["refuse", 2, None, "thresholds"]
    ]  # fmt: skip
    html = history._repr_html_()
    assert html.count("<tr") == 3 and "version 2 refused Staging" in html


def test_a_history_without_transitions_is_a_frame_without_rows() -> None:
    assert len(ModelHistory.of(History("rides", {}, ())).to_frame()) == 0


def test_a_ledger_that_is_whole_is_good_news() -> None:
    assert "✓" in VerifiedLedger.of(Verified("rides", 3, "f" * 64, ()))._repr_html_()


def test_a_sheet_needs_no_other_file_and_escapes_every_value() -> None:
    bad = "<script>alert('x')</script>"
    sheet = Sheet(bad, False, bad, {bad: bad}, (REFUSED,), (bad,), ((bad,),), (bad,), {bad: "https://x.example/?<"})
    html = sheet.as_html()
    assert "<script" not in html and "src=" not in html and "<style" not in html
    assert "javascript" not in Sheet("x", links={"here": "javascript:alert(1)"}).as_html()
