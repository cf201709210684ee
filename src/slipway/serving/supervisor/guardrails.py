"""The guardrails of a variant: whether its disagreement, errors or latency violate them, by a window of counted requests."""

from collections import deque
from dataclasses import dataclass, field
from math import sqrt

from slipway.serving.config import DISAGREEMENT, ERROR, LATENCY, Guardrails
from slipway.serving.counters.variant import COMPARED, COMPARED_ROWS, DISAGREEMENTS, ERRORS, Tally

WINDOW_S = 300.0

NOT_FELT_S = 0.005
"""A variant is not called slower for a smaller difference of latency."""

_Z = 2.5758
"""Two-sided 99 % quantile of the normal distribution, for the Wilson interval of a share."""

_SLOWEST = 0.01
_EACH_S = 5.0
_MOST_KEPT = 1000


@dataclass(frozen=True)
class GuardrailViolation:
    """A guardrail that was violated, by its name in `serving.config`, and a sentence with the numbers."""

    bound: str
    why: str


@dataclass
class Window:
    """The last five minutes of a variant, or as much more time as it takes to have `enough` requests to judge by."""

    enough: int
    _kept: deque[tuple[float, Tally]] = field(default_factory=lambda: deque(maxlen=_MOST_KEPT))

    def add(self, now: float, tally: Tally) -> Tally:
        """Take the sums counted so far, and return the part of them that lies within the window."""
        if not self._kept or (self._kept[-1][0] <= now - _EACH_S and self._kept[-1][1] != tally):
            self._kept.append((now, tally))
        while len(self._kept) > 2 and self._reaches(now, tally):
            self._kept.popleft()
        return tally - self._kept[0][1]

    def _reaches(self, now: float, tally: Tally) -> bool:
        """Whether the window has enough requests without its oldest entry."""
        at, then = self._kept[1]
        within = tally - then
        return at <= now - WINDOW_S and min(within.requests, within[COMPARED]) >= self.enough


def violation(counted: Tally, guardrails: Guardrails) -> GuardrailViolation | None:
    """Return the first violation of the guardrails; None where there is none, or while there are too few requests to judge."""
    return _disagreement(counted, guardrails) or _errors(counted, guardrails) or _latency(counted, guardrails)


def _disagreement(counted: Tally, guardrails: Guardrails) -> GuardrailViolation | None:
    compared, rows = counted[COMPARED], counted[COMPARED_ROWS]
    if compared < guardrails.min_requests or not rows:
        return None
    share = counted[DISAGREEMENTS] / rows
    if at_least(share, compared) <= guardrails.max_disagreement:
        return None
    seen = f"{_percent(share)} of {rows:,.0f} compared rows were answered otherwise"
    return GuardrailViolation(DISAGREEMENT, f"{seen}; the bound is {_percent(guardrails.max_disagreement)}")


def _errors(counted: Tally, guardrails: Guardrails) -> GuardrailViolation | None:
    requests = counted.requests
    if requests < guardrails.min_requests:
        return None
    share = counted[ERRORS] / requests
    if at_least(share, requests) <= guardrails.max_errors:
        return None
    seen = f"{_percent(share)} of {requests:,.0f} requests failed that the primary answers"
    return GuardrailViolation(ERROR, f"{seen}; the bound is {_percent(guardrails.max_errors)}")


def _latency(counted: Tally, guardrails: Guardrails) -> GuardrailViolation | None:
    variant_latency, primary_latency = counted.variant_latency, counted.primary_latency
    if min(variant_latency.count, primary_latency.count) < guardrails.min_requests:
        return None
    usual, own = primary_latency.quantile(1 - _SLOWEST), variant_latency.quantile(1 - _SLOWEST)
    assert usual is not None and own is not None
    seen = f"the 99th percentile of {variant_latency.count:,.0f} latencies is {own * 1000:.3g} ms"
    if guardrails.max_p99_ms is not None:
        most, bound = guardrails.max_p99_ms / 1000, f"the bound is {guardrails.max_p99_ms:g} ms"
    else:
        most = max(guardrails.max_slower * usual, usual + NOT_FELT_S)
        bound = f"the bound is {guardrails.max_slower:g} times that of the primary, {usual * 1000:.3g} ms"
    if at_least(variant_latency.above(most) / variant_latency.count, variant_latency.count) <= _SLOWEST:
        return None
    return GuardrailViolation(LATENCY, f"{seen}; {bound}")


def at_least(share: float, of: float) -> float:
    """Return the lower end of the 99 % Wilson score interval of a share that was seen in `of` cases."""
    middle = share + _Z**2 / (2 * of)
    half = _Z * sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    return max((middle - half) / (1 + _Z**2 / of), 0.0)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
