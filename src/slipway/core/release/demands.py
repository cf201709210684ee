"""The comparison of demands: each demand that is weaker than it was, by its key, in words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from slipway.core.spec import OF_MATURITY, Maturity, ReleasePolicy
from slipway.core.statistics.metrics import named

_NOT_ASKED_FOR = "not asked for"
_MOST_CHARACTERS = 120


@dataclass(frozen=True)
class Weakening:
    """A demand that is weaker than it was.

    Attributes:
        key: its key, as in experiment.yaml.
        was: the demand as it was, in words.
        now: the demand as it is now.
    """

    key: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.key} {_short(self.was)} → {_short(self.now)}"


@dataclass(frozen=True)
class Bound:
    """A number in the section of a gate. stricter: returns the stricter one of two."""

    gate: str
    field: str
    stricter: Callable[[float, float], float]


BOUNDS = (
    Bound("beats_baseline", "margin", max),
    Bound("not_worse_than_champion", "margin", min),
    Bound("slices", "margin", min),
    Bound("calibration", "error", min),
    Bound("latency", "p99_ms", min),
    Bound("size", "megabytes", min),
    Bound("reproducible", "difference", min),
    Bound("freshness", "max_age_days", min),
    Bound("approval", "number", max),
)


def stricter_score(metric: str | None) -> Callable[[float, float], float]:
    """Return the function that returns the stricter one of two bounds of a metric."""
    return max if metric is None or named(metric).greater_is_better else min


def higher(one: Maturity, other: Maturity) -> Maturity:
    """Return the higher one of two maturities."""
    order = list(Maturity)
    return max(one, other, key=order.index)


def weaker(now: ReleasePolicy, was: ReleasePolicy) -> tuple[Weakening, ...]:
    """Return each demand of `was` that `now` does not make, or makes less strictly. Both have a section for each gate."""
    return (*_of_scope(now, was), *_of_thresholds(now, was), *_of_gates(now, was))


def loosened(now: ReleasePolicy, was: ReleasePolicy) -> tuple[Weakening, ...]:
    """Return each rule of a policy on people that its successor loosens: who approves a change, and who promotes."""
    found = []
    if now.change.approvals < was.change.approvals:
        found.append(Weakening("change.approvals", str(was.change.approvals), str(now.change.approvals)))
    for key, new, old in (
        ("change.approvers", now.change.approvers, was.change.approvers),
        ("promoters", now.promoters, was.promoters),
    ):
        if _more_people(new, old):
            found.append(Weakening(key, ", ".join(old), ", ".join(new) or "anybody"))
    return tuple(found)


def _of_scope(now: ReleasePolicy, was: ReleasePolicy) -> Iterator[Weakening]:
    if higher(now.maturity, was.maturity) is not now.maturity:
        yield Weakening("scope.maturity", was.maturity, now.maturity)
    for key, old, new in (
        ("search.metric", was.metric, now.metric),
        ("split.method", was.split, now.split),
        ("baseline.rule", was.baseline.rule, now.baseline.rule),
    ):
        if old and old != new:
            yield Weakening(key, old, new or _NOT_ASKED_FOR)
    for column in was.evaluation.sensitive:
        if column not in now.evaluation.sensitive:
            yield Weakening("evaluation.sensitive", column, _NOT_ASKED_FOR)
    for column in was.evaluation.slices:
        if column not in now.evaluation.columns:
            yield Weakening("evaluation.slices", column, _NOT_ASKED_FOR)


def _of_thresholds(now: ReleasePolicy, was: ReleasePolicy) -> Iterator[Weakening]:
    for metric, bound in was.gates.thresholds.items():
        found = now.gates.thresholds.get(metric)
        if found is None or stricter_score(metric)(found, bound) != found:
            yield Weakening(f"gates.thresholds.{metric}", _said(bound), _said(found))


def _of_gates(now: ReleasePolicy, was: ReleasePolicy) -> Iterator[Weakening]:
    for bound in BOUNDS:
        yield from _of_bound(bound, now, was)
    if was.gates.slices and was.gates.slices.worst is not None and now.gates.slices:
        old, new = was.gates.slices.worst, now.gates.slices.worst
        if new is None or stricter_score(now.metric or was.metric)(new, old) != new:
            yield Weakening("gates.slices.worst", _said(old), _said(new))
    if (
        was.gates.approval
        and now.gates.approval
        and _more_people(now.gates.approval.approvers, was.gates.approval.approvers)
    ):
        old_people, people = was.gates.approval.approvers, now.gates.approval.approvers
        yield Weakening("gates.approval.approvers", ", ".join(old_people), ", ".join(people) or "anybody")
    for ref in was.gates.own:
        if ref not in now.gates.own:
            yield Weakening("gates.own", ref, _NOT_ASKED_FOR)
    yield from _left_out(now, was)


def _of_bound(bound: Bound, now: ReleasePolicy, was: ReleasePolicy) -> Iterator[Weakening]:
    old, new = getattr(was.gates, bound.gate), getattr(now.gates, bound.gate)
    if old is None:
        return
    key, number = f"gates.{bound.gate}", getattr(old, bound.field)
    if new is None:
        reason = now.gates.without.get(bound.gate)
        asked = f"{bound.field} {_said(number)}" if number is not None else "asked for"
        yield Weakening(key, asked, f"left out: {reason}" if reason else _NOT_ASKED_FOR)
        return
    found = getattr(new, bound.field)
    if number is not None and (found is None or bound.stricter(found, number) != found):
        yield Weakening(f"{key}.{bound.field}", _said(number), _said(found))


def _left_out(now: ReleasePolicy, was: ReleasePolicy) -> Iterator[Weakening]:
    """Yield the gates of a maturity that are left out, where nothing but the maturity asked for the gate."""
    for gate in OF_MATURITY:
        by_maturity = was.maturity is Maturity.PRODUCTION and getattr(was.gates, gate) is None
        if by_maturity and gate not in was.gates.without and gate in now.gates.without:
            yield Weakening(f"gates.{gate}", "asked for", f"left out: {now.gates.without[gate]}")


def _more_people(now: list[str], was: list[str]) -> bool:
    return bool(was) and not (now and set(now) <= set(was))


def _said(number: float | None) -> str:
    return _NOT_ASKED_FOR if number is None else f"{number:g}"


def _short(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"
