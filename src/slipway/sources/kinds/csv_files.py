"""The reader of CSV files. Every cell is read as text; columns of numbers become numbers by the dialect, a batch at a time."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Any

import pyarrow as pa
import pyarrow.csv

from slipway.errors import DataUnusable
from slipway.sources._cells import NumberForm
from slipway.sources.dialect import Dialect
from slipway.sources.files import Files, Piece
from slipway.sources.kinds._numbers import as_number
from slipway.sources.table import Wanted

_BLOCK_BYTES = 4 << 20


@dataclass(frozen=True)
class _Layout:
    """The columns of one file, and the number of its lines above the first row. empty: there is no row."""

    names: tuple[str, ...]
    skip: int
    empty: bool


class CsvReader:
    """CSV files with one dialect."""

    def __init__(self, files: Files, dialect: Dialect):
        self._files = files
        self._dialect = dialect
        self._form = NumberForm(dialect.decimal, dialect.thousands)
        self._utf8 = dialect.encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")
        self.changed = files.changed
        self.close = files.close

    def names(self) -> Sequence[str]:
        return self._layout(self._files.pieces[0]).names

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        for piece in self._files.pieces:
            yield from self._of(piece, self._layout(piece), wanted)

    def _of(self, piece: Piece, layout: _Layout, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        if missing := [name for name in wanted.columns if name not in layout.names]:
            raise DataUnusable(f"{piece.name} has no column {missing[0]}, which another file of the source has")
        at = [layout.names.index(name) for name in wanted.columns]
        if layout.empty:
            return
        last: pa.Array | None = None
        # The last column is read too: a quote that is never closed swallows the rows behind it into a cell of that column.
        for batch in self._texts(piece, layout, [*at, len(layout.names) - 1]):
            last = batch.column(len(at)) if batch.num_rows else last
            yield pa.RecordBatch.from_arrays(
                [self._typed(name, batch.column(i), wanted) for i, name in enumerate(wanted.columns)],
                list(wanted.columns),
            )
        if last is not None and "\n" in (last[-1].as_py() or "") and self._quotes(piece) % 2:
            raise DataUnusable(
                f"a quote in the last rows of {piece.name} is never closed; rows behind it would be lost"
            )

    def _texts(self, piece: Piece, layout: _Layout, at: Sequence[int]) -> Iterator[pa.RecordBatch]:
        cells = [f"c{i}" for i in range(len(layout.names))]  # by position: names may be empty, or stand there twice
        distinct = list(dict.fromkeys(at))
        options = {
            "read_options": pa.csv.ReadOptions(
                column_names=cells,
                skip_rows=layout.skip,
                block_size=_BLOCK_BYTES,
                encoding="utf8" if self._utf8 else self._dialect.encoding,
            ),
            "parse_options": pa.csv.ParseOptions(delimiter=self._dialect.sep, newlines_in_values=True),
            "convert_options": pa.csv.ConvertOptions(
                column_types=dict.fromkeys(cells, pa.string()),
                include_columns=[cells[i] for i in distinct],
                null_values=list(self._dialect.nulls),
                strings_can_be_null=True,
            ),
        }
        with piece.stream() as stream, pa.csv.open_csv(stream, **options) as reader:
            for batch in reader:
                yield pa.RecordBatch.from_arrays(
                    [batch.column(distinct.index(i)) for i in at], [str(i) for i in range(len(at))]
                )

    def _typed(self, name: str, cells: pa.Array, wanted: Wanted) -> pa.Array:
        return cells if name in wanted.as_text else as_number(name, cells, self._form)

    def _layout(self, piece: Piece) -> _Layout:
        header = self._dialect.header
        with self._lines(piece) as lines:
            above = header - 1 if isinstance(header, int) and not isinstance(header, bool) else 0
            for _ in range(above):
                next(lines, None)
            records = csv.reader(lines, delimiter=self._dialect.sep)
            head = next(filter(None, records), None) if header is not False and not isinstance(header, tuple) else []
            skip = above + records.line_num
            row = next(filter(None, records), None)
        if head is None or (row is None and header is False):
            raise DataUnusable(f"{piece.name} is empty; a header line with the column names is the least it needs")
        named = head or (
            list(header) if isinstance(header, tuple) else [f"column_{i}" for i in range(1, len(row or ()) + 1)]
        )
        return _Layout(_as_wide(named, row), skip, row is None)

    @contextmanager
    def _lines(self, piece: Piece) -> Iterator[Any]:
        with (
            piece.stream() as stream,
            TextIOWrapper(stream, "utf-8-sig" if self._utf8 else self._dialect.encoding, newline="") as text,
        ):
            yield text

    def _quotes(self, piece: Piece) -> int:
        with piece.stream() as stream:
            return sum(part.count(b'"') for part in iter(lambda: stream.read(_BLOCK_BYTES), b""))


def _as_wide(names: Sequence[str], row: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names with one for the column that a header lacks: R's row names, or what a separator at the end makes."""
    if row is None or len(row) != len(names) + 1:
        return tuple(names)
    return (*names, "") if row[-1] == "" else ("", *names)
