"""Tables as frames: whole, in batches, or the first rows of one that nobody has described yet."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from slipway.core.spec import Format, Source
from slipway.errors import FileUnusable
from slipway.sources.dialect import SAMPLE_BYTES, Dialect, found
from slipway.sources.files import find_files
from slipway.sources.frames import to_frame
from slipway.sources.opening import OpenTable, dialect_of, open_table, told
from slipway.sources.secrets import Secrets


def read_table(
    source: Source,
    columns: Sequence[str] | None = None,
    as_text: Collection[str] = (),
    folder: Path = Path(),
    variables: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Read a table whole. Raises what `open_table` and `OpenTable.batches` raise.

    Args:
        source: the declaration; not a function.
        columns: the columns to read, in this order; None for all.
        as_text: the columns that stay as they are written, where the kind of table has no types of its own.
        folder: the folder that paths are relative to.
        variables: the environment, from which a URL's user and password come.
    """
    with open_table(source, folder, variables) as table:
        return to_frame(table.batches(columns, as_text), table.names if columns is None else columns)


def open_batches(
    source: Source,
    columns: Sequence[str] | None = None,
    as_text: Collection[str] = (),
    rows: int = 50_000,
    folder: Path = Path(),
    variables: Mapping[str, str] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a table in batches of `rows` rows, in bounded memory. Otherwise as `read_table`."""
    with open_table(source, folder, variables) as table:
        yield from table.batches(columns, as_text, rows)


@dataclass(frozen=True)
class Sample:
    """The first rows of a table.

    Attributes:
        source: the declaration with the keys that the table itself says, as `described` gives it.
        names: the names of the columns as the table has them, repeated and empty ones too.
        frame: the first rows, of columns with a name, the first of each name. The cells of a CSV file are texts.
        whole: whether these rows are all.
        dialect: the dialect of a CSV file; None for other tables.
    """

    source: Source
    names: tuple[str, ...]
    frame: pd.DataFrame
    whole: bool
    dialect: Dialect | None


def described(
    source: Source, folder: Path = Path(), variables: Mapping[str, str] | None = None
) -> tuple[Source, tuple[str, ...]]:
    """Return the declaration of a table with the keys that the table itself says, and the names of its columns.

    These are the keys of a CSV file's dialect that are not declared and not the usual ones, and the digest of a download.
    Raises what `open_table` raises, and FileUnusable for a CSV file of blanks.
    """
    with _opened(source, folder, variables or {}) as (known, table):
        return known, table.names


def peek(source: Source, rows: int, folder: Path = Path(), variables: Mapping[str, str] | None = None) -> Sample:
    """Read the first rows of a table that is `described`. Raises what that and `OpenTable.batches` raise."""
    with _opened(source, folder, variables or {}) as (known, table):
        names = tuple(dict.fromkeys(name for name in table.names if name))
        first = list(islice(table.batches(names, names, rows), 2))
        dialect = dialect_of(known) if known.kind is Format.CSV else None
        whole = sum(batch.num_rows for batch in first) <= rows
        return Sample(known, table.names, to_frame(first[:1], names), whole, dialect)


@contextmanager
def _opened(source: Source, folder: Path, variables: Mapping[str, str]) -> Iterator[tuple[Source, OpenTable]]:
    """Open a table by all that it says of itself; yield its declaration then, and the table."""
    known = _with_dialect(source, folder, variables) if source.kind is Format.CSV else source
    with open_table(known, folder, variables) as table:
        digest = table.files.digest if table.files else ""
        yield known.model_copy(update={"sha256": digest}) if digest else known, table


def _with_dialect(source: Source, folder: Path, variables: Mapping[str, str]) -> Source:
    """Return a source of CSV files with the keys of its dialect that are not declared and not the usual ones."""
    url = source.parsed
    secrets = Secrets(url, variables)
    with told(url.shown, source.kind, secrets):
        files = find_files(source, url, folder, secrets, variables.get("MLFLOW_S3_ENDPOINT_URL") or None)
        try:
            with files.pieces[0].stream() as stream:
                sample = bytes(stream.read(SAMPLE_BYTES))
        finally:
            files.close()
    if not sample.strip():
        raise FileUnusable(f"{url.shown} is empty; a header line with the column names is the least it needs")
    seen, usual = found(sample), dialect_of(source)
    keys: dict[str, Any] = {
        name: list(value) if isinstance(value := getattr(seen, name), tuple) else value
        for name in ("sep", "decimal", "thousands", "header")
        if getattr(seen, name) != getattr(usual, name)
    }
    if seen.encoding not in ("utf-8", "utf-8-sig"):  # every reader takes the mark at the beginning of a UTF-8 text away
        keys["encoding"] = seen.encoding
    if marks := [mark for mark in seen.nulls if mark not in usual.nulls]:
        keys["nulls"] = marks
    # What is read next has to be the file that the dialect is of.
    digest = {"sha256": files.digest} if files.digest else {}
    return source.model_copy(update={**keys, **source.dialect, **digest})
