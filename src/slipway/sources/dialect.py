"""The dialect of a CSV file: how its cells are separated and its numbers written, found from its first bytes.

The separator is the one that cuts the most lines into the same number of cells, and makes numbers, times and words of the
cells. csv.Sniffer, which counts characters, takes a decimal comma or a blank for a separator.
"""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from slipway.sources._cells import MARKS, NumberForm, is_number, is_time, kind_of_cells, number_form
from slipway.sources._encoding import encoding_of
from slipway.types import MISSING_IN_CSV

SAMPLE_BYTES = 256 * 1024
"""The first bytes of a file that a dialect is found from."""

_SEPARATORS = (",", ";", "\t", "|", " ")
_MOST_RECORDS = 500
csv.field_size_limit(2**31 - 1)

Header = bool | int | tuple[str, ...]
"""True: the first line; False: there is none; a number: that line; names: there is none, and the columns are called so."""


@dataclass(frozen=True)
class Dialect:
    """The form of a CSV file.

    Attributes:
        sep: the character between cells.
        decimal: the decimal mark of numbers.
        thousands: the mark between thousands; "" for none.
        encoding: the name of a Python codec.
        nulls: the texts that stand for a missing value.
        header: where the names of the columns stand. Lines are counted from 1.
    """

    sep: str = ","
    decimal: str = "."
    thousands: str = ""
    encoding: str = "utf-8"
    nulls: tuple[str, ...] = MISSING_IN_CSV
    header: Header = True


@dataclass(frozen=True)
class _Reading:
    """A text as one separator cuts it. lines: the number of the line on which each record begins."""

    sep: str
    records: list[list[str]]
    lines: list[int]
    width: int
    score: float


def found(sample: bytes) -> Dialect:
    """Return the dialect of a CSV file that begins with these bytes; the plain one where there is nothing to go by."""
    encoding = encoding_of(sample)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample, final=False)
    reading = max(
        (_read(text, sep, whole=len(sample) < SAMPLE_BYTES) for sep in _SEPARATORS), key=lambda each: each.score
    )
    if not reading.records:
        return Dialect(encoding=encoding)
    first = _first(reading)
    body = [record for record in reading.records[first:] if len(record) == reading.width]
    header: Header = _has_header(reading, first, body)
    if first:  # only a header has lines above it
        header = reading.lines[first]
    rows = body[1:] if header is not False and len(reading.records[first]) == reading.width else body
    columns = _columns(rows, reading.width)
    nulls = _nulls(columns)
    given = [[cell for cell in cells if cell not in nulls] for cells in columns]
    form = number_form(given, comma_separated=reading.sep == ",") or NumberForm()
    return Dialect(reading.sep, form.decimal, form.thousands, encoding, nulls, header)


def _read(text: str, sep: str, *, whole: bool) -> _Reading:
    """Cut a text into records by a separator, and say how well the separator fits, from 0 to 1."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sep)
    records: list[list[str]] = []
    lines: list[int] = []
    line, cut = 1, True
    for record in reader:
        if record:
            records.append(record)
            lines.append(line)
        line = reader.line_num + 1
        if len(records) > _MOST_RECORDS:
            cut = False
            break
    if cut and not whole and len(records) > 1:
        records.pop()  # the sample ends within it
        lines.pop()
    width, share = _width(records)
    if width < 2:  # one column: any separator does, and the comma is the plain one
        return _Reading(sep, records, lines, width, 0.01 if sep == "," else 0.0)
    cells = [cell for record in records[-200:] if len(record) == width for cell in record]
    return _Reading(sep, records, lines, width, share * (0.1 + _told(cells)) * (0.7 if sep == " " else 1.0))


def _width(records: Sequence[Sequence[str]]) -> tuple[int, float]:
    """Return the usual number of cells of a record, and the share of records that have it."""
    if not records:
        return 0, 0.0
    width, count = Counter(map(len, records)).most_common(1)[0]
    return width, count / len(records)


def _told(cells: Sequence[str]) -> float:
    """Return the share of cells that are plainly something: a number, a time, a mark, or words without separators in them."""
    return sum(map(_is_plain, cells)) / len(cells) if cells else 0.0


def _is_plain(cell: str) -> bool:
    if cell in MISSING_IN_CSV or cell in MARKS or is_number(cell) or is_time(cell):
        return True
    # What another separator would cut is told by its separators; prose has a blank behind its commas.
    return not any(mark in cell for mark in ";\t|") and not any("," in word.strip(",") for word in cell.split())


def _first(reading: _Reading) -> int:
    """Return the position of the first record of the table: titles and notes above it have fewer cells."""
    widths = [len(record) for record in reading.records]
    first = widths.index(reading.width)
    # R writes no name for the column of row names, and some programs end each row, but not the header, with a separator.
    if first and reading.width > 2 and widths[first - 1] == reading.width - 1:
        names = reading.records[first - 1]
        if all(name.strip() and not is_number(name) for name in names) and len(set(names)) == len(names):
            return first - 1
    return first


def _has_header(reading: _Reading, first: int, body: Sequence[Sequence[str]]) -> bool:
    """Compare the first record with those below it: a header is of another kind than the values of its column."""
    head = reading.records[first]
    if len(head) != reading.width or len(body) < 2:
        return True
    votes = 0
    for name, cells in zip(head, _columns(body[1:], reading.width), strict=True):
        cells = [cell for cell in cells if cell not in MISSING_IN_CSV]
        if not name.strip() or not cells:
            continue
        kind = kind_of_cells(cells)
        if kind:
            votes += -1 if kind_of_cells([name]) == kind else 1
        elif name in cells:
            votes -= 1
        elif len(set(cells)) <= len(cells) / 2:
            votes += 1
    if _is_years(head):
        return True
    return votes > 0 or (votes == 0 and len(set(head)) == len(head))


def _is_years(head: Sequence[str]) -> bool:
    """Return whether the numbers of a header are years that follow each other: such numbers name columns."""
    numbers = [cell.strip() for cell in head if is_number(cell)]
    years = [int(cell) for cell in numbers if cell.isdigit() and 1500 <= int(cell) <= 2200]
    return len(years) > 2 and len(years) == len(numbers) and len({b - a for a, b in pairwise(years)}) == 1


def _columns(rows: Sequence[Sequence[str]], width: int) -> list[list[str]]:
    return [[row[i] for row in rows] for i in range(width)]


def _nulls(columns: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the texts for a missing value: those that always are, and the marks that stand among numbers or times."""
    standing: dict[str, None] = {}
    for cells in columns:
        marks = {cell for cell in set(cells) if cell in MARKS}
        given = [cell for cell in cells if cell not in marks and cell not in MISSING_IN_CSV]
        if marks and kind_of_cells(given):
            standing |= dict.fromkeys(sorted(marks))
    return (*MISSING_IN_CSV, *standing)
