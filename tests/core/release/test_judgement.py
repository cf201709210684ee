"""When a judgement stands, and who may approve it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.core.release import judgement as of_judgement
from slipway.core.release.judgement import Judged, approval, eligibility, may_reject
from slipway.core.release.transitions import APPROVAL, Action, ServedBeside, Transition
from slipway.core.spec import ApprovalGate
from slipway.types import Stage, Verdict

JUDGED = Judged("loans", 3, Stage.PRODUCTION, "files", "spec", "rows", (1, "champion's files"), "newest")
ANA = {"ana": "is the author of version 3"}
GOOD, BAD = Verdict("thresholds", True, "fine"), Verdict("slices", False, "hill is worse")


def entry(action: Action, at: int, by: str = "ana", **more: Any) -> Transition:
    facts = {"replaced": 1, "verdicts": (GOOD,), "digest": "files", "evidence": JUDGED.hash, **more}
    return Transition("loans", action, 3, Stage.PRODUCTION, by, at, **facts)


def asked(*entries: Transition, live: int | None = 1, digest: str = "files", is_live: bool = True) -> Any:
    return eligibility("loans", 3, Stage.PRODUCTION, digest, ServedBeside(live, is_live) if live else None, entries)


NEEDED = (GOOD, approval(1, ()))


def test_without_a_judgement_nothing_stands() -> None:
    found = asked()
    assert not found.holds and "slipway gates loans 3 --stage Production" in found.missing[0]
    unfinished = entry(Action.JUDGE, 1, complete=False)
    assert not asked(unfinished).holds


def test_a_judgement_that_passed_stands_and_the_newest_counts() -> None:
    assert asked(entry(Action.JUDGE, 1)).holds
    worse = entry(Action.JUDGE, 2, verdicts=(GOOD, BAD))
    assert asked(entry(Action.JUDGE, 1), worse).missing == ("slices: hill is worse",)
    assert asked(worse, entry(Action.JUDGE, 3)).holds


def test_a_judgement_of_other_files_or_another_champion_does_not_stand() -> None:
    assert "of other files" in asked(entry(Action.JUDGE, 1), digest="changed").missing[0]
    stale = asked(entry(Action.JUDGE, 1), live=2)
    assert not stale.holds and "compared with version 1 in Production, where version 2 is now" in stale.missing[0]
    assert not asked(entry(Action.JUDGE, 1), live=None).holds
    assert asked(entry(Action.JUDGE, 1), is_live=False).holds  # archived meanwhile: it is the same evidence
    emptied = asked(entry(Action.JUDGE, 1, replaced=None), is_live=False)
    assert "compared with nothing, and not with version 1, which was in Production last" in emptied.missing[0]
    assert not asked(entry(Action.JUDGE, 1, replaced=None)).holds
    other = replace(entry(Action.JUDGE, 1), version=4)
    assert not asked(other).holds
    assert not asked(replace(entry(Action.JUDGE, 1), stage=Stage.STAGING)).holds


def test_an_approval_counts_for_the_evidence_that_it_was_given_to_only() -> None:
    judged = entry(Action.JUDGE, 1, verdicts=NEEDED)
    yes = entry(Action.APPROVE, 2, "ben", verdicts=())
    assert not asked(judged).holds and "nobody has approved" in asked(judged).missing[0]
    assert asked(judged, yes).holds
    assert asked(judged, yes).verdicts[-1].reason == "approved by ben"
    newer = entry(Action.JUDGE, 3, verdicts=NEEDED, evidence=replace(JUDGED, newest="more rows").hash)
    assert not asked(judged, yes, newer).holds
    again = entry(Action.JUDGE, 4, verdicts=NEEDED)
    assert asked(judged, yes, newer, again).holds  # the same evidence as ben said yes to


def test_the_verdict_says_who_may_approve_as_long_as_somebody_has_to() -> None:
    judged = entry(Action.JUDGE, 1, verdicts=(GOOD, approval(1, (), "edi or pia may")))
    said = asked(judged).verdicts[-1].reason
    assert said == "nobody has approved this evidence; 1 is needed, by `slipway approve`; edi or pia may"
    assert replace(asked(judged), who_may="cleo may").verdicts[-1].reason == said.replace("edi or pia", "cleo")
    assert asked(judged, entry(Action.APPROVE, 2, "ben", verdicts=())).verdicts[-1].reason == "approved by ben"


def test_two_approvals_are_of_two_people() -> None:
    judged = entry(Action.JUDGE, 1, verdicts=(GOOD, approval(2, ())))
    ben, cleo = entry(Action.APPROVE, 2, "ben", verdicts=()), entry(Action.APPROVE, 3, "cleo", verdicts=())
    assert not asked(judged, ben, ben).holds
    assert asked(judged, ben, cleo).holds


def may_approve(*arguments: Any) -> str:
    return "; ".join(of_judgement.may_approve(*arguments))


@pytest.mark.parametrize(
    ("gate", "by", "why"),
    [
        (ApprovalGate(), "ana", "ana is the author"),
        (ApprovalGate(approvers=["cleo"]), "ben", "not among those who may approve: cleo"),
        (ApprovalGate(), "ben", ""),
        (ApprovalGate(approvers=["ben"]), "ben", ""),
        (ApprovalGate(), "dan", "dan has approved this evidence already"),
    ],
)
def test_who_may_approve(gate: ApprovalGate, by: str, why: str) -> None:
    judged, dan = entry(Action.JUDGE, 1, verdicts=NEEDED), entry(Action.APPROVE, 2, "dan", verdicts=())
    said = may_approve(gate, asked(judged, dan), ANA, by)
    assert (why in said) if why else said == ""


def test_what_did_not_pass_is_not_approved() -> None:
    failed = asked(entry(Action.JUDGE, 1, verdicts=(BAD, approval(1, ()))))
    assert "hill is worse" in may_approve(ApprovalGate(), failed, ANA, "ben")
    assert may_approve(ApprovalGate(), asked(), ANA, "ben")


TOO_FEW = Verdict("not_worse_than_champion", False, "worse on rows it knows", {"unseen": 12.0})


def test_a_verdict_on_too_few_rows_is_overridden_by_name_and_everybody_is_told_by_whom_and_why() -> None:
    judged = entry(Action.JUDGE, 1, verdicts=(GOOD, TOO_FEW, approval(1, ())))
    yes = entry(Action.APPROVE, 2, "ben", verdicts=(), comment="the days differ", overrides=(TOO_FEW.gate,))
    assert not asked(judged).holds and asked(judged, yes).holds
    assert asked(judged, yes).verdicts[1].reason == "overridden by ben, 'the days differ': worse on rows it knows"
    assert str(yes) == "version 3 approved for Production, overriding not_worse_than_champion"
    assert Transition.from_dict(yes.as_dict()).overrides == yes.overrides
    assert not asked(judged, replace(yes, evidence="of other rows")).holds
    forged = entry(Action.JUDGE, 1, verdicts=(replace(BAD, numbers={}), TOO_FEW))
    assert not asked(forged, replace(yes, overrides=("slices", TOO_FEW.gate))).holds


@pytest.mark.parametrize(
    ("overrides", "by", "why"),
    [
        ((TOO_FEW.gate,), "ben", ""),
        ((TOO_FEW.gate,), "ana", "ana is the author"),
        ((), "ben", "`--override not_worse_than_champion`"),
        (("thresholds",), "ben", "thresholds passed"),
        (("slices",), "ben", "no gate 'slices' was run"),
    ],
)
def test_who_may_override_what(overrides: tuple[str, ...], by: str, why: str) -> None:
    judged = asked(entry(Action.JUDGE, 1, verdicts=(GOOD, TOO_FEW)))
    said = may_approve(ApprovalGate(), judged, ANA, by, overrides)
    assert (why in said) if why else said == ""


def test_another_gate_that_failed_is_not_overridden() -> None:
    judged = asked(entry(Action.JUDGE, 1, verdicts=(BAD, TOO_FEW)))
    assert "slices cannot be overridden" in may_approve(ApprovalGate(), judged, ANA, "ben", ("slices", TOO_FEW.gate))
    assert "hill is worse" in may_approve(ApprovalGate(), judged, ANA, "ben", (TOO_FEW.gate,))


def test_a_second_reviewer_approves_what_the_first_overrode() -> None:
    first = entry(Action.APPROVE, 2, "ben", verdicts=(), overrides=(TOO_FEW.gate,))
    judged = asked(entry(Action.JUDGE, 1, verdicts=(TOO_FEW, approval(2, ()))), first)
    assert may_approve(ApprovalGate(number=2), judged, ANA, "cleo") == ""


@given(changed=st.sampled_from(["name", "version", "stage", "digest", "spec", "rows", "champion", "newest"]))
def test_the_hash_changes_with_everything_that_was_judged(changed: str) -> None:
    other = {"version": 4, "stage": Stage.STAGING, "champion": (1, "other files")}.get(changed, "other")
    assert replace(JUDGED, **{changed: other}).hash != JUDGED.hash
    assert replace(JUDGED).hash == JUDGED.hash


def test_a_transition_survives_being_told() -> None:
    told = entry(Action.JUDGE, 1_700_000_000_000, verdicts=(GOOD, *NEEDED[1:]))
    assert Transition.from_dict(told.as_dict()) == told
    assert told.passed and APPROVAL in {v.gate for v in told.verdicts}


def test_a_transition_that_an_older_server_tells_overrides_nothing() -> None:
    told = entry(Action.APPROVE, 2, "ben", verdicts=())
    older = {key: value for key, value in told.as_dict().items() if key != "overrides"}
    assert Transition.from_dict(older).overrides == ()


NO = entry(Action.REJECT, 3, "ben", verdicts=(), comment="worse on Sundays")


def test_a_rejection_stands_until_the_same_person_approves_or_other_evidence_is_judged() -> None:
    judged = entry(Action.JUDGE, 1)
    assert asked(judged).holds
    assert asked(judged, NO).missing == ("rejected by ben: 'worse on Sundays'",)
    assert not asked(judged, NO, entry(Action.JUDGE, 4)).holds  # judged again, on the same evidence
    assert not asked(judged, NO, entry(Action.APPROVE, 4, "cleo", verdicts=())).holds
    assert asked(judged, NO, entry(Action.APPROVE, 4, "ben", verdicts=())).holds
    assert asked(judged, NO, entry(Action.JUDGE, 4, evidence=replace(JUDGED, newest="more rows").hash)).holds
    assert asked(judged, replace(NO, stage=Stage.STAGING)).holds
    assert asked(judged, replace(NO, complete=False)).holds


def test_a_rejection_stands_when_the_policy_alone_changes() -> None:
    before, after = entry(Action.JUDGE, 1), entry(Action.JUDGE, 3, evidence="other", policy="changed")
    assert asked(before, NO, after).missing == ("rejected by ben: 'worse on Sundays'",)
    approved = entry(Action.APPROVE, 4, "ben", evidence="other")
    lifted = asked(before, NO, after, approved)
    assert lifted.holds and [each.by for each in lifted.approvals] == ["ben"]
    assert asked(before, entry(Action.APPROVE, 2, "ben"), after).approvals == ()  # it was given to the policy before
    beside_another = entry(Action.JUDGE, 3, evidence="other", policy="changed", replaced=2)
    assert not asked(before, NO, beside_another, live=2).rejections


def test_an_approval_given_before_a_rejection_never_counts_again() -> None:
    judged = entry(Action.JUDGE, 1, verdicts=(GOOD, approval(2, ())))
    cleo, ben = entry(Action.APPROVE, 2, "cleo", verdicts=()), entry(Action.APPROVE, 4, "ben", verdicts=())
    found = asked(judged, cleo, NO, ben)
    assert not found.rejections and [each.by for each in found.approvals] == ["ben"]
    assert may_approve(ApprovalGate(), found, "ana", "cleo") == ""
    assert asked(judged, cleo, NO, ben, entry(Action.APPROVE, 5, "cleo", verdicts=())).holds


def test_a_judgement_that_no_longer_counts_is_not_approved_and_a_rejection_is_lifted_by_who_gave_it() -> None:
    judged = entry(Action.JUDGE, 1)
    stale = may_approve(ApprovalGate(), asked(judged, live=2), ANA, "ben")
    assert "where version 2 is now; run `slipway gates loans 3` again" in stale
    served = ServedBeside(1)
    other = eligibility("loans", 3, Stage.PRODUCTION, "files", served, (judged, NO), "another policy")
    assert other.stale == other.problems[1:] and "the release policy has changed since" in other.stale[0]
    refused = replace(judged, verdicts=(GOOD, BAD), policy="the policy before")
    by_policy = eligibility("loans", 3, Stage.PRODUCTION, "files", served, (refused,), "another policy")
    assert "the release policy has changed since" in may_approve(ApprovalGate(), by_policy, ANA, "ben")
    assert may_approve(ApprovalGate(), asked(judged, NO), ANA, "ben") == ""


@pytest.mark.parametrize(
    ("entries", "present", "by", "why"),
    [
        ((), Stage.NONE, "ben", "nothing was judged for Production yet"),
        ((entry(Action.JUDGE, 1),), Stage.NONE, "ben", ""),
        ((entry(Action.JUDGE, 1),), Stage.STAGING, "ana", ""),  # its author withdraws it
        ((entry(Action.JUDGE, 1),), Stage.PRODUCTION, "ben", "in Production already; roll back instead"),
        ((entry(Action.JUDGE, 1), NO), Stage.NONE, "ben", "ben has rejected this evidence already"),
        ((entry(Action.JUDGE, 1), NO), Stage.NONE, "cleo", ""),
    ],
)
def test_who_may_reject(entries: tuple[Transition, ...], present: Stage, by: str, why: str) -> None:
    said = may_reject(asked(*entries), present, by)
    assert (why in said) if why else said == ""


def test_a_comment_and_a_rejection_are_no_judgements() -> None:
    judged = entry(Action.JUDGE, 1)
    talk = entry(Action.COMMENT, 2, verdicts=(BAD,), comment="really?")
    assert asked(judged, talk).judgement == judged and asked(judged, NO).judgement == judged
    assert str(talk) == "version 3 commented on" and str(NO) == "version 3 rejected for Production"
    assert not Action.COMMENT.moves and not Action.REJECT.moves


def a_decision() -> st.SearchStrategy[Transition]:
    action = st.sampled_from([Action.JUDGE, Action.APPROVE, Action.REJECT, Action.COMMENT, Action.REFUSE])
    facts = st.tuples(action, st.sampled_from("abc"), st.sampled_from("EF"), st.sampled_from([GOOD, BAD]))
    return facts.map(lambda one: entry(one[0], 1, one[1], evidence=one[2], verdicts=(one[3],) if one[0].judges else ()))


@given(st.lists(a_decision(), max_size=12))
def test_no_sequence_with_a_rejection_that_stands_moves(entries: list[Transition]) -> None:
    """Said once more, in the plainest way: person by person, the last word on the evidence that was judged last."""
    found = asked(*entries)
    judged = [each for each in entries if each.action.judges]
    last_word: dict[str, Action] = {}
    for each in entries:
        if judged and each.evidence == judged[-1].evidence and each.action in (Action.APPROVE, Action.REJECT):
            last_word[each.by] = each.action
    rejected = Action.REJECT in last_word.values()
    assert not (rejected and found.holds)
    if judged and judged[-1].verdicts == (GOOD,) and not rejected:
        assert found.holds
