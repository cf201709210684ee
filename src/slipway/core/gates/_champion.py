"""Gates that compare with the version in Production: on all rows, and slice by slice."""

from collections.abc import Mapping
from math import isnan
from statistics import NormalDist

import numpy as np

from slipway.core.gates._evidence import ENOUGH_ROWS, OWN_METRICS, Champion, Evidence, Newest
from slipway.core.gates._words import in_words
from slipway.core.release.readable import metric_numbers, row_numbers, slice_words
from slipway.core.release.transitions import UNSEEN
from slipway.core.spec import GroupSplit, Margin, SlicesGate, TimeSplit
from slipway.core.statistics.disagreement import different_answers
from slipway.core.statistics.slices import FEWEST_ROWS, estimates
from slipway.errors import some_of
from slipway.types import Interval, Verdict

_FAMILY_ERROR = 0.05
_OVERRIDABLE = "; a reviewer may override this verdict with `slipway approve`"


def not_worse_than_champion(evidence: Evidence, differences: Mapping[str, Interval]) -> Verdict:
    """Pass when the model is not worse than the champion on the same test rows, up to the margin.

    Non-inferiority: the low end of the interval stays above `-margin`. On the newest labelled rows, which are few, the model
    must not be clearly worse: the high end stays above `-margin`.
    """
    champion, gate = evidence.champion, "not_worse_than_champion"
    if champion is None:
        return Verdict(gate, True, "nothing is in Production yet")
    if "champion" not in differences:
        unknown = evidence.measured.problems.get(OWN_METRICS) or f"one of the two gives no {evidence.metric.name}"
        why = champion.problem or unknown
        return Verdict(gate, False, f"{champion.served.subject} could not be compared: {why}")
    margin = (evidence.experiment.gates.not_worse_than_champion or Margin()).margin
    passed, reason = _on_test_rows(evidence, champion, differences["champion"], margin)
    numbers = _numbers("", differences["champion"]) | _answers(evidence)
    if not passed and evidence.too_few is not None:
        numbers |= {UNSEEN: evidence.too_few}
    if evidence.newest and "newest" in differences and evidence.newest.challenger.rows >= ENOUGH_ROWS:
        holds, words = _on_newest_rows(evidence, evidence.newest, differences["newest"], margin)
        if not holds:  # neither model knows these rows, so nobody has to decide in the gate's place
            numbers.pop(UNSEEN, None)
        passed, reason, numbers = (
            passed and holds,
            f"{reason}; {words}",
            numbers | ({} if isnan(differences["newest"].value) else _numbers("newest_", differences["newest"])),
        )
    return Verdict(gate, passed, reason + (_OVERRIDABLE if UNSEEN in numbers else ""), numbers)


def slices(evidence: Evidence, _: Mapping[str, Interval]) -> Verdict:
    """Pass when no slice is clearly worse than with the champion, nor than the declared bound.

    Some of many slices look worse by chance: the level is Bonferroni's, so that all slices together err in 5 %.
    """
    gate = evidence.experiment.gates.slices or SlicesGate()
    if not evidence.labels:
        words = (
            "no column is sliced; name some in evaluation.slices, or leave the gate out with a reason in gates.without"
        )
        return Verdict("slices", False, words)
    if not evidence.is_computable:
        return Verdict(
            "slices", False, f"slices are not judged by {evidence.metric.name}, a metric of the experiment's own"
        )
    beside, below = _below_champion(evidence, gate.margin), _below_bound(evidence, gate.worst)
    comparisons = [*beside, *below]
    worse = [words for words, bad in comparisons if bad]
    if worse:
        words = some_of(worse, 5, "; ")
        few = evidence.too_few if any(bad for _, bad in beside) else None
        if few is None:
            return Verdict("slices", False, words)
        words = f"{words} ({_all_rows(evidence, few)})"
        if any(bad for _, bad in below):
            return Verdict("slices", False, words)
        return Verdict("slices", False, words + _OVERRIDABLE, {UNSEEN: few})
    columns = ", ".join(evidence.labels)
    if not comparisons:
        return Verdict("slices", True, _why_none_compared(evidence, gate.worst, columns))
    return Verdict(
        "slices",
        True,
        f"none of {len(comparisons)} comparisons by {columns} is clearly worse",
        {"compared": len(comparisons)},
    )


def _why_none_compared(evidence: Evidence, worst: float | None, columns: str) -> str:
    champion = evidence.champion
    if worst is None and champion is None:
        return f"nothing is in Production yet and no bound is declared, for slices of {columns}"
    if worst is None and champion and champion.outcome is None:
        return f"{champion.served.subject} could not be compared and no bound is declared, for slices of {columns}"
    rows = f"on {evidence.challenger.rows:,} test rows"
    if worst is None and champion:
        rows = _rows_in_words(evidence, champion)
    return (
        f"no slice of {columns} could be compared: each has fewer than {FEWEST_ROWS} rows, or one class only ({rows})"
    )


def _on_test_rows(evidence: Evidence, champion: Champion, difference: Interval, margin: float) -> tuple[bool, str]:
    passed = difference.low >= -margin
    need = "" if passed else f"; the low end has to be at least {-margin or 0.0:g}"
    return passed, (
        f"{evidence.metric.name} is {in_words(difference)} than {champion.served}{need} ({_rows_in_words(evidence, champion)})"
    )


def _rows_in_words(evidence: Evidence, champion: Champion) -> str:
    if evidence.too_few is not None:
        return _all_rows(evidence, evidence.too_few)
    words = f"on {evidence.compared_rows()[0].rows:,} test rows"
    if champion.unseen is None:
        return words
    return f"{words} of {evidence.challenger.rows:,}, those it was not trained on{_apart(evidence)}"


def _all_rows(evidence: Evidence, few: int) -> str:
    known = f"as of {few:,} alone it is known that it was not trained on them{_apart(evidence)}"
    classes = "" if few < ENOUGH_ROWS else ", and too few of these are of one class"
    return f"on all {evidence.challenger.rows:,} test rows, {known}{classes}; that favours it"


def _apart(evidence: Evidence) -> str:
    """Return words for the rows that the split holds apart besides training rows, as the end of a sentence."""
    match evidence.experiment.split:
        case GroupSplit(group=group):
            return f", nor on others of the same {group}"
        case TimeSplit():
            return ", nor on later ones"
    return ""


def _on_newest_rows(evidence: Evidence, newest: Newest, difference: Interval, margin: float) -> tuple[bool, str]:
    where = f"on the newest {newest.challenger.rows:,} rows, since {newest.since}"
    if isnan(difference.value) and _lacks_a_class(evidence, newest):
        return True, f"{where}, {evidence.metric.name} is not defined: they lack a class"
    holds = difference.high >= -margin
    need = "" if holds else f", which is clearly worse: the high end has to be at least {-margin or 0.0:g}"
    return holds, f"{where}, {in_words(difference)}{need}"


def _lacks_a_class(evidence: Evidence, newest: Newest) -> bool:
    """Say whether the metric compares classes, and one of the test rows is not among the newest rows."""
    absent = np.setdiff1d(evidence.challenger.truth, newest.challenger.truth)
    return evidence.metric.compares_classes and absent.size > 0


def _numbers(prefix: str, difference: Interval) -> dict[str, float]:
    return {
        f"{prefix}difference": difference.value,
        f"{prefix}low": difference.low,
        f"{prefix}high": difference.high,
    }


def _answers(evidence: Evidence) -> dict[str, float]:
    """Return the metric of both models on the compared rows, and on how many of all rows the two answer differently."""
    if evidence.champion is None or evidence.champion.outcome is None:
        return {}
    metric, (ours, theirs) = evidence.metric, evidence.compared_rows()
    numbers = row_numbers(
        ours.rows, different_answers(evidence.challenger, evidence.champion.outcome), evidence.too_few
    )
    if not evidence.is_computable:
        return numbers
    ones = np.ones(ours.rows)
    return metric_numbers(metric.name, metric.prepare(ours)(ones), metric.prepare(theirs)(ones)) | numbers


def _below_champion(evidence: Evidence, margin: float) -> list[tuple[str, bool]]:
    champion = evidence.champion
    if champion is None or champion.outcome is None:
        return []
    labels = evidence.labels
    if (compared := evidence.compared) is not None:
        labels = {name: column[compared] for name, column in labels.items()}
    ours, theirs = evidence.compared_rows()
    parts = estimates(ours, labels, evidence.metric, seed=evidence.seed, other=theirs)
    return [
        (
            slice_words(f"{part.column} {part.value}", -part.estimate, champion.version, part.rows),
            _upper(part.estimate, part.error, len(parts)) < -margin,
        )
        for part in parts
    ]


def _below_bound(evidence: Evidence, worst: float | None) -> list[tuple[str, bool]]:
    if worst is None:
        return []
    metric = evidence.metric
    parts = estimates(evidence.challenger, evidence.labels, metric, seed=evidence.seed)
    return [
        (
            f"{part.column} {part.value}: {metric.name} {part.estimate:.4f}, and {worst:g} is the bound, on {part.rows:,} rows",
            _upper(metric.better(part.estimate, worst), part.error, len(parts)) < 0,
        )
        for part in parts
    ]


def _upper(estimate: float, error: float, family: int) -> float:
    """Return the upper end of a one-sided interval, at a level at which a family of so many errs in 5 % altogether."""
    return estimate + NormalDist().inv_cdf(1 - _FAMILY_ERROR / family) * error
