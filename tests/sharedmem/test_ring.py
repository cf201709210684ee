"""The ring: a record comes out whole and in order, or was refused; a record that is not committed comes out again."""

import multiprocessing
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.sharedmem import ANSWERED, AnsweringVersion, Record, Ring, packed

SIZE = 64
PUT = st.integers(0, 40).map(lambda size: bytes(range(size)))
ACTIONS = st.lists(PUT | PUT | st.sampled_from(["take", "commit", "die"]), min_size=20, max_size=60)


@given(ACTIONS)
def test_what_is_put_comes_out_once_committed_or_again(actions: list[bytes | str]) -> None:
    ring = Ring(["m"], 1, SIZE)
    producer = ring.producer(0)
    put: list[bytes] = []
    safe: list[bytes] = []
    taken: list[bytes] = []
    read = 0
    for action in actions:
        if isinstance(action, bytes):
            room = SIZE - (ring.heads()[0] - ring.committed(0))
            assert producer.put(action) == (len(action) + 4 <= room)
            if len(action) + 4 <= room:
                put.append(action)
        elif action == "take":
            for content, behind in ring.records(0, read, ring.heads()[0]):
                taken.append(content)
                read = behind
        elif action == "commit":
            ring.commit([read])
            safe, taken = safe + taken, []
        else:  # its successor begins where it was last safe
            read, taken = ring.committed(0), []
        assert put[: len(safe) + len(taken)] == safe + taken


def test_each_producer_has_its_room_and_its_counts() -> None:
    ring = Ring(["a", "b"], 2, 1000)
    assert ring.producer(0).put(b"x" * 996) and not ring.producer(0).put(b"") and ring.producer(1).put(b"y")
    assert [content for content, _ in ring.records(1, 0, ring.heads()[1])] == [b"y"]
    ring.count(0, "a", "full")
    ring.count(1, "a", "full", 2)
    ring.count(2, "b", "rows", 7)
    assert (ring.total("a", "full"), ring.total("b", "full"), ring.total("b", "rows")) == (3, 0, 7)


def test_a_number_keeps_when_it_was_begun_until_it_is_committed() -> None:
    ring = Ring(["m"], 1, 100)
    assert (ring.number, ring.began(5), ring.began(9)) == (0, 5, 5)
    assert [ring.take_over(), ring.take_over()] == [1, 2]
    ring.commit([0])
    assert (ring.number, ring.began(9), ring.take_over()) == (1, 9, 1)


def _put(ring: Ring, count: int) -> None:
    number, producer = 0, ring.producer(0)
    while number < count:
        number += producer.put(b"%d" % number + b"x" * (number % 50))


def test_two_processes_pass_on_everything_in_order() -> None:
    ring = Ring(["m"], 1, 1000)
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_put, args=(ring, 20_000), daemon=True)
    process.start()
    read, number, deadline = 0, 0, time.monotonic() + 60
    while number < 20_000:
        for content, behind in ring.records(0, read, ring.heads()[0]):
            assert content == b"%d" % number + b"x" * (number % 50)
            read, number = behind, number + 1
        ring.commit([read])
        assert time.monotonic() < deadline
    process.join()


def test_a_record_and_what_it_is_about_come_back_as_they_were() -> None:
    about = AnsweringVersion("größe", 3, "Production", (("a", "double"), ("b c", "string")), "long", (0, 1))
    given = (ANSWERED, 1.25, about.encoded(), b"id", b"text/csv", b"a\n\0\n", b"[]")
    record = Record.of(packed(*given))
    assert record == Record(*given)
    assert AnsweringVersion.of(record.about) == about
    assert AnsweringVersion.of(AnsweringVersion("m", 1, "", (), "", None).encoded()).classes is None


def rings() -> int:
    """Return how many files of this process are rings."""
    found = 0
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the folder itself, which is open while it is listed
            found += "memfd:slipway" in str(each.readlink())
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /proc")
def test_the_memory_of_a_ring_goes_with_it() -> None:
    before = rings()
    ring = Ring(["m"], 1, 1000)
    producer = ring.producer(0)
    assert rings() > before
    del ring
    assert producer.put(b"a record")  # whoever puts records has the ring
    del producer
    assert rings() == before
