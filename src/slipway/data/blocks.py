"""A table of any size as blocks of rows, whose texts are as the file has them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from slipway.core.naming import unusable
from slipway.core.spec import Format, Source
from slipway.errors import FileUnusable
from slipway.sources.dialect import SAMPLE_BYTES, Dialect, found
from slipway.sources.files import find_files
from slipway.sources.opening import open_table, told
from slipway.sources.secrets import Secrets
from slipway.types import MISSING_IN_CSV

_OF_FILE = ("sep", "decimal", "thousands", "encoding", "header")


@dataclass(frozen=True)
class Blocks:
    """A table that is read in blocks, as often as it is asked for.

    Attributes:
        source: the declaration by which the table is read.
        names: the names of the columns as they are written; a name may be empty or repeated.
        read: reads the table from its beginning; each block has the columns of `columns`, in that order.
    """

    source: Source
    names: tuple[str, ...]
    read: Callable[[], Iterator[pa.RecordBatch]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names by which an experiment can declare a column: those that are usable and not repeated."""
        return _declarable(self.names)

    @property
    def takes_marks(self) -> bool:
        """Whether an experiment can list further texts that stand for a missing value."""
        return self.source.kind is Format.CSV

    @property
    def missing(self) -> tuple[str, ...]:
        """The texts that the reader of the table takes for missing."""
        return (*MISSING_IN_CSV, *(self.source.nulls or ())) if self.takes_marks else ()


def blocks_of(given: Mapping[str, Any], folder: Path, variables: Mapping[str, str]) -> Blocks:
    """Return the Blocks of a table.

    The dialect of a CSV file is found from its first bytes, and the digest of a file that is downloaded from all its bytes;
    both are in `source` then.

    Args:
        given: the keys of `data.source` that say where the table is.
        folder: the folder that paths are relative to.
        variables: the environment, from which a URL's user and password come.

    Raises FileUnusable, also while the blocks are read, and UsageError for a variable that is not set.
    """
    source, names = _found(Source(**given), folder, variables)

    def read() -> Iterator[pa.RecordBatch]:
        columns = _declarable(names)
        with open_table(source, folder, variables) as table:
            yield from table.batches(columns, columns)

    return Blocks(source, names, read)


def _found(source: Source, folder: Path, variables: Mapping[str, str]) -> tuple[Source, tuple[str, ...]]:
    """Return the source with the keys that the file itself says, and the names of the columns."""
    whole = source if source.kind is Format.SQL else source.model_copy(update=_said(source, folder, variables))
    with open_table(whole, folder, variables) as table:
        if whole.header is not False:
            return whole, table.names
        return whole.model_copy(update={"header": list(table.names)}), table.names


def _said(source: Source, folder: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the keys that a file says of itself: the digest of a file that is downloaded, and the dialect of a CSV file."""
    secrets = Secrets(source.parsed, variables)
    with told(source.parsed.shown, source.kind, secrets):
        files = find_files(source, source.parsed, folder, secrets, variables.get("MLFLOW_S3_ENDPOINT_URL") or None)
        try:
            digest = {"sha256": files.digest} if files.digest else {}
            if source.kind is not Format.CSV:
                return digest
            with files.pieces[0].stream() as stream:
                first = bytes(stream.read(SAMPLE_BYTES))
        finally:
            files.close()
    if not first.strip():
        named = source.parsed.shown
        raise FileUnusable(f"{named} is empty; a header line with the column names is the least it needs")
    return digest | _dialect(first, source)


def _dialect(first: bytes, source: Source) -> dict[str, Any]:
    """Return the keys of the dialect of a CSV file that are not the usual ones."""
    of_file, plain = found(first), Dialect(sep="\t" if source.parsed.file.lower().endswith(".tsv") else ",")
    others = {key: getattr(of_file, key) for key in _OF_FILE if getattr(of_file, key) != getattr(plain, key)}
    if others.get("encoding") == "utf-8-sig":
        del others["encoding"]  # every reader takes the mark at the beginning of a UTF-8 text away
    return others


def _declarable(names: tuple[str, ...]) -> tuple[str, ...]:
    times = Counter(names)
    return tuple(name for name in names if not unusable(name) and times[name] == 1)
