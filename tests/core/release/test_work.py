"""What waits for whom, and how a version was judged in one word."""

from dataclasses import replace
from typing import Any

import pytest

from slipway.core.release.judgement import Eligibility, approval, eligibility
from slipway.core.release.policies import Policies, SetPolicy
from slipway.core.release.transitions import Action, Transition
from slipway.core.release.work import Asked, ReviewState, Waiting, policy_waiting, review_state, waiting
from slipway.core.spec import ReleasePolicy
from slipway.types import Stage, Verdict

GOOD, BAD = Verdict("thresholds", True, "fine"), Verdict("slices", False, "hill is worse")
LACKING = (GOOD, approval(1, ()))


def entry(action: Action, at: int, by: str, **more: Any) -> Transition:
    facts = {"digest": "files", "evidence": "E", **more}
    return Transition("loans", action, 3, Stage.PRODUCTION, by, at, **facts)


JUDGED = entry(Action.JUDGE, 1, "ana", verdicts=LACKING)
YES, NO = entry(Action.APPROVE, 2, "ben"), entry(Action.REJECT, 2, "ben", comment="worse on Sundays")
TALK = entry(Action.COMMENT, 3, "ben", comment="why?", evidence="")


def found(*entries: Transition) -> Eligibility:
    return eligibility("loans", 3, Stage.PRODUCTION, "files", None, entries)


def waits(*entries: Transition, present: Stage = Stage.NONE, author: str = "ana") -> tuple[Waiting, ...]:
    return waiting({Stage.PRODUCTION: found(*entries)}, present, author, entries)


@pytest.mark.parametrize(
    ("entries", "state"),
    [
        ((), ReviewState.NEVER),
        ((TALK,), ReviewState.NEVER),
        ((JUDGED,), ReviewState.WAITING),
        ((JUDGED, YES), ReviewState.PASSES),
        ((JUDGED, NO), ReviewState.REFUSED),
        ((entry(Action.JUDGE, 1, "ana", verdicts=(GOOD, BAD)),), ReviewState.REFUSED),
        ((entry(Action.JUDGE, 1, "ana", verdicts=(GOOD,), replaced=7),), ReviewState.PASSES),  # stale, but passed
    ],
)
def test_a_judgement_in_one_word(entries: tuple[Transition, ...], state: ReviewState) -> None:
    assert review_state(found(*entries)) is state
    assert review_state(None) is ReviewState.NEVER


def test_a_judgement_without_its_approval_waits_to_be_approved_and_then_to_be_promoted() -> None:
    (item,) = waits(JUDGED)
    assert (item.asked, item.since_ms, item.by, item.author) == (Asked.APPROVE, 1, "ana", "ana")
    again = replace(JUDGED, at_ms=9)
    assert waits(JUDGED, again)[0].since_ms == 1 and waits(JUDGED, YES, again)[0].since_ms == 2
    (item,) = waits(JUDGED, YES)
    assert (item.asked, item.since_ms, item.by) == (Asked.PROMOTE, 2, "ben")
    two = entry(Action.JUDGE, 1, "ana", verdicts=(GOOD, approval(2, ())))
    (item,) = waits(two, YES)
    assert (item.asked, item.approved_by) == (Asked.APPROVE, frozenset({"ben"}))


def test_nothing_waits_where_nothing_could_be_done() -> None:
    assert (
        waits() == () and waits(JUDGED, present=Stage.ARCHIVED) == () and waits(JUDGED, present=Stage.PRODUCTION) == ()
    )
    assert waits(entry(Action.JUDGE, 1, "ana", verdicts=(BAD, approval(1, ())))) == ()
    assert waits(entry(Action.JUDGE, 1, "ana", verdicts=LACKING, replaced=7)) == ()  # stale: the gates come first


def test_what_others_said_waits_for_the_author_until_the_author_says_something() -> None:
    (item,) = waits(JUDGED, NO, TALK)
    assert (item.asked, item.since_ms, item.by, item.text, item.entries) == (Asked.READ, 2, "ben", "why?", 2)
    assert waits(JUDGED, NO, TALK, entry(Action.COMMENT, 4, "ana", comment="the flood")) == ()
    assert [each.asked for each in waits(JUDGED, TALK, present=Stage.PRODUCTION)] == [Asked.READ]
    assert waits(JUDGED, NO, TALK, author="") == ()


def test_a_change_of_the_release_policy_waits_for_those_who_may_approve_it() -> None:
    now = SetPolicy(
        ReleasePolicy.model_validate({"change": {"approvals": 2, "approvers": ["ben", "cleo"]}}), "", "rita", 1
    )
    changed = SetPolicy(ReleasePolicy(), "", "rita", 5, "as agreed", ("cleo",))
    (item,) = policy_waiting("loans", Policies(now, changed))
    assert (item.asked, item.version, item.since_ms, item.by, item.text) == (Asked.POLICY, 0, 5, "rita", "as agreed")
    assert (item.authors, item.approved_by, item.approvers) == ({"rita"}, {"cleo"}, {"ben", "cleo"})
    assert policy_waiting("loans", Policies(now)) == ()
