"""The kinds of sources, each with a way to put the same rows there."""

import gzip
import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import psycopg2
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

from slipway.core.spec import Source

MANY = 300


def rows(count: int = MANY) -> pd.DataFrame:
    """Rows of every type, whose floats take all their digits, and with missing values."""
    numbers = pd.Series(range(count))
    return pd.DataFrame(
        {
            "key": numbers,
            "loaded_at": pd.Timestamp("2026-01-01") + pd.to_timedelta(numbers, unit="h"),
            "port": [None if i % 7 == 3 else f"{i % 5:03d}" for i in numbers],
            "minutes": [None if i % 11 == 5 else i / 3 for i in numbers],
            "Net Sales": numbers * 1000 + 7,
            "late": [int(i % 3 == 0) for i in numbers],
        }
    )


@dataclass(frozen=True)
class Put:
    """A source that holds some rows. again: puts other rows in their place."""

    source: Source
    variables: Mapping[str, str] = field(default_factory=dict)


Putter = Callable[[pd.DataFrame, Path], Put]


def _csv(name: str, **dialect: Any) -> Putter:
    written = {"sep": dialect.get("sep", ","), "decimal": dialect.get("decimal", ".")}

    def put(frame: pd.DataFrame, folder: Path) -> Put:
        text = frame.to_csv(index=False, **written, encoding=None)
        packed = text.encode(dialect.get("encoding", "utf-8"))
        if name.endswith(".gz"):
            packed = gzip.compress(packed)
        if name.endswith(".zst"):
            packed = pa.compress(packed, "zstd", asbytes=True)
        (folder / name).write_bytes(packed)
        return Put(Source.model_validate({"url": name, **dialect}))

    return put


def _csv_folder(frame: pd.DataFrame, folder: Path) -> Put:
    (folder / "days").mkdir(exist_ok=True)
    for i in range(3):
        frame.iloc[i::3].to_csv(folder / f"days/part-{i}.csv", index=False)
    (folder / "days/.part-9.csv").write_text("half of it")
    (folder / "days/_SUCCESS").write_text("")
    return Put(Source.model_validate({"url": "days", "format": "csv"}))


def _parquet(frame: pd.DataFrame, folder: Path) -> Put:
    keys = pd.Index(frame["key"].tolist(), name="key", dtype="int64")  # an index in the file is a column like any other
    frame.drop(columns="key").set_index(keys).to_parquet(folder / "rows.parquet", index=True)
    return Put(Source(url="rows.parquet"))


def _parquet_folder(frame: pd.DataFrame, folder: Path) -> Put:
    (folder / "days").mkdir(exist_ok=True)
    for i in range(3):
        frame.iloc[i::3].to_parquet(folder / f"days/part-{i}.parquet", index=False)
    return Put(Source(parquet="days"))


def _hive(frame: pd.DataFrame, folder: Path) -> Put:
    for port, part in frame.groupby("port", dropna=False):
        place = folder / f"days/port={'__HIVE_DEFAULT_PARTITION__' if pd.isna(port) else port}"
        place.mkdir(parents=True, exist_ok=True)
        part.drop(columns="port").to_parquet(place / "part.parquet", index=False)
    return Put(Source(url="days", format="parquet"))


def _pattern(frame: pd.DataFrame, folder: Path) -> Put:
    _parquet_folder(frame, folder)
    (folder / "days/other.parquet").write_bytes(b"of something else")
    return Put(Source(url="d*/part-?.parquet"))


def _json_lines(frame: pd.DataFrame, folder: Path) -> Put:
    lines = [
        json.dumps({key: value for key, value in row.items() if not pd.isna(value)}, default=str)
        for row in frame.to_dict("records")
    ]
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")
    return Put(Source(url="rows.jsonl"))


def _feather(frame: pd.DataFrame, folder: Path) -> Put:
    pyarrow.feather.write_feather(pa.Table.from_pandas(frame, preserve_index=False), str(folder / "rows.feather"))
    return Put(Source(url="rows.feather"))


def _sqlite(**what: str) -> Putter:
    def put(frame: pd.DataFrame, folder: Path) -> Put:
        with sqlite3.connect(folder / "ware house.db") as connection:
            frame.to_sql("rides", connection, index=False, if_exists="replace")
        connection.close()
        return Put(Source.model_validate({"url": "sqlite:///ware house.db", **what}))

    return put


FILES: dict[str, Putter] = {
    "csv": _csv("rows.csv"),
    "csv.gz": _csv("rows.csv.gz"),
    "csv.zst": _csv("rows.csv.zst"),
    "tsv": _csv("rows.tsv", sep="\t"),
    "csv of Europe": _csv("rows.csv", sep=";", decimal=",", encoding="utf-16"),
    "csv folder": _csv_folder,
    "parquet": _parquet,
    "parquet folder": _parquet_folder,
    "hive partitions": _hive,
    "pattern": _pattern,
    "json lines": _json_lines,
    "feather": _feather,
    "sqlite table": _sqlite(table="rides"),
    "sqlite query": _sqlite(query="SELECT * FROM rides WHERE port LIKE '%' OR port IS NULL -- all\n"),
}


def put_into_postgres(uri: str, frame: pd.DataFrame, **what: str) -> Put:
    """Put rows into a table of a PostgreSQL database whose password the variable WAREHOUSE holds."""
    head, _, rest = uri.partition("://")[2].partition("@")
    user, _, password = head.partition(":")
    with psycopg2.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS rides")
        cursor.execute(
            "CREATE TABLE rides (key bigint, loaded_at timestamptz, port text, minutes float8, "
            '"Net Sales" numeric, late boolean)'
        )
        cursor.execute("SET TIME ZONE 'UTC'")
        for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False):
            cursor.execute("INSERT INTO rides VALUES (%s, %s, %s, %s, %s, %s::int::boolean)", tuple(row))
    connection.close()
    url = f"postgresql://{user}:${{WAREHOUSE}}@{rest}"
    return Put(
        Source.model_validate({"url": url, **(what or {"table": "public.rides"})}), {"WAREHOUSE": unquote(password)}
    )


def to_parquet_bytes(frame: pd.DataFrame) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), sink)
    return bytes(sink.getvalue())
