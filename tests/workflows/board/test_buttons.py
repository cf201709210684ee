"""The buttons that are shown, and the reasons of those that cannot be pressed now."""

from dataclasses import replace

import pytest

from slipway.core.release.judgement import Eligibility
from slipway.core.release.transitions import Action, Transition
from slipway.core.spec import ApprovalGate
from slipway.reports.board import Button, Visitor
from slipway.types import Stage, Verdict
from slipway.workflows.board.buttons import Position, buttons

ALL = Visitor("jo", frozenset({"judge", "approve", "promote"}))
JUDGEMENT = Transition(
    "m", Action.JUDGE, 4, Stage.PRODUCTION, "ci", 1, verdicts=(Verdict("t", True, ""),), evidence="e"
)
STANDS = {stage: Eligibility("m", 4, stage, JUDGEMENT) for stage in (Stage.STAGING, Stage.PRODUCTION)}
NOTHING = {stage: Eligibility("m", 4, stage, None, (), (f"no verdict stands for {stage}",)) for stage in STANDS}
HERE = Position("m", 4, Stage.NONE, {"mara": "is the author of version 4"}, live=2, back=1)


def by_label(found: tuple[Button, ...]) -> dict[str, Button]:
    return {button.label: button for button in found}


@pytest.mark.parametrize(
    ("may", "actions"),
    [
        ((), []),
        (("judge",), []),
        (("approve",), ["approve", "reject"]),
        (("promote",), ["promote", "promote", "archive"]),
    ],
)
def test_only_what_a_role_may_do_is_shown(may: tuple[str, ...], actions: list[str]) -> None:
    assert [button.action for button in buttons(HERE, STANDS, Visitor("jo", frozenset(may)))] == actions


def test_a_version_whose_judgement_stands_can_be_approved_promoted_and_archived() -> None:
    found = by_label(buttons(HERE, STANDS, ALL))
    free = [label for label, button in found.items() if not button.why_not]
    assert free == [
        "Approve for Production",
        "Reject for Production",
        "Promote to Staging",
        "Promote to Production",
        "Archive",
    ]
    assert found["Promote to Production"].says == "Version 4 goes live. Version 2, which is live, is archived."
    assert "No approval is asked for here" in found["Approve for Production"].says


def test_a_version_that_was_never_judged_is_told_so() -> None:
    found = by_label(buttons(HERE, NOTHING, ALL))
    assert found["Promote to Staging"].why_not == ("no verdict stands for Staging",)
    for label in ("Approve for Production", "Promote to Production"):
        assert found[label].why_not == ("no verdict stands for Production",)


def test_what_is_missing_is_the_reason() -> None:
    stale = {stage: replace(found, problems=("the verdict is stale",)) for stage, found in STANDS.items()}
    assert by_label(buttons(HERE, stale, ALL))["Promote to Production"].why_not == ("the verdict is stale",)


def test_who_rejected_a_version_can_approve_it_after_all_and_nobody_approves_what_no_longer_counts() -> None:
    no = replace(JUDGEMENT, action=Action.REJECT, by="jo", verdicts=(), comment="on Sundays")
    rejected = {s: replace(f, problems=("rejected by jo: 'on Sundays'",), rejections=(no,)) for s, f in STANDS.items()}
    found = by_label(buttons(HERE, rejected, ALL))
    assert not found["Approve for Production"].why_not and found["Promote to Production"].why_not
    both = {s: replace(f, problems=(*f.problems, "the verdict is stale")) for s, f in rejected.items()}
    assert by_label(buttons(HERE, both, ALL))["Approve for Production"].why_not == ("the verdict is stale",)


def test_gates_that_said_no_are_named_and_missing_approvals_counted() -> None:
    verdicts = (Verdict("slices", False, "at length"), Verdict("approval", False, "", {"needed": 2, "given": 0}))
    no = {stage: replace(found, judgement=replace(JUDGEMENT, verdicts=verdicts)) for stage, found in STANDS.items()}
    found = by_label(buttons(HERE, no, ALL))
    assert found["Promote to Production"].why_not == ("slices did not pass", "2 approvals missing")
    assert found["Approve for Production"].why_not == ("slices did not pass",)
    asked = {s: replace(f, judgement=replace(JUDGEMENT, verdicts=verdicts[1:])) for s, f in STANDS.items()}
    found = by_label(buttons(HERE, asked, ALL))
    assert not found["Approve for Production"].why_not and found["Promote to Production"].why_not
    assert "No approval is asked for" not in found["Approve for Production"].says


@pytest.mark.parametrize(
    ("who", "asked", "said"),
    [
        ("mara", None, "is the author of version 4"),
        ("jo", ApprovalGate(approvers=["kim"]), "not among those who may approve: kim"),
    ],
)
def test_who_may_not_approve_is_told_why(who: str, asked: ApprovalGate | None, said: str) -> None:
    found = by_label(buttons(HERE, STANDS, replace(ALL, name=who), asked))
    assert said in found["Approve for Production"].why_not[0]


def test_the_live_version_can_be_rolled_back_from_and_is_nowhere_to_be_promoted_to() -> None:
    found = by_label(buttons(replace(HERE, stage=Stage.PRODUCTION, live=4, back=2), STANDS, ALL))
    assert found["Roll back to version 2"].says.startswith("Version 2 goes live again. Version 4 is archived.")
    assert not {"Promote to Production", "Approve for Production"} & set(found)
    stays = ("version 4 is in Production; promote another version there, roll back, or archive it",)
    assert "Nothing is live then" in found["Archive"].says and found["Promote to Staging"].why_not == stays


@pytest.mark.parametrize(
    ("position", "missing"),
    [
        (replace(HERE, stage=Stage.STAGING), "Promote to Staging"),
        (replace(HERE, stage=Stage.PRODUCTION, live=4), "Promote to Production"),
        (replace(HERE, stage=Stage.PRODUCTION, live=4), "Approve for Production"),
        (replace(HERE, stage=Stage.ARCHIVED), "Archive"),
        (replace(HERE, foreign=True), "Approve for Production"),
        (replace(HERE, foreign=True), "Promote to Production"),
        (HERE, "Roll back to version 1"),  # of another version, from the page of that version
        (replace(HERE, live=None, back=None), "Roll back to version None"),
        (replace(HERE, live=None, back=1), "Roll back to version 1"),
    ],
)
def test_a_button_that_would_change_nothing_here_is_not_offered(position: Position, missing: str) -> None:
    assert missing not in by_label(buttons(position, STANDS, ALL))


def test_a_rejection_is_lifted_by_an_approval_and_a_judgement_that_no_longer_counts_is_not() -> None:
    no = replace(JUDGEMENT, action=Action.REJECT, by="jo", verdicts=(), comment="worse on Sundays")
    rejected = {
        s: replace(f, rejections=(no,), problems=("rejected by jo: 'worse on Sundays'",)) for s, f in STANDS.items()
    }
    assert by_label(buttons(HERE, rejected, ALL))["Approve for Production"].why_not == ()
    stale = {s: replace(f, problems=(*f.problems, "the verdict is stale")) for s, f in rejected.items()}
    assert by_label(buttons(HERE, stale, ALL))["Approve for Production"].why_not == ("the verdict is stale",)


def test_nobody_is_asked_to_approve_twice() -> None:
    yes = replace(JUDGEMENT, action=Action.APPROVE, by="jo", verdicts=())
    given = {stage: replace(found, approvals=(yes,)) for stage, found in STANDS.items()}
    assert "Approve for Production" not in by_label(buttons(HERE, given, ALL))
    assert "Approve for Production" in by_label(buttons(HERE, given, replace(ALL, name="kim")))


def test_a_version_taken_out_of_production_can_be_brought_back_from_its_own_page() -> None:
    archived = replace(HERE, stage=Stage.ARCHIVED, live=None, back=4)
    found = by_label(buttons(archived, STANDS, ALL))
    assert not found["Roll back to version 4"].why_not and "Archive" not in found


def test_a_gate_that_had_too_few_rows_is_overridden_by_a_button_that_names_it_unless_another_failed_too() -> None:
    few = Verdict("not_worse_than_champion", False, "worse", {"unseen": 3.0})
    for verdicts, is_free in (((few,), True), ((few, Verdict("size", False, "too large")), False)):
        no = {stage: replace(found, judgement=replace(JUDGEMENT, verdicts=verdicts)) for stage, found in STANDS.items()}
        found = by_label(buttons(HERE, no, ALL))
        named = found.get("Approve for Production, overriding not worse than champion")
        assert (named is not None and named.overrides == (few.gate,) and not named.why_not) is is_free
    hers = replace(HERE, authors={"jo": "is the author of version 4"})
    by_author = by_label(buttons(hers, {**STANDS, Stage.PRODUCTION: replace(
        STANDS[Stage.PRODUCTION], judgement=replace(JUDGEMENT, verdicts=(few,)))}, ALL))  # fmt: skip
    assert "author" in by_author["Approve for Production, overriding not worse than champion"].why_not[0]


def test_a_promotion_that_moves_nothing_for_callers_says_so_and_takes_a_second_click() -> None:
    found = by_label(buttons(replace(HERE, same_as_live=True), STANDS, ALL))
    assert found["Promote to Production"].says == (
        "Version 4 is the same model as version 2, which is live: this moves nothing for callers."
    )
    assert found["Promote to Production"].sure and not found["Promote to Staging"].sure
    assert not by_label(buttons(HERE, STANDS, ALL))["Promote to Production"].sure


def test_a_rollback_says_what_it_means_for_callers() -> None:
    live = replace(
        HERE, stage=Stage.PRODUCTION, live=4, callers="requests of today's callers, of version 4, fit version 1"
    )
    (back,) = (button for button in buttons(live, STANDS, ALL) if button.action == "rollback")
    assert back.says.endswith("No gate is asked. Requests of today's callers, of version 4, fit version 1.")
