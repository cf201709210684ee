"""A comparison in sentences: which side is better, how often they disagree, who is right where they do."""

from math import isfinite
from typing import Any

from slipway.core.statistics.comparison import Comparison, OnSameRows
from slipway.core.statistics.disagreement import DisputedRow, Gap, OneAnswer
from slipway.core.tasks import Task
from slipway.reports.words.spelling import interval, number, percent
from slipway.types import Interval


def headline(comparison: Comparison) -> str:
    """Say in one sentence which side is better, or why that cannot be said."""
    anew = comparison.on_same_rows
    if anew is None:
        return f"Recorded numbers only ({comparison.why_not})."
    if anew.problems:
        return "; ".join(f"{label} could not be scored anew: {why}" for label, why in anew.problems.items()) + "."
    difference = anew.better_by.get(anew.metric)
    if difference is None:
        return f"{anew.metric} cannot be measured of both, so it does not say which is better."
    said = words(difference, comparison.left.label, comparison.right.label)
    rows = f"on {anew.rows:,} rows"
    return (
        f"{anew.metric}: {said}, {rows}; but {anew.doubt}."
        if anew.doubt
        else (f"{anew.metric}: {said}, {rows} that neither was trained on.")
    )


def words(better_by: Interval, left: str, right: str) -> str:
    """Say a paired difference. better_by: by how much right is better than left."""
    if not isfinite(better_by.value):
        return "not defined on these rows"
    if better_by.value == better_by.low == better_by.high == 0:
        return "no difference at all"
    if better_by.value == 0:
        return f"no difference, 95 % interval {interval(better_by)}"
    winner, by = (right, better_by) if better_by.value >= 0 else (left, _flipped(better_by))
    said = f"{winner} is better by {number(by.value)}, 95 % interval {interval(by)}"
    return said if by.low > 0 else f"no clear difference: {said}"


def disagreement_words(anew: OnSameRows) -> str:
    """Say how often, and by how much, the two models disagree; empty where one of them could not be applied."""
    found = anew.disagreement
    if found is None:
        return ""
    if found.measured is Gap.VALUE:
        return f"The answers are {number(found.mean)} apart on average (the mean absolute difference)."
    differing = round(found.rate * anew.rows)
    said = f"The answers differ on {percent(found.rate)} of the rows ({differing:,} of {anew.rows:,})"
    if found.measured is Gap.SCORE:
        return f"{said}; the probabilities of '{anew.positive}' are {number(found.mean)} apart on average."
    if found.measured is Gap.DISTANCE:
        return f"{said}; the probabilities of the classes are {number(found.mean)} apart on average."
    return f"{said}."


def who_is_right(comparison: Comparison) -> str:
    """Say which model is right, or nearer to the truth, on how many of the rows that they disagree on most."""
    anew = comparison.on_same_rows
    if anew is None or not anew.disputed:
        return ""
    verb = "right" if anew.task.is_classification else "nearer to the truth"
    found = [right_sides(row, anew.task) for row in anew.disputed]
    left, right = (sum(side in sides for sides in found) for side in ("left", "right"))
    return (
        f"Of the {len(found)} rows that they disagree on most, {comparison.left.label} is {verb} on {left}, "
        f"{comparison.right.label} on {right}"
    )


def right_sides(row: DisputedRow, task: Task) -> tuple[str, ...]:
    """Return which sides are right on a row, `left` and `right`; of two values the nearer one, or both."""
    answers = {"left": row.left.label, "right": row.right.label}
    if task.is_classification:
        return tuple(side for side, label in answers.items() if label == row.truth)
    away = {side: abs(value - row.truth) for side, value in answers.items()}
    return tuple(side for side, distance in away.items() if distance == min(away.values()))


def answer_words(answer: OneAnswer) -> str:
    """Write one answer: a class with its score, or a value."""
    said = "a class that these rows do not have" if answer.label is None else value_words(answer.label)
    return said if answer.score is None else f"{said} ({number(answer.score)})"


def value_words(value: Any) -> str:
    """Write a value of a row: a missing one as a dash, whole numbers without thousands since they may be keys."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    return str(value)


def _flipped(difference: Interval) -> Interval:
    return Interval(-difference.value, 0.0 - difference.high, 0.0 - difference.low)  # 0.0 - 0.0 has no sign
