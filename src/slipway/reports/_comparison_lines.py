"""The lines of a comparison's tables: one fact, its value on each side, and whether the values differ."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from slipway.core.statistics.comparison import Comparison, Side
from slipway.reports.words.comparison import words
from slipway.reports.words.spelling import interval, moment, number
from slipway.types import Interval

_LINEAGE = {
    "data_digest": "data",
    "spec_digest": "specification",
    "code_digest": "own code",
    "lock_digest": "locked dependencies",
    "git_commit": "commit",
    "git_dirty": "uncommitted changes",
}
_YES_OR_NO = {"true": "yes", "false": "no"}
_DIGEST_CHARACTERS = 12
_MISSING = "–"


@dataclass(frozen=True)
class ComparedFact:
    """One fact of both sides; `full` holds both values where `left` and `right` shorten them."""

    name: str
    left: str
    right: str
    differs: bool = False
    full: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class ScoredFact:
    """One metric of both models on the same rows.

    Attributes:
        metric: The name of the metric.
        left: The value of the left model; None where it was not measured.
        right: The value of the right model; None where it was not measured.
        better_by: By how much the right model is better; None where only one was measured.
        words: A sentence on which model is better, and by how much.
        better: `left` or `right`; empty where no model is clearly better.
    """

    metric: str
    left: float | None
    right: float | None
    better_by: Interval | None
    words: str
    better: str


def scored(comparison: Comparison) -> list[ScoredFact]:
    """Return each metric that was measured anew, the metric of the search first."""
    anew = comparison.on_same_rows
    if anew is None:
        return []
    lines = []
    for name in dict.fromkeys([*anew.left, *anew.right]):
        by = anew.better_by.get(name)
        sentence = words(by, comparison.left.label, comparison.right.label) if by else "measured of one only"
        better = "right" if by and by.low > 0 else "left" if by and by.high < 0 else ""
        lines.append(ScoredFact(name, anew.left.get(name), anew.right.get(name), by, sentence, better))
    return lines


def facts(comparison: Comparison) -> list[ComparedFact]:
    """Return stage, run and times of each side; no line is marked, because all of them usually differ."""
    sides = _sides(comparison)
    lines = [
        _line("stage", [_stage(side) for side in sides]),
        _line("run", [_run(side) for side in sides], [side.run_id for side in sides]),
        _line("started", [moment(side.started) for side in sides]),
        _line("ended", [side.status for side in sides]),
    ]
    return [replace(line, differs=False) for line in lines if line.name != "ended" or line.differs]


def settings(comparison: Comparison) -> list[ComparedFact]:
    """Return the candidate and its parameters; lines that differ are marked."""
    return _lines(comparison.left.settings, comparison.right.settings, _parameter)


def recorded(comparison: Comparison) -> list[ComparedFact]:
    """Return the recorded metrics on the validation and test rows; no line is marked, because the rows may differ."""
    lines = []
    for part in ("validation", "test"):
        left, right = (getattr(side, part) for side in (comparison.left, comparison.right))
        for line in _lines(left, right, _measured):
            lines.append(replace(line, name=f"{part} {line.name}", differs=False, full=(line.left, line.right)))
    return lines


def lineage(comparison: Comparison) -> list[ComparedFact]:
    """Return the lineage of each side; lines that differ are marked."""
    sides = [{_LINEAGE[key]: value for key, value in side.lineage.items()} for side in _sides(comparison)]
    return _lines(sides[0], sides[1], lambda value: _YES_OR_NO.get(value, value)[:_DIGEST_CHARACTERS])


def _sides(comparison: Comparison) -> tuple[Side, Side]:
    return comparison.left, comparison.right


def _line(name: str, shown: list[str], full: list[str] | None = None) -> ComparedFact:
    whole = full or shown
    return ComparedFact(name, shown[0], shown[1], whole[0] != whole[1], (whole[0], whole[1]))


def _lines(left: Mapping[str, Any], right: Mapping[str, Any], write: Callable[[Any], str]) -> list[ComparedFact]:
    names = dict.fromkeys([*left, *right])
    return [
        _line(
            name,
            [write(side[name]) if name in side else _MISSING for side in (left, right)],
            [str(side.get(name, _MISSING)) for side in (left, right)],
        )
        for name in names
    ]


def _stage(side: Side) -> str:
    if side.stage is None:
        return "not registered"
    version = f"version {side.version}"
    return side.stage.words if version == side.label else f"{side.stage.words} ({version})"


def _run(side: Side) -> str:
    return f"{side.run_id[:8]} ({side.run_name})"


def _parameter(text: str) -> str:
    """Return a parameter as MLflow records it, a long decimal with six digits."""
    try:
        value = float(text)
    except ValueError:
        return text
    return f"{value:.6g}" if isfinite(value) and not value.is_integer() else text


def _measured(value: float | Interval) -> str:
    if isinstance(value, Interval):
        return f"{number(value.value)} ({interval(value)})"
    return number(value)
