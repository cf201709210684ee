"""The numbers of a verdict in words; their keys are for programs."""

from collections.abc import Callable, Iterator, Mapping

from slipway.core.release.judgement import NEEDED, OVERRIDDEN
from slipway.core.release.transitions import UNSEEN
from slipway.core.statistics.metrics import METRICS, named
from slipway.reports.words.spelling import interval, number
from slipway.types import Interval, Verdict

Line = tuple[str, str]
"""The words for a number, and the number."""
_BOUND, _OVER, _LOW, _HIGH, _OF_CHAMPION = "_bound", "over_", "_low", "_high", "champion_"
_CHAMPION = "better than the version in Production"
# The words for the numbers that are no metric, each with its unit.
_PLAIN: Mapping[str, tuple[str, str]] = {
    "p99_ms": ("99th percentile", " ms"),
    "p50_ms": ("median", " ms"),
    "megabytes": ("size", " MB"),
    "age_days": ("age of the newest test row", " days"),
    "error": ("expected calibration error", ""),
    "rows": ("rows", ""),
    "calibration_error": ("expected calibration error", ""),
    "unknown_rows": ("rows that the version in Production does not know", ""),
    "weakened": ("demands weaker than in Production", ""),
    "replaced": ("weaker demands that the policy replaced", ""),
    "unmet": ("demands that nobody may let through", ""),
    "code_differs": ("code that is not the run's own", ""),
    "different": ("rows answered otherwise", ""),
    "largest": ("largest difference", ""),
    "requests": ("requests", ""),
    "compared": ("slices compared", ""),
    "needed": ("approvals needed", ""),
    "given": ("approvals given", ""),
    UNSEEN: ("rows that the version in Production does not know", ""),
}


def numbers_in_words(verdict: Verdict) -> list[Line]:
    """Return the numbers of a verdict with words for each; a difference and its interval become one line."""
    return list(_LINES.get(verdict.gate, _plain)(verdict.numbers))


def _plain(numbers: Mapping[str, float]) -> Iterator[Line]:
    for key, value in numbers.items():
        if key == OVERRIDDEN or (key.endswith(_BOUND) and key.removesuffix(_BOUND) in numbers):
            continue
        words, unit = _PLAIN.get(key, (_named(key), ""))
        bound = numbers.get(f"{key}{_BOUND}")
        yield (
            words,
            f"{_spelled(value)}{unit}" + (f", allowed up to {_spelled(bound)}{unit}" if bound is not None else ""),
        )


def _thresholds(numbers: Mapping[str, float]) -> Iterator[Line]:
    for key, value in numbers.items():
        if not key.endswith(_BOUND):
            least = named(key).greater_is_better
            bound = numbers.get(f"{key}{_BOUND}")
            asked = f", asked is at {'least' if least else 'most'} {_spelled(bound)}" if bound is not None else ""
            yield _named(key), f"{number(value)}{asked}"


def _named(key: str) -> str:
    """Return the words for a number without words of its own; a metric has the name that it has everywhere."""
    of_champion = key.removeprefix(_OF_CHAMPION)
    if key != of_champion and of_champion in METRICS:
        return f"{of_champion} of the version in Production"
    return key if key in METRICS else key.replace("_", " ")


def _baselines(numbers: Mapping[str, float]) -> Iterator[Line]:
    ends = {f"{key}{end}" for key in numbers for end in (_LOW, _HIGH)}
    for key, value in numbers.items():
        if key.startswith(_OVER) and key not in ends:
            low, high = numbers.get(f"{key}{_LOW}"), numbers.get(f"{key}{_HIGH}")
            least = f", at least {number(low)} (lower end of the interval)" if low is not None else ""
            both = f" ({interval(Interval(value, low, high))})" if low is not None and high is not None else least
            yield f"better than the baseline {key.removeprefix(_OVER).replace('_', ' ')} by", f"{number(value)}{both}"


def _policy(numbers: Mapping[str, float]) -> Iterator[Line]:
    """Yield what is not 0; how many approvals are needed is of interest where one of the demands is weaker."""
    told = {key: value for key, value in numbers.items() if value and key != NEEDED}
    if told and numbers.get(NEEDED):
        told[NEEDED] = numbers[NEEDED]
    yield from _plain(told)


def _champion(numbers: Mapping[str, float]) -> Iterator[Line]:
    rest = dict(numbers)
    for prefix, where in (("", ""), ("newest_", ", on the newest rows,")):
        ends = [rest.pop(f"{prefix}{key}", None) for key in ("difference", "low", "high")]
        value, low, high = ends
        if value is not None and low is not None and high is not None:
            yield f"{_CHAMPION}{where} by", f"{number(value)} ({interval(Interval(value, low, high))})"
    yield from _plain(rest)


def _spelled(value: float) -> str:
    return number(int(value)) if float(value).is_integer() else number(value)


_LINES: Mapping[str, Callable[[Mapping[str, float]], Iterator[Line]]] = {
    "thresholds": _thresholds,
    "beats_baseline": _baselines,
    "not_worse_than_champion": _champion,
    "policy": _policy,
}
