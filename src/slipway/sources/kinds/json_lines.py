"""The reader of JSON lines: an object a line. JSON has types of its own, and they are kept."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
import pyarrow as pa

from slipway.errors import DataUnusable
from slipway.sources.files import Files, Piece
from slipway.sources.frames import column_of
from slipway.sources.table import Wanted

_ROWS, _LOOKED_AT = 20_000, 10_000


class JsonLinesReader:
    """JSON lines. A key that a row lacks is missing there; the names are the keys of the first 10,000 rows of each file."""

    def __init__(self, files: Files):
        self._files = files
        self.changed = files.changed
        self.close = files.close

    def names(self) -> Sequence[str]:
        rows = (row for piece in self._files.pieces for row in islice(_rows(piece), _LOOKED_AT))
        return list(dict.fromkeys(name for row in rows for name in row))

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        for piece in self._files.pieces:
            rows = _rows(piece)
            while some := list(islice(rows, _ROWS)):
                columns = [column_of([row.get(name) for row in some]) for name in wanted.columns]
                yield pa.RecordBatch.from_arrays(columns, list(wanted.columns))


def _rows(piece: Piece) -> Iterator[dict[str, Any]]:
    decode = msgspec.json.Decoder().decode
    with piece.stream() as stream:
        for number, line in enumerate(_lines(stream), start=1):
            if not line.strip():
                continue
            try:
                row = decode(line)
            except msgspec.DecodeError as error:
                raise DataUnusable(f"line {number} of {piece.name} is not JSON: {error}") from None
            if not isinstance(row, dict):
                raise DataUnusable(f"line {number} of {piece.name} is a {type(row).__name__}; a row is an object")
            yield row


def _lines(stream: Any) -> Iterator[bytes]:
    rest = b""
    while part := stream.read(1 << 20):
        *lines, rest = (rest + part).split(b"\n")
        yield from lines
    if rest:
        yield rest
