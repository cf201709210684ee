"""The sentences of a comparison: which side is better, how often the answers differ, and who is right there."""

from math import isfinite
from typing import Any

from slipway.core.statistics.comparison import Comparison, OnSameRows
from slipway.core.statistics.disagreement import DisputedRow, Gap, OneAnswer
from slipway.core.tasks import Task
from slipway.reports.words.spelling import interval, number, percent
from slipway.types import Interval


def headline(comparison: Comparison) -> str:
    """Say in one sentence which side is better, or why nobody can say."""
    anew = comparison.on_same_rows
    if anew is None:
        return f"Recorded numbers only ({comparison.why_not})."
    if anew.problems:
        return "; ".join(f"{label} could not be scored anew: {why}" for label, why in anew.problems.items()) + "."
    difference = anew.better_by.get(anew.metric)
    if difference is None:
        return f"{anew.metric} cannot be measured of both, so it does not say which is better."
    difference_words = words(difference, comparison.left.label, comparison.right.label)
    rows = f"on {anew.rows:,} rows"
    return (
        f"{anew.metric}: {difference_words}, {rows}; but {anew.doubt}."
        if anew.doubt
        else (f"{anew.metric}: {difference_words}, {rows} that neither was trained on.")
    )


def words(better_by: Interval, left: str, right: str) -> str:
    """Say a paired difference, given by how much the right side is better than the left one."""
    if not isfinite(better_by.value):
        return "not defined on these rows"
    if better_by.value == better_by.low == better_by.high == 0:
        return "no difference at all"
    if better_by.value == 0:
        return f"no difference, 95 % interval {interval(better_by)}"
    winner, by = (right, better_by) if better_by.value >= 0 else (left, _flipped(better_by))
    sentence = f"{winner} is better by {number(by.value)}, 95 % interval {interval(by)}"
    return sentence if by.low > 0 else f"no clear difference: {sentence}"


def disagreement_words(anew: OnSameRows) -> str:
    """Say how often, and by how much, the two models disagree; empty where one of them could not be applied."""
    apart = anew.disagreement
    if apart is None:
        return ""
    if apart.measured is Gap.VALUE:
        return f"The answers are {number(apart.mean)} apart on average (the mean absolute difference)."
    differing = round(apart.rate * anew.rows)
    how_often = f"The answers differ on {percent(apart.rate)} of the rows ({differing:,} of {anew.rows:,})"
    if apart.measured is Gap.SCORE:
        return f"{how_often}; the probabilities of '{anew.positive}' are {number(apart.mean)} apart on average."
    if apart.measured is Gap.DISTANCE:
        return f"{how_often}; the probabilities of the classes are {number(apart.mean)} apart on average."
    return f"{how_often}."


def who_is_right(comparison: Comparison) -> str:
    """Say on how many of the most disputed rows each model is right, or nearer to the truth."""
    anew = comparison.on_same_rows
    if anew is None or not anew.disputed:
        return ""
    verb = "right" if anew.task.is_classification else "nearer to the truth"
    right_ones = [right_sides(row, anew.task) for row in anew.disputed]
    left, right = (sum(side in sides for sides in right_ones) for side in ("left", "right"))
    return (
        f"Of the {len(right_ones)} rows that they disagree on most, {comparison.left.label} is {verb} on {left}, "
        f"{comparison.right.label} on {right}"
    )


def right_sides(row: DisputedRow, task: Task) -> tuple[str, ...]:
    """Return which sides are right on a row, `left` and `right`; for values the nearer side, or both."""
    answers = {"left": row.left.label, "right": row.right.label}
    if task.is_classification:
        return tuple(side for side, label in answers.items() if label == row.truth)
    away = {side: abs(value - row.truth) for side, value in answers.items()}
    return tuple(side for side, distance in away.items() if distance == min(away.values()))


def answer_words(answer: OneAnswer) -> str:
    """Write one answer: a class with its score, or a value."""
    label = "a class that these rows do not have" if answer.label is None else value_words(answer.label)
    return label if answer.score is None else f"{label} ({number(answer.score)})"


def value_words(value: Any) -> str:
    """Write a value of a row: a missing value as a dash, a whole number without separators because it may be a key."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    return str(value)


def _flipped(difference: Interval) -> Interval:
    return Interval(-difference.value, 0.0 - difference.high, 0.0 - difference.low)  # 0.0 - 0.0 has no sign, -0.0 has
