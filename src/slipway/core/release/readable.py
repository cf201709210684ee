"""The numbers and words of verdicts that are read back: the gates write them, and the decision on a version is made of them.

An entry of an older Slipway has fewer numbers; a reader does without them.
"""

import re
from collections.abc import Mapping
from math import isfinite

from slipway.core.statistics.calibration import Calibration
from slipway.core.statistics.metrics import METRICS
from slipway.core.tasks import Task
from slipway.types import Interval, Verdict

_OF_CHAMPION, _OVER, _LOW, _HIGH = "champion_", "over_", "_low", "_high"
_OFF, _WORTH_A_WORD = "calibration_error", 0.05
_ROWS, _DIFFERENT, _FEW, _WEAKENED = "rows", "different", "unknown_rows", "weakened"
_SLICE = re.compile(r"(?P<slice>.+?): worse by [^ ]+ than with version \d+, on [\d,]+ rows(?: and (?P<more>\d+) more)?")


def metric_numbers(metric: str, ours: float, theirs: float) -> dict[str, float]:
    """Return the numbers of a metric of the version and of the champion on the rows that both were compared on."""
    return {metric: ours, f"{_OF_CHAMPION}{metric}": theirs}


def row_numbers(compared: int, different: int, few: int | None) -> dict[str, float]:
    """Return the numbers of the rows of a comparison.

    Args:
        compared: how many rows both models were compared on.
        different: on how many of all test rows the two answer differently.
        few: how many rows are unknown to the champion, where they are too few for a comparison; None elsewhere.
    """
    return {_ROWS: compared, _DIFFERENT: different, **({} if few is None else {_FEW: few})}


def baseline_numbers(over: Mapping[str, Interval]) -> dict[str, float]:
    """Return the numbers of by how much a version is better than each baseline, by the baseline's name."""
    return {
        f"{_OVER}{name}{end}": value
        for name, difference in over.items()
        for end, value in (("", difference.value), (_LOW, difference.low), (_HIGH, difference.high))
    }


def calibration_numbers(task: Task, found: Calibration | None) -> dict[str, float]:
    """Return the number of by how much probabilities are off, where they are off by more than chance explains."""
    if found is None or not task.is_classification:
        return {}
    return {_OFF: found.error} if found.error > 2 * found.noise else {}


def slice_words(named: str, by: float, version: int, rows: int) -> str:
    """Return the words for a slice on which a version is worse than the champion; `worse_slices` reads them."""
    return f"{named}: worse by {by:.4f} than with version {version}, on {rows:,} rows"


def worse_slices(verdict: Verdict) -> tuple[tuple[str, ...], int]:
    """Return the slices that a verdict names as worse than with the champion, and how many more there are."""
    found = [] if verdict.passed else list(_SLICE.finditer(verdict.reason))
    named = tuple(each["slice"].removeprefix("; ") for each in found)
    return named, sum(int(each["more"] or 0) for each in found)


def difference_in(verdict: Verdict) -> Interval | None:
    """Return by how much the version is better than the champion; None where that is not defined."""
    return _interval(verdict.numbers, "difference", "low", "high")


def worse_on_newest(verdict: Verdict) -> float:
    """Return by how much the version is clearly worse on the newest rows; 0 where it is not."""
    newest = _interval(verdict.numbers, "newest_difference", "newest_low", "newest_high")
    return -newest.value if newest and newest.high < 0 else 0.0


def hardest_baseline(verdict: Verdict) -> tuple[str, Interval] | None:
    """Return the baseline that the version is better than by the least, with the difference; None without one."""
    names = [
        key.removeprefix(_OVER)
        for key in verdict.numbers
        if key.startswith(_OVER) and f"{key}{_HIGH}" in verdict.numbers
    ]
    compared = {
        name: _interval(verdict.numbers, *(f"{_OVER}{name}{end}" for end in ("", _LOW, _HIGH))) for name in names
    }
    known = {name: difference for name, difference in compared.items() if difference}
    return min(known.items(), key=lambda each: each[1].value, default=None)


def metric_in(verdict: Verdict) -> str:
    """Return the metric of a verdict; empty where its numbers name none."""
    named = (name for name in METRICS if name in verdict.numbers)
    written = (name for name in METRICS if re.search(rf"\b{name} is ", verdict.reason))
    return next(named, "") or next(written, "")


def of_champion(verdict: Verdict, metric: str) -> float | None:
    """Return the champion's metric on the compared rows; None where the verdict has none."""
    return verdict.numbers.get(f"{_OF_CHAMPION}{metric}")


def rows_in(verdict: Verdict) -> int | None:
    return _count(verdict, _ROWS)


def different_in(verdict: Verdict) -> int | None:
    return _count(verdict, _DIFFERENT)


def few_in(verdict: Verdict) -> int | None:
    """Return how many rows are unknown to the champion where they are too few; None elsewhere."""
    return _count(verdict, _FEW)


def calibration_in(verdict: Verdict) -> float | None:
    """Return by how much probabilities are off; None where the verdict does not say so, or it is too little to mention."""
    error = verdict.numbers.get(_OFF, 0.0)
    return error if error >= _WORTH_A_WORD else None


def weakened_in(verdict: Verdict) -> int | None:
    return _count(verdict, _WEAKENED)


def _count(verdict: Verdict, key: str) -> int | None:
    value = verdict.numbers.get(key)
    return None if value is None or not isfinite(value) else int(value)


def _interval(numbers: Mapping[str, float], *keys: str) -> Interval | None:
    values = [numbers.get(key, float("nan")) for key in keys]
    return Interval(*values) if all(map(isfinite, values)) else None
