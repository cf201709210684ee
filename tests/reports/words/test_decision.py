"""One or two sentences for every situation that a version can be in."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.core.release.decision import Decision, Doubts, Found, MeasuredDifference, Situation
from slipway.core.release.judgement import Eligibility
from slipway.core.release.transitions import Action, Transition
from slipway.reports.words.decision import (
    MOST_WORDS,
    description_with,
    gate_name,
    judged_sentence,
    markdown_sentence,
    sentence,
)
from slipway.types import Interval, Stage, Verdict

UP, NEITHER = Interval(0.012, 0.004, 0.02), Interval(0.002, -0.001, 0.005)
BESIDE = MeasuredDifference(UP, "roc_auc", 41_203, champion=1)
BETTER = Decision("flights", 3, Stage.PRODUCTION, found=Found.BETTER, difference=BESIDE, champion=1, live=1)
FIRST = MeasuredDifference(UP, "roc_auc", 41_203, baseline="carrier rule")
BY = "by 0.0120 roc_auc (0.0040 to 0.0200) on 41,203 test rows"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, f"Better than version 1 in Production {BY}. Every gate passed: nothing stands between it and Production."),
        ({"live": 2}, f"Better than version 1 {BY}."),
        (
            {
                "slices": ("carrier OO",),
                "weakened": 0,
                "failed": ("slices",),
                "doubts": Doubts(few=12, calibration=0.05),
            },
            f"Better than version 1 in Production {BY}; clearly worse for carrier OO; no gate was weakened; doubt: 12 of the "
            "rows alone are unknown to version 1, its probabilities are off by 0.05. Refused by the gate slices.",
        ),
        (
            {"found": Found.UNCLEAR, "difference": replace(BESIDE, by=NEITHER)},
            "No clear difference to version 1 in Production: +0.0020 roc_auc (-0.0010 to +0.0050) on 41,203 test rows.",
        ),
        (
            {"found": Found.WORSE, "difference": replace(BESIDE, by=Interval(-0.012, -0.02, -0.004))},
            f"Worse than version 1 in Production {BY}.",
        ),
        (
            {"found": Found.SAME, "difference": replace(BESIDE, by=Interval(0.0, 0.0, 0.0))},
            "Answers the same as version 1 in Production on every one of 41,203 test rows, so a promotion changes no answer.",
        ),
        (
            {"difference": FIRST, "champion": None, "live": None},
            f"First version: better than the best baseline, carrier rule, {BY}.",
        ),
        (
            {"stage": Stage.STAGING, "difference": FIRST, "champion": None},
            "Better than the best baseline, carrier rule, by",
        ),
        ({"failed": ("beats_baseline", "own_check")}, "Refused by the gates beats baseline and own_check."),
        (
            {
                "problems": (
                    "the verdict is stale: it compared with version 1 in Production, where version 2 is now; run `x`",
                )
            },
            "This judgement no longer counts: it compared with version 1 in Production, where version 2 is now.",
        ),
        ({"approvals_missing": 2}, "Every gate passed; it waits for 2 approvals."),
        ({"situation": Situation.LIVE, "live": 3}, f"Better than version 1 {BY}. It is in Production now."),
        ({"situation": Situation.STAGED, "stage": Stage.STAGING}, f"Production {BY}. It is in Staging now."),
        (
            {"situation": Situation.ROLLED_BACK, "back_to": 1},
            "It was in Production and was rolled back: version 1 came back.",
        ),
        ({"situation": Situation.ARCHIVED}, "It is archived. Every gate passed."),
        ({"judged": False}, "No gate has judged it yet: ask with `slipway gates flights 3`."),
        ({"judged": False, "same_as": 2}, "No gate has judged it yet, and it is the same as version 2: ask with"),
        (
            {"judged": False, "foreign": True},
            "Registered past Slipway, without a digest of its files: no gate can judge it",
        ),
        ({"overridden": ("not_worse_than_champion",)}, "overridden by a reviewer: not worse than champion."),
        ({"weakened": 1}, "1 gate is weaker than before."),
        ({"found": Found.NOT_COMPARED, "difference": None}, "Could not be compared with version 1 in Production."),
        ({"same_as": 2}, "; the same model as version 2."),
        (
            {"doubts": Doubts(test_rows=150, newest=0.03)},
            "doubt: on the newest rows worse by 0.0300, only 150 test rows.",
        ),
    ],
)
def test_each_situation_has_its_sentence(changed: dict[str, Any], said: str) -> None:
    assert said in sentence(replace(BETTER, **changed))


def test_the_sentence_of_a_judgement_leaves_out_what_changes_later() -> None:
    waits = replace(BETTER, approvals_missing=1, failed=("slices",))
    assert judged_sentence(waits) == f"Better than version 1 in Production {BY}. Refused by the gate slices."


def test_an_entry_and_an_eligibility_are_told_as_they_are() -> None:
    back = Transition("flights", Action.ROLLBACK, 1, Stage.PRODUCTION, "jo", 1, 3)
    assert sentence(back) == "Rolled back to version 1, replacing version 3."
    judged = replace(back, action=Action.JUDGE, verdicts=(Verdict("thresholds", False, "low"),), replaced=None)
    assert "Refused by the gate thresholds." in sentence(judged)
    assert "No gate has judged it" in sentence(Eligibility("flights", 3, Stage.PRODUCTION, None))


def test_names_in_the_data_stay_text_in_markdown() -> None:
    assert "<b>" not in markdown_sentence(replace(BETTER, slices=("<b>*x*</b>",), failed=("slices",)))


GATES = [
    "thresholds",
    "beats_baseline",
    "not_worse_than_champion",
    "slices",
    "latency",
    "policy",
    "size",
    "our_own_check",
]
names = st.text(min_size=1, max_size=80).filter(str.strip)
counts = st.none() | st.integers(0, 999)
intervals = st.builds(Interval, *[st.floats(-9, 9)] * 3)
decisions = st.builds(
    Decision,
    st.just("flights"),
    st.integers(2, 9999),
    st.sampled_from([Stage.STAGING, Stage.PRODUCTION]),
    found=st.sampled_from(Found),
    difference=st.none()
    | st.builds(MeasuredDifference, intervals, st.just("roc_auc"), counts, st.none() | st.just(1), names),
    champion=st.none() | st.just(1),
    live=st.none() | st.just(1),
    failed=st.lists(st.sampled_from(GATES), unique=True).map(tuple),
    overridden=st.lists(st.sampled_from(GATES[2:4]), unique=True).map(tuple),
    slices=st.lists(names, max_size=5).map(tuple),
    more_slices=st.integers(0, 40),
    weakened=st.none() | st.integers(0, 9),
    doubts=st.builds(Doubts, counts, st.none() | st.floats(0, 1), counts, st.floats(0, 1)),
    problems=st.lists(st.just("the verdict that stands is of other files than are registered"), max_size=1).map(tuple),
    approvals_missing=st.integers(0, 3),
    situation=st.sampled_from(Situation),
)


@given(decisions)
def test_a_decision_is_short_and_names_every_gate_that_failed(decision: Decision) -> None:
    for text in (sentence(decision), judged_sentence(decision)):
        assert text[0] == text[0].upper() and text.endswith(".") and "\n" not in text
        assert len(text.split()) <= MOST_WORDS + len(decision.failed) * 4
        assert all(gate_name(gate) in text for gate in decision.failed)


@given(decisions)
def test_better_is_never_said_but_of_a_difference_that_is(decision: Decision) -> None:
    if decision.found is not Found.BETTER or decision.difference is None:
        assert "etter than" not in sentence(replace(decision, slices=(), problems=()))


def test_the_description_keeps_what_people_wrote_and_has_one_line_a_stage() -> None:
    at = datetime(2026, 11, 29, 12, 40, tzinfo=UTC)
    own = "For the winter.\n\n**Judged** by me: fine.\n"
    once = description_with(own, BETTER, at)
    assert once.startswith("**Judged for Production by Slipway's gates, 2026-11-29 12:40 UTC.** Better than version 1")
    assert once.endswith(f"\n\n{own}")
    edited = once.replace("For the winter.", "For the spring.")
    again = description_with(edited, replace(BETTER, failed=("slices",)), at)
    assert again.count("Judged for Production") == 1 and "Refused by the gate slices." in again
    assert again.endswith(own.replace("winter", "spring"))
    both = description_with(again, replace(BETTER, stage=Stage.STAGING), at)
    assert both.count("Judged for ") == 2 and both.endswith("fine.\n")
    assert description_with("", BETTER, at) == once.partition("\n")[0]
