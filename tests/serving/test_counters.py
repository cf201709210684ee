import multiprocessing

from slipway.serving.counters import NARROW, SWAPS, Counters, Part, totals


def count(counters: Counters, row: int) -> None:
    part = Part(counters, row, "b")
    for status, seconds in [(200, 0.0002), (200, 0.2), (418, 99.0)]:
        part.count(status, seconds)
    part.count_rows(5, NARROW)


def test_processes_count_together_and_what_a_dead_one_counted_stays() -> None:
    counters = Counters(("a", "b"), 2)
    context = multiprocessing.get_context("spawn")
    for row in (0, 1, 1):  # the second process of row 1 takes the place of the first
        process = context.Process(target=count, args=(counters, row))
        process.start()
        process.join()
        assert process.exitcode == 0
    found = totals(counters, "b")
    assert (found.statuses[200], found.statuses[0]) == (6, 3)
    assert (found.rows, found.narrow, found.back) == (15, 3, 0)
    assert sum(found.buckets) == 9
    assert found.buckets[-1] == 3
    assert found.buckets[1] == 3
    assert sum(totals(counters, "a").buckets) == 0


def test_the_supervisor_counts_in_a_row_of_its_own() -> None:
    counters = Counters(("a",), 1)
    counters.add(counters.supervisor, SWAPS)
    assert counters.total(SWAPS) == 1
    assert counters.own(0, SWAPS) == 0
