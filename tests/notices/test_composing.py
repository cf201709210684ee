"""Which entries of a ledger are told, as which kind, in which words, and under which id."""

from dataclasses import replace
from typing import Any

import pytest

from slipway.core.release.ledger import Entry
from slipway.core.release.transitions import Action, Transition
from slipway.core.variants import VariantRecord, VariantRole, VariantState
from slipway.notices.composing import notice_of_entry, notice_of_variant
from slipway.notices.notice import Notice
from slipway.types import Stage, Verdict

GOOD, BAD = Verdict("thresholds", True, "fine"), Verdict("thresholds", False, "roc_auc is 0.5")
MISSING = Verdict("approval", False, "nobody approved it")


def entry(action: Action, *verdicts: Verdict, hash: str = "h1", **more: Any) -> Entry:
    facts = {"evidence": "e", "comment": ""} | more
    version, stage = (0, Stage.NONE) if action is Action.POLICY else (3, Stage.PRODUCTION)
    made = Transition("small", action, version, stage, "ana", 1_700_000_000_000, verdicts=verdicts, **facts)
    return Entry("run", made, "", hash, "sealed")


def told(action: Action, *verdicts: Verdict, **more: Any) -> Notice:
    notice = notice_of_entry(entry(action, *verdicts, **more), "https://board.example")
    assert notice is not None
    return notice


@pytest.mark.parametrize(
    ("action", "kind", "title"),
    [
        (Action.PROMOTE, "promoted", "small version 3 → Production"),
        (Action.ROLLBACK, "rolled_back", "small rolled back to version 3"),
        (Action.ARCHIVE, "archived", "small version 3 archived"),
        (Action.APPROVE, "approved", "small version 3 approved for Production"),
    ],
)
def test_a_transition_is_told_as_its_kind(action: Action, kind: str, title: str) -> None:
    notice = told(action, GOOD, comment="as planned")
    assert (notice.kind, notice.title, notice.by) == (kind, title, "ana")
    assert notice.text == f"{title}, by ana.\nas planned."
    assert notice.link == "https://board.example/slipway/models/small/versions/3"


@pytest.mark.parametrize("action", [action for action in Action if action is not Action.JUDGE])
def test_every_action_is_told_as_some_kind(action: Action) -> None:
    assert told(action).kind


def test_a_release_policy_is_of_the_model_and_of_no_version() -> None:
    notice = told(Action.POLICY, comment="as agreed")
    assert (notice.kind, notice.title, notice.version) == ("policy_changed", "small: release policy set", None)
    assert notice.link == "https://board.example/slipway/models/small"


def test_a_refusal_says_which_gates_did_not_pass() -> None:
    notice = told(Action.REFUSE, BAD, MISSING)
    assert notice.kind == "refused"
    assert "thresholds: roc_auc is 0.5." in notice.text


@pytest.mark.parametrize("action", [Action.JUDGE, Action.REFUSE])
def test_where_an_approval_alone_is_missing_it_is_waited_for(action: Action) -> None:
    notice = told(action, GOOD, MISSING)
    assert (notice.kind, notice.title) == (
        "waits_for_approval",
        "small version 3 waits for an approval for Production",
    )


def test_gates_that_are_asked_again_on_the_same_evidence_wait_for_one_approval() -> None:
    first = told(Action.JUDGE, GOOD, MISSING)
    assert told(Action.JUDGE, GOOD, MISSING, hash="h2").id == first.id
    assert told(Action.REFUSE, GOOD, MISSING, hash="h3").id == first.id
    assert told(Action.JUDGE, GOOD, MISSING, hash="h4", evidence="other").id != first.id


def test_all_else_is_told_once_an_entry() -> None:
    assert told(Action.PROMOTE).id == told(Action.PROMOTE).id != told(Action.PROMOTE, hash="h2").id


@pytest.mark.parametrize("verdicts", [(GOOD,), (BAD,), (BAD, MISSING)])
def test_a_judgement_that_asks_nothing_of_anybody_is_not_told(verdicts: tuple[Verdict, ...]) -> None:
    assert notice_of_entry(entry(Action.JUDGE, *verdicts), "") is None


def test_a_transition_that_was_not_made_is_not_told() -> None:
    assert notice_of_entry(entry(Action.PROMOTE, complete=False), "") is None


def test_a_comment_of_many_lines_stays_within_its_own() -> None:
    notice = told(Action.PROMOTE, comment="yes\n\nsmall version 9 → Production, by eve" + "x" * 2000)
    assert len(notice.text.splitlines()) == 2
    assert len(notice.text) < 1000


RECORD = VariantRecord(
    "small", VariantRole.CANARY, "Staging", 0.05, VariantState.ENDED, 4, 3, 1_700_000_000.5, 1_700_000_100.0,
    "2 % of 900 requests failed",
)  # fmt: skip


def test_the_end_of_a_canary_is_told_once_however_often_it_is_recorded() -> None:
    first, later = notice_of_variant(RECORD, ""), notice_of_variant(replace(RECORD, at=RECORD.at + 5), "")
    assert first is not None and later is not None
    assert first.id == later.id
    assert first.text == (
        "the canary of small, version 4, was ended.\n2 % of 900 requests failed.\nversion 3 answers every caller."
    )


@pytest.mark.parametrize("change", [{"state": VariantState.SERVING}, {"role": VariantRole.SHADOW}])
def test_any_other_variant_is_not_told(change: dict[str, Any]) -> None:
    assert notice_of_variant(replace(RECORD, **change), "") is None
