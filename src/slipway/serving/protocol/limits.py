"""Limits of a request: its rows, the depth of its JSON, and its size once the request is read."""

import csv
import io
from collections.abc import Iterable
from typing import Any

import numpy as np

from slipway.types import JSON_BY_COLUMN, JSON_ROW_FORMATS


class TooManyRows(ValueError):
    """A request holds more rows than are allowed."""

    def __init__(self, rows: int, most: int):
        super().__init__(f"the request holds {rows} rows; at most {most} are allowed. Send it in parts.")


_ALIKE = bytes.maketrans(b"{}", b"[]")
_DROPPED = bytes(set(range(256)) - set(b'[]{}"'))  # brackets of both kinds are then made alike
_STEPS = np.zeros(256, np.int64)
_STEPS[ord("[")], _STEPS[ord("]")] = 1, -1
_PIECE = 1 << 16


def is_deeper(body: bytes, most: int) -> bool:
    """Whether brackets are nested deeper than `most`, or are not closed.

    All but brackets and quotes is dropped first, then the text between quotes. The body is read piece by piece, so that other
    threads have their turns. Ten megabytes take some milliseconds.
    """
    depth, within, at = 0, 0, 0
    while at < len(body):
        piece = _piece(body, at)
        at += len(piece)
        if b"\\" in piece:
            piece = piece.replace(b"\\\\", b"").replace(b'\\"', b"")
        parts = piece.translate(_ALIKE, _DROPPED).split(b'"')
        marks = b"".join(parts[within::2])
        within = (within + len(parts) - 1) % 2
        if marks:
            depths = depth + np.cumsum(_STEPS[np.frombuffer(marks, np.uint8)])
            if depths.max() > most or depths.min() < 0:
                return True
            depth = int(depths[-1])
    return depth > 0


def _piece(body: bytes, at: int) -> bytes:
    """Return the next piece, which does not end between a backslash and the character that the backslash escapes."""
    piece = body[at : at + _PIECE]
    backslashes = len(piece) - len(piece.rstrip(b"\\"))
    return body[at : at + _PIECE + backslashes % 2]


MOST_PARQUET_BYTES = 100_000_000
"""The size of a Parquet file that is unpacked, where each value counts as often as it stands in a row."""


MOST_COLUMNS = 10_000
"""The columns of CSV that are read: pandas takes minutes over a line of some hundred thousand names."""


_UNPACKED = f"the rows are larger than {MOST_PARQUET_BYTES} bytes when they are unpacked. Send them in parts."
_WIDE = f"the body has more than {MOST_COLUMNS} columns. Send those of the signature."


class TooLarge(ValueError):
    """A request is larger than is allowed once the request is unpacked."""


def check_json(content: Any, most: int) -> None:
    """Raise TooManyRows where a request, as `json.loads` reads it, holds more rows than `most`."""
    if not isinstance(content, dict):
        return
    split = content.get("dataframe_split")
    parts = [content.get(key) for key in (*JSON_ROW_FORMATS, *JSON_BY_COLUMN)]
    parts += [values for part in parts if isinstance(part, dict) for values in part.values()]
    parts += [split.get("data"), split.get("index")] if isinstance(split, dict) else []
    _check(max((len(part) for part in parts if isinstance(part, list)), default=0), most)


def check_csv(body: bytes, most: int) -> None:
    """Raise TooManyRows where CSV holds more rows than `most`, TooLarge where CSV holds more columns than MOST_COLUMNS."""
    if body.count(b",") >= MOST_COLUMNS and any(line.count(b",") >= MOST_COLUMNS for line in body.splitlines()):
        raise TooLarge(_WIDE)
    lines = max(body.count(b"\n"), body.count(b"\r"))
    if lines <= most:
        return
    text = io.StringIO(body.decode(errors="replace"), newline="")
    try:
        _check(_count(csv.reader(text), most + 1) - 1, most)
    except csv.Error:  # a single value of too many characters, or odd line ends: as many rows as there are lines
        _check(lines, most)


def check_parquet(body: bytes, most: int) -> None:
    """Raise TooManyRows or TooLarge for a Parquet file. A body that is no Parquet file passes; its reader refuses it."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        metadata = ParquetFile(io.BytesIO(body)).metadata
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        chunks = [group.column(number) for group in groups for number in range(group.num_columns)]
        _check(sum(group.num_rows for group in groups), most)
        # A value that is written once for many rows takes a few bytes in the file, and eight for each row when it is read.
        if sum(max(chunk.total_uncompressed_size, 8 * chunk.num_values) for chunk in chunks) > MOST_PARQUET_BYTES:
            raise TooLarge(_UNPACKED)
        if any(chunk.num_values > 10 * most for chunk in chunks) or _text_bytes(body, chunks) > MOST_PARQUET_BYTES:
            raise TooLarge(_UNPACKED)
    except (ArrowException, OSError):
        return


def _text_bytes(body: bytes, chunks: Iterable[Any]) -> int:
    """Return the bytes of all texts together, counted without a copy of a text for each row that has it."""
    import pyarrow.compute as pc
    from pyarrow import types
    from pyarrow.parquet import read_table

    texts = sorted({chunk.path_in_schema for chunk in chunks if chunk.physical_type == "BYTE_ARRAY"})
    if not texts:
        return 0
    table, total = read_table(io.BytesIO(body), columns=texts, read_dictionary=texts), 0
    for chunk in (chunk for column in table.columns for chunk in column.chunks):
        if types.is_dictionary(chunk.type):
            lengths = pc.binary_length(chunk.dictionary).take(chunk.indices)
            total += pc.sum(lengths.cast("int64")).as_py() or 0
        else:
            total += chunk.nbytes
    return total


def _count(rows: Iterable[list[str]], most: int) -> int:
    count = 0
    for row in rows:
        count += bool(row)
        if count > most:
            break
    return count


def _check(rows: int, most: int) -> None:
    if rows > most:
        raise TooManyRows(rows, most)
