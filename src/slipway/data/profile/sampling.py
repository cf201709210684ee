"""A sample of a table that is read in blocks: every row has the same chance, and rows stay in their order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

MOST_ROWS, MOST_CELLS = 50_000, 10_000_000
_LEAST_ROWS = 1_000


@dataclass(frozen=True)
class RowSample:
    """Rows of a table.

    Attributes:
        frame: the rows, in the order of the table, (rows, columns).
        rows: the number of rows of the whole table.
    """

    frame: pd.DataFrame
    rows: int

    @property
    def is_whole(self) -> bool:
        return len(self.frame) == self.rows


def most_rows(columns: int) -> int:
    """Return how many rows are looked at in a table of so many columns."""
    return max(_LEAST_ROWS, min(MOST_ROWS, MOST_CELLS // max(1, columns)))


class Sampler:
    """Draws `most_rows(len(columns))` rows of a table, or keeps all rows of a smaller one.

    Each row draws a random number, and the rows with the smallest numbers stay, so the number of rows need not be known.
    """

    def __init__(self, columns: Sequence[str], seed: int = 0):
        self._columns = list(columns)
        self._most = most_rows(len(columns))
        self._random = np.random.default_rng(seed)
        self._kept: list[pa.RecordBatch] = []
        self._keys = np.empty(0)
        self._bound = 1.0
        self._rows = 0

    @property
    def is_full(self) -> bool:
        """Whether so many rows were seen that not all can be kept."""
        return self._rows > self._most

    def take(self, block: pa.RecordBatch) -> None:
        """Draw from the next rows of the table."""
        drawn = self._random.random(block.num_rows)
        self._rows += block.num_rows
        chosen = np.flatnonzero(drawn < self._bound)
        if len(chosen):
            self._kept.append(block.take(pa.array(chosen)) if len(chosen) < block.num_rows else block)
            self._keys = np.concatenate([self._keys, drawn[chosen]])
        if len(self._keys) > 2 * self._most:
            self._shrink()

    def sample(self) -> RowSample:
        """Return the rows that are drawn so far."""
        if len(self._keys) > self._most:
            self._shrink()
        return RowSample(_frame(self._kept, self._columns), self._rows)

    def _shrink(self) -> None:
        chosen = np.sort(np.argpartition(self._keys, self._most)[: self._most])
        table = pa.Table.from_batches(self._kept).take(pa.array(chosen)).combine_chunks()
        self._kept, self._keys = table.to_batches(), self._keys[chosen]
        self._bound = float(self._keys.max())


def _frame(kept: list[pa.RecordBatch], columns: list[str]) -> pd.DataFrame:
    if not kept:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in columns})
    frame: pd.DataFrame = pa.Table.from_batches(kept).to_pandas()
    return frame
