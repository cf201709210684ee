import multiprocessing

from slipway.core.expectations import Find, Unexpected
from slipway.serving.counters.models import (
    FAST_PATH,
    MOST_COLUMNS,
    SWAPS,
    Counters,
    ModelCounters,
    found_by_column,
    totals,
)


def count(counters: Counters, row: int) -> None:
    part = ModelCounters(counters, row, "b")
    for status, seconds in [(200, 0.0002), (200, 0.2), (418, 99.0)]:
        part.count(status, seconds)
    part.count_rows(5, FAST_PATH)


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
    assert (found.rows, found.fast_path, found.back) == (15, 3, 0)
    assert sum(found.buckets) == 9
    assert found.buckets[-1] == 3
    assert found.buckets[1] == 3
    assert sum(totals(counters, "a").buckets) == 0


def test_the_supervisor_counts_in_a_row_of_its_own() -> None:
    counters = Counters(("a",), 1)
    counters.add(counters.supervisor, SWAPS)
    assert counters.total(SWAPS) == 1
    assert counters.own(0, SWAPS) == 0


def test_unexpected_values_are_counted_by_column_whatever_versions_came_and_went() -> None:
    counters = Counters(("a", "b"), 2)
    first, again = ModelCounters(counters, 0, "b"), ModelCounters(counters, 0, "b")
    first.count_finds([("x", Find(0, Unexpected.NULL, 2, 0, "")), ("y", Find(1, Unexpected.UNKNOWN, 1, 0, ""))])
    again.count_finds([("y", Find(0, Unexpected.UNKNOWN, 3, 0, ""))])  # of a version in which it is another column
    ModelCounters(counters, 1, "b").count_finds([("y", Find(0, Unexpected.OUT_OF_BOUNDS, 1, 0, ""))])
    assert found_by_column(counters, "b", ["x", "y", "z"]) == {"x": (2, 0, 0), "y": (0, 1, 4), "z": (0, 0, 0)}
    assert found_by_column(counters, "a", ["x"]) == {"x": (0, 0, 0)}


def test_more_columns_than_there_is_room_for_are_counted_together() -> None:
    counters = Counters(("a",), 1)
    part = ModelCounters(counters, 0, "a")
    for at in range(MOST_COLUMNS + 3):
        part.count_finds([(f"column {at}", Find(0, Unexpected.NULL, 1, 0, ""))])
    assert found_by_column(counters, "a", ["column 0", "", f"column {MOST_COLUMNS}"]) == {
        "column 0": (1, 0, 0),
        "": (3, 0, 0),
        f"column {MOST_COLUMNS}": (0, 0, 0),
    }
    assert totals(counters, "a").rows == 0
