"""The decision on a version by its judgement, its approvals and what is around it."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from slipway.core.release.decision import Decision, Found, Situation, Surroundings, decide, decision_of, judged_last
from slipway.core.release.judgement import Eligibility, approval
from slipway.core.release.readable import (
    baseline_numbers,
    calibration_numbers,
    metric_numbers,
    row_numbers,
    slice_words,
)
from slipway.core.release.transitions import Action, Transition
from slipway.core.statistics.calibration import Calibration, CalibrationBin
from slipway.core.tasks import Task
from slipway.types import Interval, Stage, Verdict

UP, DOWN, NEITHER = Interval(0.012, 0.004, 0.02), Interval(-0.02, -0.03, -0.01), Interval(0.002, -0.001, 0.005)


def beside(by: Interval, passed: bool = True, different: int = 900, few: int | None = None, **more: float) -> Verdict:
    numbers = {"difference": by.value, "low": by.low, "high": by.high}
    numbers |= metric_numbers("roc_auc", 0.81, 0.8) | row_numbers(41_203, different, few) | more
    return Verdict("not_worse_than_champion", passed, "roc_auc is as it is", numbers)


def over(rows: int = 41_203, **by: Interval) -> Verdict:
    return Verdict("beats_baseline", True, "roc_auc is better", baseline_numbers(by) | {"roc_auc": 0.8, "rows": rows})


def judged(*verdicts: Verdict, champion: int | None = 1, stage: Stage = Stage.PRODUCTION) -> Eligibility:
    entry = Transition("m", Action.JUDGE, 3, stage, "ci", 1, champion, verdicts=verdicts, evidence="e")
    return Eligibility("m", 3, stage, entry)


def of(*verdicts: Verdict, **more: Any) -> Decision:
    return decide(judged(*verdicts, **more))


def test_the_interval_decides_whether_a_version_is_better_or_worse() -> None:
    found = [of(beside(by)).found for by in (UP, DOWN, NEITHER)]
    assert found == [Found.BETTER, Found.WORSE, Found.UNCLEAR]
    difference = of(beside(UP)).difference
    assert difference and (difference.by, difference.metric, difference.rows) == (UP, "roc_auc", 41_203)
    assert difference.champion == 1 and of(beside(UP)).champion == 1


def test_no_differing_answer_is_the_same_model() -> None:
    assert of(beside(Interval(0.0, 0.0, 0.0), different=0)).found is Found.SAME
    assert of(beside(Interval(0.0, 0.0, 0.0), different=1)).found is Found.UNCLEAR


def test_a_first_version_is_compared_with_the_baseline_that_it_beats_by_the_least() -> None:
    verdicts = (
        Verdict("not_worse_than_champion", True, "nothing is in Production yet"),
        over(rule=UP, prior=Interval(0.3, 0.2, 0.4)),
    )
    found = of(*verdicts, champion=None)
    assert found.found is Found.BETTER and found.difference and found.difference.baseline == "rule"


def test_an_entry_of_an_older_slipway_names_less_and_is_read_all_the_same() -> None:
    old = Verdict(
        "not_worse_than_champion",
        True,
        "log_loss is better by 0.0120",
        {"difference": 0.012, "low": 0.004, "high": 0.02},
    )
    difference = of(old).difference
    assert difference and (difference.metric, difference.rows) == ("log_loss", None)
    nothing = Verdict("not_worse_than_champion", False, "version 1 could not be compared: its columns differ")
    assert of(nothing).found is Found.NOT_COMPARED and of(nothing).failed == ("not_worse_than_champion",)


def test_slices_are_read_from_the_words_that_the_gate_wrote() -> None:
    words = "; ".join(slice_words(each, 0.0312, 1, 1234) for each in ("carrier OO", "month 2026-01; cold"))
    found = of(beside(UP), Verdict("slices", False, f"{words} and 4 more"))
    assert (found.slices, found.more_slices) == (("carrier OO", "month 2026-01; cold"), 4)
    assert of(beside(UP), Verdict("slices", True, "none of 7 comparisons by carrier is clearly worse")).slices == ()


def test_weakened_gates_overrides_and_doubts_are_told() -> None:
    few = beside(DOWN, passed=False, few=12, unseen=12.0, newest_difference=-0.1, newest_low=-0.2, newest_high=-0.05)
    yes = Transition(
        "m", Action.APPROVE, 3, Stage.PRODUCTION, "ben", 2, comment="so", evidence="e", overrides=(few.gate,)
    )
    policy = Verdict("policy", True, "", {"weakened": 2})
    off = Verdict("thresholds", True, "", {"calibration_error": 0.07})
    found = decide(replace(judged(few, over(rows=150, rule=UP), policy, off), approvals=(yes,)))
    assert (found.failed, found.overridden, found.weakened) == ((), (few.gate,), 2)
    assert (found.doubts.few, found.doubts.calibration, found.doubts.test_rows, found.doubts.newest) == (
        12,
        0.07,
        150,
        0.1,
    )
    assert of(beside(UP)).weakened is None


def test_only_probabilities_are_off_and_by_more_than_chance_explains() -> None:
    minutes = Calibration(9.0, (CalibrationBin(120.0, 111.0, 50),))
    assert calibration_numbers(Task.REGRESSION, minutes) == calibration_numbers(Task.BINARY, None) == {}
    assert calibration_numbers(Task.BINARY, Calibration(0.2, (CalibrationBin(0.5, 0.7, 900),))) == {
        "calibration_error": 0.2
    }
    assert calibration_numbers(Task.BINARY, Calibration(0.02, (CalibrationBin(0.5, 0.52, 90),))) == {}
    assert calibration_numbers(Task.BINARY, Calibration(0.0, (CalibrationBin(1.0 + 1e-12, 1.0, 90),))) == {}


def test_missing_approvals_are_counted_as_they_are_given() -> None:
    waits = judged(beside(UP), approval(2, ()))
    given_one = Transition("m", Action.APPROVE, 3, Stage.PRODUCTION, "ben", 2, evidence="e")
    assert decide(waits).approvals_missing == 2
    assert decide(replace(waits, approvals=(given_one,))).approvals_missing == 1 and decide(waits).failed == ()


def test_a_stale_judgement_says_so_but_not_of_the_version_in_production() -> None:
    stale = replace(judged(beside(UP)), problems=("it compared with version 1",))
    assert decide(stale).problems and not decide(stale, Surroundings(Situation.LIVE)).problems
    never = Eligibility("m", 3, Stage.PRODUCTION, None, (), ("no verdict",))
    assert not decide(never).judged and not decide(never).problems


def test_an_entry_of_the_ledger_tells_its_decision() -> None:
    refused = Transition(
        "m", Action.REFUSE, 3, Stage.PRODUCTION, "jo", 1, 1, verdicts=(beside(DOWN, passed=False), approval(1, ()))
    )
    found = decision_of(refused)
    assert found and found.failed == ("not_worse_than_champion",) and found.approvals_missing == 1
    assert decision_of(replace(refused, action=Action.ROLLBACK, verdicts=())) is None
    promoted = decision_of(replace(refused, action=Action.PROMOTE, verdicts=(beside(UP),)))
    assert promoted and promoted.situation is Situation.LIVE


def test_the_judgement_for_production_counts_where_there_is_one() -> None:
    staging, never = judged(beside(UP), stage=Stage.STAGING), Eligibility("m", 3, Stage.PRODUCTION, None)
    assert judged_last([staging, never]) is staging
    assert judged_last([staging, judged(beside(UP))]).stage is Stage.PRODUCTION
    assert judged_last([Eligibility("m", 3, Stage.STAGING, None), never]) is never


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1))
def test_better_or_worse_is_never_said_of_an_interval_that_holds_zero(value: float, down: float, up: float) -> None:
    by = Interval(value, value - down, value + up)
    found = of(beside(by)).found
    assert (found is Found.UNCLEAR) is (by.low <= 0 <= by.high)
