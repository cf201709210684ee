"""Gates on the model by itself: thresholds, baselines, calibration."""

from collections.abc import Mapping

from slipway.core.gates._evidence import OWN_METRICS, Evidence
from slipway.core.gates._words import in_words
from slipway.core.release.readable import baseline_numbers, calibration_numbers
from slipway.core.spec import Margin
from slipway.core.statistics.calibration import calibration as calibration_of
from slipway.core.statistics.metrics import measure, named
from slipway.types import Interval, Verdict


def thresholds(evidence: Evidence, _: Mapping[str, Interval]) -> Verdict:
    """Pass when each declared threshold holds on the test rows."""
    values = measure(evidence.experiment.task, evidence.challenger)
    if scores := evidence.measured.scores:
        values |= {name: value for name, value in scores.values.items() if name not in values}
    parts: list[str] = []
    passed, numbers = True, dict[str, float]()
    for name, bound in evidence.experiment.gates.thresholds.items():
        value = values.get(name, float("nan"))
        holds = value >= bound if named(name).greater_is_better else value <= bound
        side = "at least" if named(name).greater_is_better else "at most"
        parts.append(f"{name} {value:.4f} {'is' if holds else 'is not'} {side} {bound:g}")
        numbers |= {name: value, f"{name}_bound": bound}
        passed &= holds
    task = evidence.experiment.task
    numbers |= calibration_numbers(task, calibration_of(task, evidence.challenger))
    reason = "; ".join(parts) or "no threshold is declared"
    if (why := evidence.measured.problems.get(OWN_METRICS)) and set(evidence.experiment.gates.thresholds) - set(values):
        reason += f": {why}"
    return Verdict("thresholds", passed, f"{reason} (on {evidence.challenger.rows:,} test rows)", numbers)


def beats_baseline(evidence: Evidence, differences: Mapping[str, Interval]) -> Verdict:
    """Pass when the model is better than every baseline on the same test rows, by more than the margin, and not by chance."""
    margin = (evidence.experiment.gates.beats_baseline or Margin()).margin
    compared = {key.removeprefix("baseline:"): d for key, d in differences.items() if key.startswith("baseline:")}
    if not compared:
        why = evidence.measured.problems.get(OWN_METRICS)
        reason = f"no baseline can be compared by {evidence.metric.name}{f': {why}' if why else ''}"
        return Verdict("beats_baseline", False, reason)
    failed = {name: d for name, d in compared.items() if not d.low > margin}
    shown = failed or compared
    parts = [f"{in_words(d)} than the baseline '{name}'" for name, d in shown.items()]
    need = f"; the whole interval has to be above {margin:g}" if failed else ""
    verb = "does not beat the baseline: " if failed else ""
    numbers = baseline_numbers(compared) | {"rows": evidence.challenger.rows}
    reason = f"{verb}{evidence.metric.name} is {'; '.join(parts)}{need} (on {evidence.challenger.rows:,} test rows)"
    return Verdict("beats_baseline", not failed, reason, numbers)


def calibration(evidence: Evidence, _: Mapping[str, Interval]) -> Verdict:
    """Pass when predicted probabilities match observed frequencies, up to the declared error."""
    gate = evidence.experiment.gates.calibration
    measured = calibration_of(evidence.experiment.task, evidence.challenger)
    if gate is None or measured is None:
        return Verdict(
            "calibration", False, "the model's scores are not probabilities, so their calibration cannot be judged"
        )
    passed = measured.error <= gate.error
    worst = measured.worst
    reason = (
        f"the expected calibration error {measured.error:.4f} {'is' if passed else 'is not'} at most {gate.error:g}; where "
        f"{worst.predicted:.3f} is predicted, {worst.observed:.3f} is observed (on {evidence.challenger.rows:,} test rows)"
    )
    return Verdict("calibration", passed, reason, {"error": measured.error, "error_bound": gate.error})
