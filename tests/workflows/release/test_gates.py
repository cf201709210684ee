"""The result of `slipway gates` tells the decision in each of its forms."""

from slipway.core.release.decision import decide
from slipway.core.release.judgement import Eligibility
from slipway.core.release.transitions import Action, Transition
from slipway.types import Stage, Verdict
from slipway.workflows.release.gates import Gated

WORSE = Verdict("slices", False, "port a|<b>: worse by 0.1000 than with version 1, on 90 rows")
JUDGED = Transition("small", Action.JUDGE, 2, Stage.PRODUCTION, "ci", 1, 1, verdicts=(WORSE,), evidence="e")


def test_the_decision_is_in_the_text_the_json_and_the_comment_of_a_pull_request() -> None:
    found = Eligibility("small", 2, Stage.PRODUCTION, JUDGED)
    gated = Gated(found, JUDGED, decide(found))
    told = "Could not be compared with version 1; clearly worse for port a|<b>. Refused by the gate slices."
    assert gated.as_dict()["decision"] == told
    assert str(gated).splitlines()[1] == gated.as_dict()["decision"]
    comment = gated.as_markdown().splitlines()
    assert comment[0].startswith("**small version 2 does not pass") and comment[2].startswith("Could not be compared")
    assert "<b>" not in comment[2] and "Refused by the gate slices." in comment[2]
