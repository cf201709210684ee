"""A table of any size as blocks of rows, whose texts are as the file has them."""

import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from slipway.core.naming import unusable
from slipway.errors import FileUnusable
from slipway.sources.dialect import SAMPLE_BYTES, Dialect, found

_BLOCK_BYTES = 4 << 20
_BLOCK_ROWS = 65_536
_PLAIN = ("utf-8", "utf-8-sig")  # Arrow drops the mark itself, and reads other encodings by Python's slower codecs


@dataclass(frozen=True)
class Blocks:
    """A table that is read in blocks, as often as it is asked for.

    Attributes:
        names: the names of the columns as they are written; a name may be empty or repeated.
        read: reads the table from its beginning; each block has the columns of `columns`, in that order.
        dialect: the form of a CSV file; None for a Parquet file.
    """

    names: tuple[str, ...]
    read: Callable[[], Iterator[pa.RecordBatch]]
    dialect: Dialect | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The names by which an experiment can declare a column: those that are usable and not repeated."""
        return _declarable(self.names)

    @property
    def missing(self) -> tuple[str, ...]:
        """The texts that stand for a missing value, as far as the first rows of the file tell."""
        return self.dialect.nulls if self.dialect else ()


def blocks_of(path: Path) -> Blocks:
    """Return the Blocks of a CSV or Parquet file, by its ending. Raises FileUnusable, also while the blocks are read."""
    kind = "".join(path.suffixes[-2:]).lower() if path.suffix == ".gz" else path.suffix.lower()
    if not path.is_file():
        raise FileUnusable(f"there is no file {path}")
    if kind in (".parquet", ".pq"):
        with _told(path):
            names = tuple(pq.read_schema(path).names)
        return Blocks(names, lambda: _parquet(path, names))
    if kind not in (".csv", ".csv.gz"):
        raise FileUnusable(f"{path} ends in '{path.suffix}'; what can be read is .csv, .csv.gz and .parquet")
    with _told(path), _opened(path) as stream:
        first = stream.read(SAMPLE_BYTES)
    if not first.strip():
        raise FileUnusable(f"{path} is empty; a header line with the column names is the least it needs")
    dialect = found(first)
    with _told(path):
        names = _names(first, dialect)
    return Blocks(names, lambda: _csv(path, names, dialect), dialect)


def _csv(path: Path, names: tuple[str, ...], dialect: Dialect) -> Iterator[pa.RecordBatch]:
    """Read a CSV file with every cell as a text; what a text means is not the reader's to say."""
    places = [f"f{i}" for i in range(len(names))]
    wanted = [places[names.index(name)] for name in _declarable(names)]
    reading = pa_csv.ReadOptions(
        block_size=_BLOCK_BYTES,
        column_names=places,
        skip_rows=_above(dialect),
        skip_rows_after_names=int(dialect.header is not False),
        encoding="utf8" if dialect.encoding in _PLAIN else dialect.encoding,
    )
    parsing = pa_csv.ParseOptions(delimiter=dialect.sep, newlines_in_values=True)
    converting = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(places, pa.string()), strings_can_be_null=False, include_columns=wanted
    )
    with _told(path), _opened(path) as stream:
        for block in pa_csv.open_csv(stream, reading, parsing, converting):
            yield block.rename_columns(list(_declarable(names)))


def _parquet(path: Path, names: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    with _told(path):
        yield from pq.ParquetFile(path).iter_batches(_BLOCK_ROWS, columns=list(_declarable(names)))


def _declarable(names: tuple[str, ...]) -> tuple[str, ...]:
    times = Counter(names)
    return tuple(name for name in names if not unusable(name) and times[name] == 1)


def _names(first: bytes, dialect: Dialect) -> tuple[str, ...]:
    """Return the header cells of a CSV file as written; names are made up for a file without a header."""
    text = io.StringIO(first.decode(dialect.encoding, errors="replace"), newline="")
    for _ in range(_above(dialect)):
        text.readline()
    head, row, *_ = [*islice(csv.reader(text, delimiter=dialect.sep), 2), [], []]
    if dialect.header is False:
        return tuple(f"column_{i}" for i in range(1, len(head) + 1))
    # R writes no name for the column of row names.
    return ("", *head) if len(row) == len(head) + 1 else tuple(head)


def _above(dialect: Dialect) -> int:
    """Return the number of lines above the header."""
    return dialect.header - 1 if isinstance(dialect.header, int) and not isinstance(dialect.header, bool) else 0


def _opened(path: Path) -> io.BufferedIOBase:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise FileUnusable(f"{path} is not {error.encoding}: byte {error.start} begins no character") from error
    except (OSError, EOFError, zlib.error, ValueError, pa.ArrowException, csv.Error) as error:
        raise FileUnusable(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
