"""What the board says of movements and verdicts, in a few words and as a strip."""

import re
from collections.abc import Sequence
from math import isfinite

from markupsafe import Markup, escape

from slipway.core.release.transitions import APPROVAL, Action, Transition
from slipway.reports._interval_plot import interval_plot
from slipway.types import Interval, Verdict


def in_words(transition: Transition) -> str:
    """Say what was done, with a capital letter and without the numbers that stand beside it."""
    said = str(transition)
    return said[:1].upper() + said[1:]


def refusals(transition: Transition) -> list[Verdict]:
    """Return what stood in the way of a movement. That nobody has approved yet what is only now judged is no news."""
    not_yet = (APPROVAL,) if transition.action is Action.JUDGE else ()
    return [verdict for verdict in transition.verdicts if not verdict.passed and verdict.gate not in not_yet]


def coded(text: str) -> Markup:
    """Escape a text, and set what stands between backticks as code, such as a command."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped


def outcome_of(verdicts: Sequence[Verdict]) -> str:
    """Say how many gates passed, and whether people still have to approve."""
    asked = [verdict.passed for verdict in verdicts if verdict.gate != APPROVAL]
    failed = asked.count(False)
    said = (
        f"{failed} of {len(asked)} gates said no"
        if failed
        else ("its one gate passed" if len(asked) == 1 else f"all {len(asked)} gates passed")
    )
    waiting = any(verdict.gate == APPROVAL and not verdict.passed for verdict in verdicts)
    return f"{said}, approval is missing" if waiting else said


def gate_strip(verdict: Verdict) -> Markup:
    """Draw the interval of a paired difference beside no difference; empty for a gate that has none."""
    numbers = [verdict.numbers.get(key) for key in ("difference", "low", "high")]
    if None in numbers or not all(isfinite(number) for number in numbers if number is not None):
        return Markup("")
    value, low, high = (float(number) for number in numbers if number is not None)
    return interval_plot(Interval(value, low, high), {"no difference": 0.0})
