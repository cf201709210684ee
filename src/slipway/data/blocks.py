"""A table of any size as blocks of rows, whose texts are as the file has them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from slipway.core.naming import unusable
from slipway.core.spec import Format, Source
from slipway.sources import described, open_table
from slipway.types import MISSING_IN_CSV


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
    """Return the source with the keys that the table itself says, and the names of the columns.

    Marks for a missing value are found column by column, so those of the dialect are left out. Names that were made for a file
    without a header are kept, since an experiment has to name its columns.
    """
    known, names = described(source, folder, variables)
    own: dict[str, Any] = {"nulls": source.nulls}
    if known.header is False:
        own["header"] = list(names)
    return known.model_copy(update=own), names


def _declarable(names: tuple[str, ...]) -> tuple[str, ...]:
    times = Counter(names)
    return tuple(name for name in names if not unusable(name) and times[name] == 1)
