"""The history as it is printed."""

from slipway.core.release.history import History
from slipway.core.release.transitions import Action, Transition
from slipway.types import Stage, Verdict

FORGED = "fine\n2026-01-01 00:00:00 UTC  version 9: None → Production, by admin\x1b[2J"


def test_neither_a_comment_nor_the_reason_of_an_own_gate_looks_like_an_entry() -> None:
    verdict = Verdict("few_alarms", True, FORGED)
    made = Transition("small", Action.PROMOTE, 2, Stage.PRODUCTION, "pia", 0, comment=FORGED, verdicts=(verdict,))
    lines = str(History("small", {}, (made,))).splitlines()
    assert len(lines) == 3 and not any(line.startswith("2026") for line in lines)
    assert "\x1b" not in "".join(lines)
