"""One file in, one file out, a chunk at a time; the output appears whole or not at all."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from slipway.batch.columns import Fields, conform
from slipway.errors import FileUnusable

CHUNK_ROWS = 50_000
_READ = (".csv", ".csv.gz", ".parquet")
_WRITTEN = (".csv", ".parquet")


def score_file(
    model: Any,
    inputs: Fields,
    source: Path,
    output: Path,
    metadata: Mapping[str, str],
    on_rows: Callable[[int], object],
) -> int:
    """Score a CSV or Parquet file and return the number of rows.

    The output has the input's columns, `prediction`, and for a classifier `probability_CLASS` each. `metadata` is in the
    Parquet file's own metadata, or beside a CSV file in OUTPUT.meta.json. Memory is bounded by a chunk of rows.
    Raises FileUnusable, and DataUnusable naming column and row; the output is not written then.
    """
    require_kind(source, _READ)
    require_kind(output, _WRITTEN)
    partial = output.with_name(f".{output.name}.partial")
    text = [name for name, (kind, _) in inputs.items() if kind == "string"]
    try:
        with _writer(partial, output.suffix, metadata) as writer:
            rows = 0
            for chunk in _chunks(source, text):
                writer.write(_scored(model, inputs, chunk, rows))
                rows += len(chunk)
                on_rows(len(chunk))
        if not rows:
            raise FileUnusable(f"{source} has no rows")
        partial.replace(output)
        if output.suffix == ".csv":
            output.with_name(f"{output.name}.meta.json").write_text(json.dumps(dict(metadata), indent=2))
        return rows
    except OSError as error:
        raise FileUnusable(f"{output} cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def require_kind(path: Path, kinds: tuple[str, ...]) -> None:
    """Refuse a file of another kind. Raises FileUnusable."""
    if not str(path).endswith(kinds):
        raise FileUnusable(f"{path} ends in '{path.suffix}'; allowed is {', '.join(kinds)}")


def _scored(model: Any, inputs: Fields, chunk: pd.DataFrame, first_row: int) -> pd.DataFrame:
    rows = conform(chunk, inputs, first_row)
    scored = chunk.assign(prediction=np.asarray(model.predict(rows)).ravel())
    if hasattr(model, "predict_proba"):
        probabilities = np.asarray(model.predict_proba(rows))
        for i, label in enumerate(model.classes_):
            scored[f"probability_{label}"] = probabilities[:, i]
    return scored


def _chunks(source: Path, text: list[str]) -> Iterator[pd.DataFrame]:
    try:
        if source.suffix == ".parquet":
            with pq.ParquetFile(source) as file:
                yield from (batch.to_pandas() for batch in file.iter_batches(CHUNK_ROWS))
        else:
            as_text = dict.fromkeys(text, str)
            with pd.read_csv(source, dtype=as_text, chunksize=CHUNK_ROWS) as chunks:
                yield from chunks
    except FileNotFoundError:
        raise FileUnusable(f"there is no file {source}") from None
    except pd.errors.EmptyDataError:
        raise FileUnusable(f"{source} is empty; a header line with the column names is the least it needs") from None
    except (pa.ArrowException, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise FileUnusable(f"{source} cannot be read: {str(error).splitlines()[0]}") from error


class _CsvWriter:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", newline="", encoding="utf-8")
        self._header = True

    def write(self, rows: pd.DataFrame) -> None:
        rows.to_csv(self._file, index=False, header=self._header)
        self._header = False

    def __enter__(self) -> "_CsvWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class _ParquetWriter:
    """The first chunk decides the schema: later ones are cast to it."""

    def __init__(self, path: Path, metadata: Mapping[str, str]) -> None:
        self._path, self._metadata = path, metadata
        self._writer: pq.ParquetWriter | None = None

    def write(self, rows: pd.DataFrame) -> None:
        table = pa.Table.from_pandas(rows, preserve_index=False)
        if self._writer is None:
            own = table.schema.metadata or {}
            schema = table.schema.with_metadata({**own, **{k.encode(): v.encode() for k, v in self._metadata.items()}})
            self._writer = pq.ParquetWriter(self._path, schema, compression="zstd")
        self._writer.write_table(table.cast(self._writer.schema))

    def __enter__(self) -> "_ParquetWriter":
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()


def _writer(path: Path, kind: str, metadata: Mapping[str, str]) -> _CsvWriter | _ParquetWriter:
    return _CsvWriter(path) if kind == ".csv" else _ParquetWriter(path, metadata)
