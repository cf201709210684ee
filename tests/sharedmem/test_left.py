"""Records that no consumer brought to safety, left in a file: they come out once, as they were put, and end few consumers."""

from pathlib import Path

import pytest

from slipway.sharedmem import ANSWERED, LABELS, AnsweringVersion, Ring, leave, left_in, packed

ABOUT = AnsweringVersion("m", 1, "Production", (), "double", None).encoded()


def record(number: int) -> bytes:
    return packed(ANSWERED, 1.5, ABOUT, b"id-%d" % number, b"text/csv", b"x" * number, b"{}")


def records_of(ring: Ring) -> list[bytes]:
    return [
        content
        for producer in range(ring.producers)
        for content, _ in ring.records(producer, 0, ring.heads()[producer])
    ]


@pytest.fixture
def ring() -> Ring:
    """A ring of two producers: the first record of each is safe, those behind are not."""
    ring = Ring(["m", "n"], 2, 500)
    for producer in range(2):
        assert ring.producer(producer).put(record(producer))
    ring.commit(ring.heads())
    for number in range(2, 6):
        assert ring.producer(number % 2).put(record(number))
    ring.count(0, "m", "full", 7)
    assert ring.began(123) == 123
    return ring


def test_what_is_left_is_gone_on_from_under_the_same_name(ring: Ring, tmp_path: Path) -> None:
    labels = packed(LABELS, 1.5, ABOUT, b"", b"", b'[["a", 0, 1], ["a", 1, 2]]')
    assert ring.producer(0).put(labels)
    said = leave(ring, tmp_path / "capture")
    path = tmp_path / "capture" / f"{ring.session}.left"
    assert said == f"4 requests and 2 labels of m are left in {path}; the next service that captures there writes them"
    assert not ring.waiting and leave(ring, tmp_path / "capture") == ""
    with left_in(tmp_path / "capture") as (left,):
        again = left.ring()
        assert again
        assert records_of(again) == [record(2), record(4), labels, record(3), record(5)]
        assert (again.session, again.number, again.began(9)) == (ring.session, 1, 123)
        assert again.total("m", "full") == 7
        with left_in(tmp_path / "capture") as others:  # somebody else is at work on it
            assert others == []
        left.remove()
    assert list((tmp_path / "capture").iterdir()) == []


def test_where_nothing_can_be_written_it_says_what_is_lost(ring: Ring, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = leave(ring, tmp_path / "file")
    assert said.startswith(f"4 requests of m are lost: nothing can be written to {tmp_path / 'file'} (")
    assert not ring.waiting


def test_a_file_that_ends_its_consumers_is_put_aside(ring: Ring, tmp_path: Path) -> None:
    leave(ring, tmp_path)
    for _ in range(5):
        with left_in(tmp_path) as (left,):  # the disk is full, which is no fault of what was left
            assert left.ring()
            left.try_again()
    for _ in range(3):
        with left_in(tmp_path) as (left,):  # which is killed
            assert left.ring()
    with left_in(tmp_path) as (left,):
        assert left.ring() is None
    with left_in(tmp_path) as found:
        assert found == []
    assert [path.name for path in tmp_path.iterdir()] == [f"{ring.session}.left.broken"]


@pytest.mark.parametrize("content", [b"", b"x", b"0{}\n", b'0{"format": 2}\n', b"0\xff"])
def test_what_makes_no_sense_is_an_error_that_is_known(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "some.left").write_bytes(content)
    with left_in(tmp_path) as (left,), pytest.raises((ValueError, KeyError)):
        left.ring()
