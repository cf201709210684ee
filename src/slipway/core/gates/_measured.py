"""Gates on measurements apart from the answers: latency, size, a second fit, the age of the rows."""

from collections.abc import Mapping

from slipway.core.gates._evidence import Evidence
from slipway.types import Interval, Verdict

_MEGABYTE = 1_000_000


def latency(evidence: Evidence, _: Mapping[str, Interval]) -> Verdict:
    """Pass when 99 of 100 requests of one row to the model's service took no longer than promised."""
    gate, measured = evidence.experiment.gates.latency, evidence.measured.latency
    bound = (gate.p99_ms if gate else None) or evidence.experiment.sla.p99_ms
    if bound is None:
        return Verdict("latency", False, "nothing is promised: say p99_ms in `sla`, or in gates.latency")
    if measured is None:
        return _not_measured(evidence, "latency")
    passed = measured.p99_ms <= bound
    reason = (
        f"p99 {measured.p99_ms:.1f} ms {'is' if passed else 'is not'} at most {bound:g} ms "
        f"(p50 {measured.p50_ms:.1f} ms, {measured.requests} requests of one row to its service)"
    )
    numbers = {
        "p99_ms": measured.p99_ms,
        "p50_ms": measured.p50_ms,
        "p99_ms_bound": bound,
        "requests": measured.requests,
    }
    return Verdict("latency", passed, reason, numbers)


def size(evidence: Evidence, _: Mapping[str, Interval]) -> Verdict:
    """Pass when the model's files are not larger than declared."""
    gate, measured = evidence.experiment.gates.size, evidence.measured.size_bytes
    if gate is None or measured is None:
        return _not_measured(evidence, "size")
    megabytes = measured / _MEGABYTE
    passed = megabytes <= gate.megabytes
    reason = f"{megabytes:.2f} MB of files {'are' if passed else 'are not'} at most {gate.megabytes:g} MB"
    return Verdict("size", passed, reason, {"megabytes": megabytes, "megabytes_bound": gate.megabytes})


def reproducible(evidence: Evidence, _: Mapping[str, Interval]) -> Verdict:
    """Pass when the winner, fitted again from its record, answers the same, up to the declared difference."""
    gate, measured = evidence.experiment.gates.reproducible, evidence.measured.reproduced
    if gate is None or measured is None:
        return _not_measured(evidence, "reproducible")
    passed = measured.different == 0 or measured.largest <= gate.difference
    same = f"fitted again, {measured.rows - measured.different:,} of {measured.rows:,} answers are identical"
    wide = f"; the largest difference {measured.largest:.3g} {'is' if passed else 'is not'} at most {gate.difference:g}"
    numbers = {"rows": measured.rows, "different": measured.different, "largest": measured.largest}
    return Verdict("reproducible", passed, same + (wide if measured.different else ""), numbers)


def freshness(evidence: Evidence, _: Mapping[str, Interval]) -> Verdict:
    """Pass when the newest test row of the version is not older than declared."""
    gate, measured = evidence.experiment.gates.freshness, evidence.measured.age_days
    if gate is None or measured is None:
        return _not_measured(evidence, "freshness")
    passed = measured <= gate.max_age_days
    reason = f"the newest test row is {measured:.1f} days old, {'' if passed else 'not '}at most {gate.max_age_days:g}"
    return Verdict("freshness", passed, reason, {"age_days": measured, "age_days_bound": gate.max_age_days})


def _not_measured(evidence: Evidence, gate: str) -> Verdict:
    why = evidence.measured.problems.get(gate, "it was not asked for")
    return Verdict(gate, False, f"was not measured: {why}")
