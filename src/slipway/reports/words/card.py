"""The sentences of a model card, for its Markdown and its HTML; both escape the sentences."""

from collections.abc import Iterable, Mapping, Sequence

from slipway.core.statistics.calibration import Calibration, miscalibrated
from slipway.core.statistics.disagreement import MOST as MOST_DISPUTED
from slipway.core.statistics.disagreement import Gap
from slipway.core.statistics.slices import Slice
from slipway.core.tasks import Task
from slipway.reports.words.comparison import answer_words, right_sides, value_words
from slipway.reports.words.spelling import number, percent
from slipway.reports.words.variant import beside, slower

__all__ = [
    "MOST_DISPUTED",
    "answer_words",
    "beside",
    "calibrated",
    "compared",
    "disagreed",
    "equals",
    "measures_of",
    "miscalibrated",
    "right_sides",
    "sliced",
    "slower",
    "trials",
    "value_words",
]


def equals(within_noise: int, preferred: str) -> str:
    """Say how many trials are within the noise of the best (a count that includes the best), and which one was taken."""
    others = within_noise - 1
    if others < 1:
        return "no other trial is within the noise of the best"
    are = "one other trial is" if others == 1 else f"{others:,} other trials are"
    return f"{are} within the noise of the best; taken was the {preferred or 'best'} of them"


def trials(done: int, failed: int, let_go: int | None, folds: int | None) -> str:
    """Say how many trials there were, what became of them, and on how many folds."""
    early = f"; {let_go:,} of those done were let go early by halving" if let_go is not None else ""
    return f"{done:,} done, {failed:,} failed{early}" + (f"; each on {folds} folds" if folds else "")


def calibrated(found: Calibration, task: Task, unit: str) -> str:
    """Say how far predictions are off on average, and where they are off most."""
    worst = found.worst
    least = f"most where {number(worst.predicted)} was predicted on average and {number(worst.observed)} came"
    off, bins = number(found.error), f"{len(found.bins)} bins of about equally many rows"
    if not task.is_classification:
        return f"In {bins}, what is predicted is {off}{' ' + unit if unit else ''} off on average; {least}."
    whose = "the probability" if task.traits.has_positive else "the probability of the predicted class"
    return f"Taken at its word, {whose} is {off} off on average (expected calibration error, {bins}); {least}."


def sliced(slices: Sequence[Slice]) -> str:
    """Say how many slices are worse than the rest beyond noise, and how many would be by chance."""
    compared = [part for part in slices if part.difference]
    worse = sum(part.worse for part in compared)
    are = "is" if worse == 1 else "are"
    chance = "where all are alike, about 1 in 40 is called worse by chance"
    return f"{worse or 'None'} of {len(compared):,} slices {are if worse else 'is'} worse than the rest beyond noise; {chance}."


def compared(differences: Mapping[str, float | None], left_out: Sequence[str]) -> str:
    """Say how far apart the groups of a sensitive column are."""
    known = [f"the {name} is {number(value)}" for name, value in differences.items() if value is not None]
    furthest = (
        f"Between the groups that are furthest apart, {_listed(known)}."
        if known
        else "There are no two groups to compare."
    )
    few = f" These have too few rows to be compared: {', '.join(left_out)}." if left_out else ""
    return furthest + few


def measures_of(task: Task) -> str:
    """Say what the measures of a fairness table mean."""
    return _MEASURES[task]


_MEASURES = {
    Task.BINARY: (
        "The demographic parity difference is that of the selection rates; the equalized odds difference is the larger one "
        "of those of the true and of the false positive rates."
    ),
    Task.MULTICLASS: "The recall of a class is the share of its rows that were found.",
    Task.REGRESSION: "Errors are actual minus predicted: where the mean error is above 0, too little is predicted.",
}


def disagreed(measured: Gap, rate: float, mean: float, rows: int, version: int) -> str:
    """Say how often, and by how much, this model answers otherwise than the version in Production."""
    than = f"version {version}, which was in Production"
    if measured is Gap.VALUE:
        return f"On {rows:,} test rows the answers are {number(mean)} away on average from those of {than}."
    part = f"{percent(rate)} of {rows:,} test rows get another answer than from {than}"
    return f"{part}." if measured is Gap.LABEL else f"{part}; the probabilities are {number(mean)} apart on average."


def _listed(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
