import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from slipway.serving.config import Guardrails
from slipway.serving.counters.variant import (
    COMPARED,
    COMPARED_ROWS,
    DISAGREEMENTS,
    ERRORS,
    PRIMARY_LATENCY,
    Histogram,
    Tally,
    VariantCounters,
)
from slipway.serving.supervisor.guardrails import WINDOW_S, Window, at_least, violation


def counted(
    requests: int = 400, differ: int = 0, errors: int = 0, ms: float = 1.0, slow: int = 0, slow_ms: float = 50.0
) -> Tally:
    """What is counted of so many requests of one row each, all compared."""
    numbers = VariantCounters(1)
    front, compares = numbers.row(0), numbers.row(numbers.comparing)
    for number in range(requests):
        front.answered(200, (slow_ms if number < slow else ms) / 1000)
        front.took(PRIMARY_LATENCY, 0.001)
    front.add(ERRORS, errors)
    for number, amount in ((COMPARED, requests), (COMPARED_ROWS, requests), (DISAGREEMENTS, differ)):
        compares.add(number, amount)
    return numbers.tally()


def passed(tally: Tally, guardrails: Guardrails | None = None) -> str:
    found = violation(tally, guardrails or Guardrails())
    return found.bound if found else ""


@pytest.mark.parametrize(
    ("tally", "bound"),
    [
        (counted(), ""),
        (counted(differ=40), ""),  # 10 % exactly
        (counted(differ=50), ""),  # 12.5 % of 400 may be chance
        (counted(differ=80), "disagreement"),
        (counted(errors=5), ""),
        (counted(errors=20), "errors"),
        (counted(slow=4), ""),  # 1 % is what a 99th percentile leaves
        (counted(slow=20), "latency"),
        (counted(ms=5.0), ""),  # five times slower, but by less than anybody feels
        (counted(ms=9.0), "latency"),
        (counted(requests=199, differ=199, errors=199, ms=90.0), ""),  # too few to judge
    ],
)
def test_what_passes_a_bound_beyond_chance_is_told(tally: Tally, bound: str) -> None:
    assert passed(tally) == bound


def test_bounds_can_be_others() -> None:
    assert passed(counted(differ=300), Guardrails(max_disagreement=0.9)) == ""
    assert passed(counted(differ=20), Guardrails(max_disagreement=0)) == "disagreement"
    assert passed(counted(ms=9.0), Guardrails(max_slower=20)) == ""
    assert passed(counted(ms=9.0), Guardrails(max_p99_ms=12)) == ""
    assert passed(counted(ms=9.0), Guardrails(max_p99_ms=2)) == "latency"
    assert passed(counted(requests=20, differ=20), Guardrails(min_requests=10)) == "disagreement"


def test_the_sentence_holds_the_numbers() -> None:
    found = violation(counted(differ=80), Guardrails())
    assert found is not None
    assert found.why == "20 % of 400 compared rows were answered otherwise; the bound is 10 %"
    slow = violation(counted(ms=9.0), Guardrails())
    assert slow is not None and slow.why.endswith("the bound is 3 times that of the primary, 0.998 ms")


@given(share=some.floats(0, 1), of=some.integers(1, 100_000))
def test_the_lower_end_of_an_interval_is_below_the_share_and_nears_it(share: float, of: int) -> None:
    low = at_least(share, of)
    assert 0 <= low <= share + 1e-12
    assert low <= at_least(share, 2 * of) + 1e-12


def test_chance_alone_seldom_ends_what_is_at_its_bound() -> None:
    random.seed(7)
    ended = sum(at_least(sum(random.random() < 0.1 for _ in range(300)) / 300, 300) > 0.1 for _ in range(1000))
    assert ended <= 20  # 0.5 % are expected


def test_a_window_forgets_what_is_older_and_keeps_what_it_needs() -> None:
    numbers, window = VariantCounters(1), Window(enough=200)
    front = numbers.row(0)

    def pass_seconds(seconds: int, requests_each: int, errors_each: int) -> Tally:
        nonlocal now
        for _ in range(seconds):
            now += 1
            for _ in range(requests_each):
                front.answered(200, 0.001)
            front.add(COMPARED, requests_each)
            front.add(ERRORS, errors_each)
            found = window.add(now, numbers.tally())
        return found

    now = 1000.0
    assert pass_seconds(60, 10, 5)[ERRORS] > 250
    later = pass_seconds(int(WINDOW_S) + 20, 10, 0)
    assert later[ERRORS] == 0
    assert WINDOW_S * 10 <= later.requests < (WINDOW_S + 20) * 10
    rare = pass_seconds(20, 0, 0)
    for _ in range(40):  # a request every half minute: what is needed goes back further than the window
        now += 29
        rare = pass_seconds(1, 1, 0)
    assert 200 <= rare.requests < 400


@given(values=some.lists(some.floats(0, 25), min_size=1, max_size=200), share=some.floats(0.01, 0.99))
def test_a_quantile_lies_in_the_bucket_of_the_value_it_stands_for(values: list[float], share: float) -> None:
    numbers = VariantCounters(1)
    for value in values:
        numbers.row(0).answered(200, value)
    found = numbers.tally().variant_latency
    quantile = found.quantile(share)
    assert quantile is not None
    within = sum(value <= next((b for b in found.bounds if b >= quantile), 1e9) for value in values)
    assert within >= share * len(values) - 1e-6
    assert found.above(0.0) == len(values)
    assert found.above(quantile) <= sum(value > quantile for value in values) <= found.above(quantile / 1.3)


def test_an_empty_histogram_has_no_quantile() -> None:
    assert Histogram((1.0,), (0.0, 0.0), 0.0).quantile(0.5) is None


def test_what_two_processes_count_is_one_sum_and_is_taken_apart_again() -> None:
    numbers = VariantCounters(2)
    for row in (0, 1, numbers.comparing):
        numbers.row(row).answered(503, 0.002)
        numbers.row(row).apart([0.5, 0.015])
    before = numbers.tally()
    numbers.row(1).answered(418, 99.0)
    more = numbers.tally() - before
    assert (before.requests, before.statuses[503]) == (3, 3)
    assert (more.requests, more.statuses[0], more.variant_latency.counts[-1]) == (1, 1, 1)
    assert before.distances.total == pytest.approx(3 * 0.515)
    assert replace(before) == before
