"""Segments on disk, the writer that makes them, and the reading of them."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from slipway.capture.reading import captured, names, read
from slipway.capture.segments import Named, Store, files_of, folder_of, name_of
from slipway.capture.writer import CaptureLimits, _SegmentWriter
from slipway.errors import FileUnusable
from slipway.sharedmem import ANSWERED, LABELS, AnsweringVersion, Ring, packed

AT = 1_764_100_000.0


def about(version: int = 1, kind: str = "double", classes: Any = ("a", "b")) -> AnsweringVersion:
    return AnsweringVersion("m", version, "Production", (("x", kind),), "string", classes)


def answered(of: AnsweringVersion, request_id: str, value: Any, at: float = AT) -> bytes:
    body = json.dumps({"inputs": {"x": [value]}}).encode()
    return packed(ANSWERED, at, of.encoded(), request_id.encode(), b"application/json", body, b'{"predictions": ["a"]}')


def labelled(of: AnsweringVersion, *labels: tuple[str, int, Any], at: float = AT) -> bytes:
    return packed(LABELS, at, of.encoded(), b"", b"", json.dumps(labels).encode())


def write(folder: Path, *records: bytes, ring: Ring | None = None) -> Ring:
    """Have records written as one segment of each kind and version."""
    ring = ring or Ring(["m"], 1)
    for record in records:
        assert ring.producer(0).put(record)
    _SegmentWriter(ring, folder, CaptureLimits(last_s=0.0)).end()
    return ring


def test_segments_of_several_versions_are_read_as_one_table(tmp_path: Path) -> None:
    write(tmp_path, answered(about(1), "one", 1.5), answered(about(2, "string"), "two", "text"))
    write(tmp_path, answered(about(3, "long"), "three", 7))
    rows = read(tmp_path, "m").sort_values("slipway_version")
    assert rows["x"].tolist() == ["1.5", "text", "7"]
    assert rows["slipway_version"].tolist() == [1, 2, 3]
    assert names(tmp_path) == ["m"]


def test_the_last_label_of_a_row_counts_and_labels_of_others_do_not(tmp_path: Path) -> None:
    of = about()
    write(tmp_path, answered(of, "one", 1), labelled(of, ("one", 0, "a"), ("one", 1, "a"), at=AT + 5))
    write(tmp_path, labelled(of, ("one", 0, "b"), at=AT + 9), labelled(of, ("other", 0, "a"), at=AT + 10))
    write(tmp_path, answered(of, "two", 2))
    rows = read(tmp_path, "m").set_index("slipway_request_id")["slipway_label"]
    assert rows["one"] == "b"
    assert pd.isna(rows["two"])
    assert len(captured(tmp_path, "m").labels) == 3


def test_a_time_leaves_out_what_was_before_it(tmp_path: Path) -> None:
    write(tmp_path, *(answered(about(), f"{after}", after, AT + after) for after in range(5)))
    since = datetime.fromtimestamp(AT + 3, UTC)
    assert read(tmp_path, "m", since)["x"].tolist() == [3, 4]
    assert len(read(tmp_path, "m", datetime.now(UTC))) == 0
    assert len(read(tmp_path, "nobody")) == 0


def test_what_a_killed_writer_had_written_is_written_again_in_its_place(tmp_path: Path) -> None:
    ring = Ring(["m"], 1)
    commit, ring.commit = ring.commit, lambda _: None  # type: ignore[method-assign]  # killed right before
    write(tmp_path, answered(about(), "one", 1), labelled(about(), ("one", 0, "a")), ring=ring)
    ring.commit = commit  # type: ignore[method-assign]
    assert len(read(tmp_path, "m")) == 1
    write(tmp_path, answered(about(), "two", 2), ring=ring)
    assert read(tmp_path, "m")["slipway_request_id"].tolist() == ["one", "two"]
    assert len(list(tmp_path.rglob("*.parquet"))) == 2


def test_what_ends_its_writer_again_and_again_is_dropped_and_counted(tmp_path: Path) -> None:
    ring = Ring(["m"], 1)
    for number in range(3):
        ring.producer(0).put(answered(about(), f"{number}", number))
    _SegmentWriter(ring, tmp_path, CaptureLimits()).give_up()
    assert ring.total("m", "writer") == 3
    write(tmp_path, answered(about(), "later", 1), ring=ring)
    assert read(tmp_path, "m")["slipway_request_id"].tolist() == ["later"]
    assert captured(tmp_path, "m").dropped == {"writer": 3}


def test_a_disk_that_cannot_be_written_keeps_what_was_handed_over(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("a file where a folder has to be")
    ring = Ring(["m"], 1)
    assert [ring.take_over(), ring.take_over()] == [1, 2]
    write(tmp_path, answered(about(), "one", 1), ring=ring)
    assert ring.take_over() == 1  # however long it takes, the records are not given up
    assert ring.failing and not list(tmp_path.rglob("*.parquet"))
    (tmp_path / "m").unlink()
    write(tmp_path, ring=ring)
    assert read(tmp_path, "m")["slipway_request_id"].tolist() == ["one"]


def test_rows_that_cannot_be_made_a_table_are_counted_once_as_dropped_requests_however_full_the_disk_is(
    tmp_path: Path,
) -> None:
    ring, of_no_text = Ring(["m", "n"], 1), AnsweringVersion("n", 1, "\ud800", (("x", "double"),), "string", None)
    (tmp_path / "m").write_text("a file where a folder has to be")
    for each in (answered(of_no_text, "one", 1), answered(of_no_text, "two", 2), answered(about(), "three", 3)):
        assert ring.producer(0).put(each)
    writing = _SegmentWriter(ring, tmp_path, CaptureLimits(last_s=0.0))
    assert not writing.end()
    (tmp_path / "m").unlink()
    assert writing.end()
    assert [ring.total("n", what) for what in ("writer", "rows")] == [2, 0]
    assert [ring.total("m", what) for what in ("writer", "rows")] == [0, 1]


def test_the_oldest_segments_of_both_kinds_make_room_and_the_newest_stays(tmp_path: Path) -> None:
    table = pa.table({"slipway_time": list(range(1000))})
    began = [int((AT + 3600 * number) * 1e9) for number in range(30)]
    for number in range(10):  # of a service of before
        Store(tmp_path, "m", 10**9).write(Named("labels", 1, "0ld", number, began[number]), table, {})
    size = sum(path.stat().st_size for path in tmp_path.rglob("*.parquet")) // 10
    store = Store(tmp_path, "m", 6 * size + size // 2)
    for number in range(10, 30):
        store.write(Named("requests", 1, "new", number, began[number]), table, {})
        store.trim()
        assert len(list(tmp_path.rglob("*.parquet"))) == 6
    left = files_of(tmp_path / "m", "requests")
    assert [path.name.rpartition("-")[2] for path in left] == [f"{n:06d}.parquet" for n in range(24, 30)]
    assert all(any(folder.iterdir()) for folder in (tmp_path / "m").glob("*/*"))
    Store(tmp_path, "m", 1).trim()
    assert files_of(tmp_path / "m", "requests") == left[-1:]


def test_half_a_segment_is_removed_once_its_writer_is_gone(tmp_path: Path) -> None:
    day = tmp_path / "m" / "requests" / "2026-01-02"
    day.mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        (day / f".000000-v1-x-000000.parquet.{process.pid}.partial").write_bytes(b"PAR1")
        Store(tmp_path, "m", 10**9).clean()
        assert len(list(day.iterdir())) == 1
        assert len(read(tmp_path, "m")) == 0  # half of one is never read
        process.kill()
    Store(tmp_path, "m", 10**9).clean()
    assert not list(day.iterdir())


def test_a_segment_that_was_damaged_is_named(tmp_path: Path) -> None:
    write(tmp_path, answered(about(), "one", 1))
    (path,) = tmp_path.rglob("*.parquet")
    path.write_bytes(b"PAR1")
    with pytest.raises(FileUnusable, match=rf"{path}.* cannot be read .*; remove it and ask again"):
        read(tmp_path, "m")


@pytest.mark.parametrize("name", ["m", "..", ".", "a/b", "ö ü", "a.b"])
def test_no_name_of_a_model_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    folder = folder_of(tmp_path, name)
    assert folder.resolve().parent == tmp_path.resolve()
    assert name_of(folder) == name


@pytest.mark.slow
def test_a_busy_writer_closes_early(tmp_path: Path) -> None:
    ring = Ring(["m"], 1, 30_000_000)
    body = json.dumps({"inputs": {"x": [1.5] * 100_000}}).encode()
    record = packed(ANSWERED, time.time(), about().encoded(), b"id", b"application/json", body, b"{}")
    for _ in range(25):
        assert ring.producer(0).put(record)
    _SegmentWriter(ring, tmp_path, CaptureLimits(1e9)).turn()
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    assert ring.committed(0) < ring.heads()[0]
