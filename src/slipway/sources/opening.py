"""Open sources: from a declaration to a table that is asked for its rows."""

import csv
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from slipway.core.forms import Form
from slipway.core.spec import Format, Source, ending_of
from slipway.errors import DataUnusable, FileUnusable, SlipwayError
from slipway.sources.dialect import Dialect
from slipway.sources.files import Files, find_files
from slipway.sources.frames import in_batches, kept_as_text
from slipway.sources.secrets import Secrets
from slipway.sources.table import TableReader, Wanted
from slipway.sources.until import rows_until
from slipway.types import MISSING_IN_CSV

_FAILURES = (OSError, EOFError, ValueError, zlib.error, csv.Error, pa.ArrowException)
_LIBRARIES = ("sqlalchemy", "psycopg2", "sqlite3", "botocore", "urllib3")
_SHOWN = 300


class OpenTable:
    """A table that is open.

    Attributes:
        source: the declaration.
        shown: the address for messages, without a secret.
        files: its files; None for a database.
        names: the names of the columns as the table has them, repeated and empty ones too.
    """

    def __init__(
        self,
        source: Source,
        reader: TableReader,
        files: Files | None,
        shown: str,
        secrets: Secrets,
        until: Form | None = None,
    ):
        self.source = source
        self._form = until
        self.files = files
        self._reader = reader
        self.shown = shown
        self._secrets = secrets
        with told(shown, source.kind, secrets):
            self.names: tuple[str, ...] = tuple(reader.names())

    def batches(
        self, columns: Sequence[str] | None = None, as_text: Collection[str] = (), rows: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows, up to the moment that is declared, if one is.

        Raises FileUnusable where the table cannot be read or changes meanwhile, and DataUnusable for cells that make no table.

        Args:
            columns: the columns to read, in this order; None for all.
            as_text: the columns that stay as they are written, where the kind of table has no types of its own. Other columns
                are numbers in every batch that has nothing but numbers there.
            rows: the rows of each batch but the last; None for what comes at a time.
        """
        chosen = tuple(self._all() if columns is None else columns)
        flow = self._told(self._flow(chosen, as_text))
        yield from flow if rows is None else in_batches(flow, chosen, rows)

    def close(self) -> None:
        self._reader.close()

    def _all(self) -> Sequence[str]:
        if again := sorted({name for name in self.names if self.names.count(name) > 1}):
            raise DataUnusable(
                f"{self.shown} has more than one column named {', '.join(again)}; rename all but one of them in the table"
            )
        return self.names

    def _flow(self, columns: tuple[str, ...], as_text: Collection[str]) -> Iterator[pa.RecordBatch]:
        until = self.source.until
        if until is None:
            asked = Wanted(columns, as_text)
        else:
            if until.column not in self.names:
                shown = ", ".join(self.names[:40])
                raise DataUnusable(
                    f"{self.shown} has no column {until.column}, by which it is read until a moment; there is: {shown}"
                )
            texts = {*(name for name in columns if name in as_text), until.column}
            # A time in a declared form is compared as it is read: a reader would take one of another zone for UTC.
            known = None if self._form else (until.column, until.moment)
            asked = Wanted(tuple(dict.fromkeys((*columns, until.column))), texts, known)
        for batch in self._reader.batches(asked):
            kept = kept_as_text(batch, as_text)
            if until is not None:
                kept = rows_until(kept, until.column, until.moment, self._form).select(list(columns))
            yield kept
        if changed := self._reader.changed():
            raise FileUnusable(f"{changed} changed while it was read; read it again when it is whole")

    def _told(self, flow: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield what a flow yields; only what fails in the flow itself is told as a fault of the table."""
        while True:
            with told(self.shown, self.source.kind, self._secrets):
                batch = next(flow, None)
            if batch is None:
                return
            yield batch


@contextmanager
def open_table(
    source: Source, folder: Path = Path(), variables: Mapping[str, str] | None = None, until: Form | None = None
) -> Iterator[OpenTable]:
    """Open the table of a source, and close it at the end.

    Raises FileUnusable where there is none or where it cannot be read, and UsageError for a variable that is not set.

    Args:
        source: the declaration; not a function.
        folder: the folder that paths are relative to.
        variables: the environment, from which a URL's user and password come.
        until: the Form of the column of times by which the source is read; None for the usual one.
    """
    given = variables or {}
    url, kind = source.parsed, source.kind
    assert kind is not None, "a function is called, not read"
    secrets = Secrets(url, given)
    shown = str(folder / url.path) if url.scheme == "" else url.shown
    files = None
    with told(shown, kind, secrets):
        if kind is Format.SQL:
            from slipway.sources.kinds.sql import SqlReader

            reader: TableReader = SqlReader(source, url, folder, secrets)
        else:
            files = find_files(source, url, folder, secrets, given.get("MLFLOW_S3_ENDPOINT_URL") or None)
            reader = _of_files(source, kind, files)
    try:
        yield OpenTable(source, reader, files, shown, secrets, until)
    finally:
        reader.close()


def _of_files(source: Source, kind: Format, files: Files) -> TableReader:
    """Return the reader of files; what only one kind needs is imported by that kind."""
    match kind:
        case Format.CSV:
            from slipway.sources.kinds.csv_files import CsvReader

            return CsvReader(files, dialect_of(source))
        case Format.JSON_LINES:
            from slipway.sources.kinds.json_lines import JsonLinesReader

            return JsonLinesReader(files)
    from slipway.sources.kinds.arrow_files import ArrowReader

    return ArrowReader(files, kind)


def dialect_of(source: Source) -> Dialect:
    """Return the dialect that a source declares, the plain one where it declares none."""
    header = source.header
    return Dialect(
        sep=source.sep or ("\t" if ending_of(source.parsed.file)[0] == ".tsv" else ","),
        decimal=source.decimal or ".",
        thousands=source.thousands or "",
        encoding=source.encoding or "utf-8",
        nulls=tuple(dict.fromkeys((*MISSING_IN_CSV, *(source.nulls or ())))),
        header=True if header is None else tuple(header) if isinstance(header, list) else header,
    )


@contextmanager
def told(shown: str, kind: Format | None, secrets: Secrets) -> Iterator[None]:
    """Turn what libraries raise into FileUnusable without a secret; the libraries' errors quote URLs and are not chained."""
    try:
        yield
    except SlipwayError:
        raise
    except FileNotFoundError:
        raise FileUnusable(secrets.scrub(f"there is no file {shown}")) from None
    except Exception as error:
        if not isinstance(error, _FAILURES) and type(error).__module__.partition(".")[0] not in _LIBRARIES:
            raise
        lines = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
        why = secrets.scrub(lines[0])[:_SHOWN]
        raise FileUnusable(f"{secrets.scrub(shown)} cannot be read as {kind}: {why}") from None
