"""The promises of every kind of source: the same rows give the same columns, whatever holds them."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.helpers.source_kinds import FILES, MANY, Put, put_into_postgres, rows, to_parquet_bytes

from slipway.core.casts import to_bool, to_number, to_text, to_time, to_whole
from slipway.core.spec import Source
from slipway.errors import DataUnusable
from slipway.sources import open_batches, open_table, peek, read_table

TEXTS = ("port", "loaded_at")
QUICK = ("http csv", "http parquet", "postgresql table", "postgresql query")
SLOW = ("s3 csv", "s3 parquet folder")  # a second a test
quick_kinds = pytest.mark.parametrize(
    "put", [*FILES, *(pytest.param(kind, marks=pytest.mark.slow) for kind in QUICK)], indirect=True
)
every_kind = pytest.mark.parametrize(
    "put", [*FILES, *(pytest.param(kind, marks=pytest.mark.slow) for kind in (*QUICK, *SLOW))], indirect=True
)
Putting = Callable[[pd.DataFrame], Put]


@pytest.fixture
def put(request: pytest.FixtureRequest, tmp_path: Path, as_environment: Callable[..., None]) -> Putting:
    """Return a function that puts rows into a source of the kind."""
    kind = request.param
    if kind in FILES:
        return lambda frame: FILES[kind](frame, tmp_path)
    if kind.startswith("postgresql"):
        database = request.getfixturevalue("postgres")()
        what = {"query": "SELECT * FROM rides WHERE port LIKE '%' OR port IS NULL"} if kind.endswith("query") else {}
        return lambda frame: put_into_postgres(database, frame, **what)
    if kind.startswith("s3"):
        store = request.getfixturevalue("s3")
        as_environment(store.environment)
        return _into_bucket(store, kind)
    return _onto_web(request.getfixturevalue("web"), kind)


def _into_bucket(store: Any, kind: str) -> Putting:
    bucket = store()

    def put(frame: pd.DataFrame) -> Put:
        if kind == "s3 csv":
            store.client.put_object(Bucket=bucket, Key="a/rows.csv", Body=frame.to_csv(index=False).encode())
            return Put(Source(url=f"s3://{bucket}/a/rows.csv"))
        for i in range(3):
            part = to_parquet_bytes(frame.iloc[i::3])
            store.client.put_object(Bucket=bucket, Key=f"a/days/part-{i}.parquet", Body=part)
        return Put(Source(url=f"s3://{bucket}/a/days/", format="parquet"))

    return put


def _onto_web(web: Any, kind: str) -> Putting:
    def put(frame: pd.DataFrame) -> Put:
        name = f"/rows.{kind.removeprefix('http ')}"
        body = to_parquet_bytes(frame) if kind.endswith("parquet") else frame.to_csv(index=False).encode()
        web.files[name] = body
        return Put(Source(url=f"{web.url}{name}", sha256=hashlib.sha256(body).hexdigest()))

    return put


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("key", key=lambda keys: keys.astype(int), ignore_index=True)


@every_kind
def test_every_kind_gives_the_same_rows_of_the_declared_columns(put: Putting, tmp_path: Path) -> None:
    frame = rows()
    given = put(frame)
    columns = ["late", "port", "Net Sales", "minutes", "loaded_at", "key"]
    read = in_order(read_table(given.source, columns, TEXTS, tmp_path, given.variables))
    assert list(read.columns) == columns
    pd.testing.assert_series_equal(to_whole(read["key"]), frame["key"])
    pd.testing.assert_series_equal(to_whole(read["Net Sales"]), frame["Net Sales"])
    np.testing.assert_array_equal(to_number(read["minutes"]), frame["minutes"])  # to the last bit
    assert to_text(read["port"]).fillna("-").tolist() == frame["port"].fillna("-").tolist()
    assert to_time(read["loaded_at"]).tolist() == frame["loaded_at"].tolist()
    assert to_bool(read["late"]).tolist() == frame["late"].astype(bool).tolist()


@quick_kinds
def test_every_kind_says_its_columns_and_reads_those_alone_that_are_asked_for(put: Putting, tmp_path: Path) -> None:
    frame = rows()
    given = put(frame)
    with open_table(given.source, tmp_path, given.variables) as table:
        assert sorted(table.names) == sorted(frame.columns)
        batches = list(table.batches(["minutes"]))
        assert {name for batch in batches for name in batch.schema.names} == {"minutes"}
        assert sum(batch.num_rows for batch in batches) == MANY
        assert sum(batch.num_rows for batch in table.batches()) == MANY  # a table can be read twice


@every_kind
def test_every_kind_is_read_up_to_a_moment(put: Putting, tmp_path: Path) -> None:
    given = put(rows())
    source = Source.model_validate(
        {
            **given.source.model_dump(exclude_none=True),
            "until": {"column": "loaded_at", "moment": "2026-01-02 03:00:00"},
        }
    )
    keys = read_table(source, ["key"], (), tmp_path, given.variables)["key"]
    assert sorted(keys) == list(range(28))
    assert list(read_table(source, ["port", "loaded_at"], TEXTS, tmp_path, given.variables).columns) == [
        "port",
        "loaded_at",
    ]
    if not given.source.sha256:  # the digest holds a download to its rows
        put(rows(MANY + 50))
        again = read_table(source, ["key"], (), tmp_path, given.variables)["key"]
        assert sorted(again) == list(range(28))
        every = read_table(given.source, ["key"], (), tmp_path, given.variables)["key"]
        assert sorted(every) == list(range(MANY + 50))


@quick_kinds
def test_a_column_to_read_until_that_is_not_there_is_named(put: Putting, tmp_path: Path) -> None:
    given = put(rows())
    source = Source.model_validate(
        {**given.source.model_dump(exclude_none=True), "until": {"column": "loaded", "moment": "2026-01-02"}}
    )
    with pytest.raises(DataUnusable, match="has no column loaded, by which it is read until a moment; there is: "):
        read_table(source, ["key"], (), tmp_path, given.variables)


@quick_kinds
def test_every_kind_comes_in_batches_of_a_size(put: Putting, tmp_path: Path) -> None:
    given = put(rows())
    batches = list(open_batches(given.source, ["key", "port"], TEXTS, 70, tmp_path, given.variables))
    assert [batch.num_rows for batch in batches] == [70, 70, 70, 70, 20]
    assert sorted(key for batch in batches for key in batch.column("key").to_pylist()) == list(range(MANY))


@quick_kinds
def test_every_kind_can_be_looked_at(put: Putting, tmp_path: Path) -> None:
    frame = rows()
    given = put(frame)
    sample = peek(given.source, 10, tmp_path, given.variables)
    assert (len(sample.frame), sample.whole) == (10, False)
    assert sorted(sample.names) == sorted(frame.columns) == sorted(sample.frame.columns)
    assert peek(given.source, MANY, tmp_path, given.variables).whole
    assert sample.source == given.source
