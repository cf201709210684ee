"""The sinks of a scored file: CSV and Parquet.

A new sink is a context manager with `write(rows)`, and a line of `SINKS`: the endings that `slipway score` writes are those of
`SINKS` alone. A sink that keeps no metadata gets OUTPUT.meta.json beside it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from slipway.errors import DataUnusable


class CsvSink:
    """A CSV file that grows by chunks; the header comes with the first."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", newline="", encoding="utf-8")
        self._header = True

    def write(self, rows: pd.DataFrame) -> None:
        rows.to_csv(self._file, index=False, header=self._header)
        self._header = False

    def __enter__(self) -> "CsvSink":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class ParquetSink:
    """A writer of Parquet chunks; later chunks are cast to the schema of the first."""

    def __init__(self, path: Path, metadata: Mapping[str, str]) -> None:
        self._path, self._metadata = path, metadata
        self._writer: pq.ParquetWriter | None = None

    def write(self, rows: pd.DataFrame) -> None:
        table = pa.Table.from_pandas(rows, preserve_index=False)
        if self._writer is None:
            own = table.schema.metadata or {}
            schema = table.schema.with_metadata({**own, **{k.encode(): v.encode() for k, v in self._metadata.items()}})
            self._writer = pq.ParquetWriter(self._path, schema, compression="zstd")
        try:
            self._writer.write_table(table.cast(self._writer.schema))
        except pa.ArrowException as error:
            raise DataUnusable(f"the types of the input's columns change within the file: {error}") from error

    def __enter__(self) -> "ParquetSink":
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()


@dataclass(frozen=True)
class SinkKind:
    """A kind of file that can be written.

    Attributes:
        open: makes the sink for a path and the metadata.
        typed: whether the columns of the input are written with the model's types, the same in every chunk.
        keeps_metadata: whether the file itself holds the metadata.
    """

    open: Callable[[Path, Mapping[str, str]], CsvSink | ParquetSink]
    typed: bool
    keeps_metadata: bool


SINKS = {
    ".csv": SinkKind(lambda path, _metadata: CsvSink(path), typed=False, keeps_metadata=False),
    ".parquet": SinkKind(ParquetSink, typed=True, keeps_metadata=True),
}
"""The sinks by the ending of the file."""
