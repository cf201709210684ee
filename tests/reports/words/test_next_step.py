"""The step after a decision, in sentences that say who has to do it."""

from dataclasses import replace
from typing import Any

import pytest

from slipway.core.release.decision import Decision, Found, Situation
from slipway.core.release.judgement import Eligibility
from slipway.core.release.transitions import Action, Transition
from slipway.core.variants import VariantRecord, VariantRole, VariantState
from slipway.reports.words.next_step import Deciders, canary_ended, next_steps
from slipway.types import Stage, Verdict

PEOPLE = Deciders(authors=("ada",))
OPEN = Decision("m", 4, Stage.PRODUCTION, champion=2, live=2)
TOO_FEW = Verdict("not_worse_than_champion", False, "worse", {"unseen": 3.0})
BACK = Transition("m", Action.ROLLBACK, 1, Stage.PRODUCTION, "pia", 60_000, 2, "calls fail since noon")


def said(people: Deciders = PEOPLE, verdicts: tuple[Verdict, ...] = (), by: str = "", **changed: Any) -> str:
    judgement = Transition("m", Action.JUDGE, 4, Stage.PRODUCTION, "ci", 1, verdicts=verdicts, evidence="e")
    rejections = (replace(judgement, action=Action.REJECT, by=by),) if by else ()
    found = Eligibility("m", 4, Stage.PRODUCTION, judgement, rejections=rejections)
    return " ".join(next_steps(replace(OPEN, **changed), found, people))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "Next: somebody who may promote promotes it."),
        ({"found": Found.SAME}, "Nothing has to happen: version 2 gives these answers already."),
        (
            {"approvals_missing": 1},
            "Next: somebody who may approve, but not ada, approves it; then somebody who may promote promotes it.",
        ),
        ({"judged": False}, ""),
        ({"foreign": True}, "Next: `slipway run m` trains a version that can be judged."),
        ({"situation": Situation.ARCHIVED}, ""),
        ({"situation": Situation.LIVE}, ""),
        ({"situation": Situation.STAGED}, "asks the gates before Production, with `slipway gates m 4`."),
        ({"problems": ("the verdict is stale",)}, "Approvals are given anew then."),
    ],
)
def test_every_situation_says_what_comes_next_and_by_whom(changed: dict[str, Any], words: str) -> None:
    assert words in said(**changed) if words else said(**changed) == ""


def test_a_refusal_says_whether_somebody_can_let_the_version_through() -> None:
    low = Verdict("thresholds", False, "roc_auc 0.5 is not at least 0.9; on few rows; or `slipway approve`")
    assert said(verdicts=(low,), failed=("thresholds",)) == (
        "Thresholds: roc_auc 0.5 is not at least 0.9; on few rows. "
        "Next: ada trains another version. Nobody can let this one through."
    )
    few = said(verdicts=(TOO_FEW,), failed=("not_worse_than_champion",))
    assert "or somebody who may approve, but not ada, lets this one through by name and with a reason." in few


def test_only_those_are_named_who_may() -> None:
    people = replace(PEOPLE, approvers=("ada", "ben", "cleo"), promoters=("pia",), expired=("ben",))
    words = said(people, approvals_missing=1)
    assert words == (
        "The approval of ben was given to other evidence, and no longer counts. "
        "Next: ben or cleo approves it; then pia promotes it."
    )
    assert "rita alone can lift the rejection, by approving." in said(by="rita", problems=("rejected by rita: 'no'",))


def test_the_way_back_from_production_and_the_reason_of_a_rollback_are_told() -> None:
    assert said(replace(PEOPLE, back=1), situation=Situation.LIVE).startswith(
        "If it goes wrong, somebody who may promote can roll back to version 1, which was in Production before"
    )
    gone = said(replace(PEOPLE, came=BACK), situation=Situation.ROLLED_BACK)
    assert gone.startswith(
        "pia rolled back from version 2 to version 1, 1970-01-01 00:01 UTC: “calls fail since noon”."
    )
    assert "ada finds out why" in gone


def test_a_canary_that_a_guardrail_ended_is_told_on_the_page_of_its_version() -> None:
    why = "28.6 % of 28 compared rows were answered otherwise; the bound is 1 %"
    seen = VariantRecord("m", VariantRole.CANARY, "Staging", 0.5, VariantState.ENDED, 4, 2, 0.0, 60.0, why)
    assert canary_ended(4, [seen]) == (
        f"As a canary beside version 2 it was ended by a guardrail, 1970-01-01 00:01 UTC: {why}.",
    )
    assert not canary_ended(3, [seen]) and not canary_ended(4, [replace(seen, state=VariantState.SERVING)])
