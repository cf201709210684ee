"""The seam between kinds of sources: how a table is asked for its columns and its rows.

A new kind is a class with the methods of TableReader and a case of `opening._of_files`. Every kind runs the tests of
tests/sources/test_contract.py.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True)
class Wanted:
    """The part of a table that is read.

    Attributes:
        columns: the names of the columns, each once.
        as_text: columns that stay as they are written, where the kind of table has no types of its own.
        until: the column of times and the last moment, naive UTC, whose rows are needed; a reader may give later rows too.
    """

    columns: tuple[str, ...]
    as_text: Collection[str] = ()
    until: tuple[str, datetime] | None = None


class TableReader(Protocol):
    """An open table. Its methods raise what the libraries raise; `slipway.sources.opening` makes the messages."""

    def names(self) -> Sequence[str]:
        """Return the names of the columns as the table has them, repeated and empty ones too."""

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Yield the rows, with the wanted columns in their order. The type of a column may differ between batches."""

    def changed(self) -> str:
        """Say which part of the table is not what it was when the table was opened; "" for none."""

    def close(self) -> None:
        """Give back connections and files."""
