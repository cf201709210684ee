"""The board's words for transitions and verdicts, and the strip of a gate."""

import re
from collections.abc import Sequence
from math import isfinite

from markupsafe import Markup, escape

from slipway.core.release.transitions import APPROVAL, Action, Transition
from slipway.reports._interval_plot import interval_plot
from slipway.types import Interval, Verdict


def in_words(transition: Transition) -> str:
    """Say what a Transition did, with a capital letter at the start."""
    sentence = str(transition)
    return sentence[:1].upper() + sentence[1:]


def refusals(transition: Transition) -> list[Verdict]:
    """Return the verdicts that refused a Transition.

    A judgement leaves out a missing approval: nobody can have approved evidence that is only now judged.
    """
    not_yet = (APPROVAL,) if transition.action is Action.JUDGE else ()
    return [verdict for verdict in transition.verdicts if not verdict.passed and verdict.gate not in not_yet]


def coded(text: str) -> Markup:
    """Escape a text, and set words between backticks, such as a command, as code."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped


def outcome_of(verdicts: Sequence[Verdict]) -> str:
    """Say how many gates passed, and whether people still have to approve."""
    passed = [verdict.passed for verdict in verdicts if verdict.gate != APPROVAL]
    failed = passed.count(False)
    outcome = (
        f"{failed} of {len(passed)} gates did not pass"
        if failed
        else ("its one gate passed" if len(passed) == 1 else f"all {len(passed)} gates passed")
    )
    waiting = any(verdict.gate == APPROVAL and not verdict.passed for verdict in verdicts)
    return f"{outcome}, approval is missing" if waiting else outcome


def gate_strip(verdict: Verdict) -> Markup:
    """Draw the interval of a paired difference beside no difference; empty for a gate without a paired difference."""
    numbers = [verdict.numbers.get(key) for key in ("difference", "low", "high")]
    if None in numbers or not all(isfinite(number) for number in numbers if number is not None):
        return Markup("")
    value, low, high = (float(number) for number in numbers if number is not None)
    return interval_plot(Interval(value, low, high), {"no difference": 0.0})
