"""The result of `slipway gates` tells the decision in each of its forms."""

from dataclasses import replace

from slipway.core.release.decision import decide
from slipway.core.release.judgement import Eligibility, approval
from slipway.core.release.transitions import Action, Transition
from slipway.types import Stage, Verdict
from slipway.workflows.release.gates import Gated

WORSE = Verdict("slices", False, "port a|<b>: worse by 0.1000 than with version 1, on 90 rows")
JUDGED = Transition("small", Action.JUDGE, 2, Stage.PRODUCTION, "ci", 1, 1, verdicts=(WORSE,), evidence="e")


def test_a_version_that_only_lacks_an_approval_passes_the_gates_and_waits() -> None:
    fine = replace(JUDGED, verdicts=(Verdict("slices", True, "none is worse"), approval(1, ())))
    for verdicts, said in ((fine.verdicts, "passes the gates before Production and waits for approval; nothing"),
                           ((WORSE, approval(1, ())), "does not pass the gates before Production; nothing")):  # fmt: skip
        found = Eligibility("small", 2, Stage.PRODUCTION, replace(fine, verdicts=verdicts))
        gated = Gated(found, JUDGED, decide(found))
        assert not gated.passed and f"small version 2 {said} was moved" in str(gated).splitlines()[0]


def test_the_decision_is_in_the_text_the_json_and_the_comment_of_a_pull_request() -> None:
    found = Eligibility("small", 2, Stage.PRODUCTION, JUDGED)
    gated = Gated(found, JUDGED, decide(found))
    told = "Could not be compared with version 1; clearly worse for port a|<b>. Refused by the gate slices."
    assert gated.as_dict()["decision"] == told
    assert str(gated).splitlines()[1] == gated.as_dict()["decision"]
    comment = gated.as_markdown().splitlines()
    assert comment[0].startswith("**small version 2 does not pass") and comment[2].startswith("Could not be compared")
    assert "<b>" not in comment[2] and "Refused by the gate slices." in comment[2]
