"""Counts over all rows of a table: missing values, ends, and cells that are not of the type that a sample shows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from slipway.core.casts import to_number, to_time
from slipway.core.forms import EPOCHS
from slipway.core.spec import NUMBERS, ColumnType
from slipway.data.profile import numbers
from slipway.data.profile.kind import ColumnKind


@dataclass
class Count:
    """The counts of one column over all rows.

    Attributes:
        missing: how many values are missing.
        low: the smallest number; None without any.
        high: the largest number.
        odd: how many values are not of the type.
        fractions: how many of the odd values are numbers in a column of whole numbers.
        example: a value that is not of the type.
        values: how often each value occurs, where that was asked for.
    """

    missing: int = 0
    low: float | None = None
    high: float | None = None
    odd: int = 0
    fractions: int = 0
    example: str = ""
    values: Counter[Any] = field(default_factory=Counter)

    def widen(self, low: float | None, high: float | None) -> None:
        """Take the ends of another block in."""
        if low is not None and high is not None:
            self.low = low if self.low is None else min(self.low, low)
            self.high = high if self.high is None else max(self.high, high)


class Counting:
    """Counts the columns of a table, block by block.

    Args:
        kinds: the ColumnKind of each column to count.
        missing: all texts that stand for a missing value.
        tallied: the columns whose values are counted one by one.
    """

    def __init__(self, kinds: Mapping[str, ColumnKind], missing: Sequence[str], tallied: Sequence[str] = ()):
        self.counts = {name: Count() for name in kinds}
        self._kinds = kinds
        self._marks = pa.array(list(missing), pa.string())
        self._tallied = frozenset(tallied)

    def kind(self, name: str) -> ColumnKind | None:
        """Return the ColumnKind that a column is counted by."""
        return self._kinds.get(name)

    def take(self, block: pa.RecordBatch, threads: ThreadPoolExecutor) -> None:
        """Count the next rows; Arrow lets go of the interpreter meanwhile, so that `threads` run at the same time."""
        list(threads.map(lambda name: self._take(name, block.column(name)), self._kinds))

    def _take(self, name: str, array: pa.Array) -> None:
        count, present = self.counts[name], without_marks(array, self._marks)
        count.missing += present.null_count
        present = present.drop_null()
        if name in self._tallied:
            for value, times in zip(*pc.value_counts(present).flatten(), strict=True):
                count.values[value.as_py()] += times.as_py()
        _take_in(count, present, self._kinds[name])


def without_marks(array: pa.Array, marks: pa.Array) -> pa.Array:
    """Return a column with null in place of each mark and of NaN; numbers and times are as they are otherwise."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_floating(array.type):
        return pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)) or not len(marks):
        return array
    return pc.if_else(pc.is_in(array, marks.cast(array.type)), pa.scalar(None, array.type), array)


def _take_in(count: Count, present: pa.Array, kind: ColumnKind) -> None:
    if not len(present):
        return
    texts = pa.types.is_string(present.type) or pa.types.is_large_string(present.type)
    if kind.type in NUMBERS:
        _take_numbers(count, present, kind, texts)
    elif texts and kind.type is ColumnType.DATETIME:
        _note_odd(count, present, _times(present, kind).isna().to_numpy())
    elif texts and kind.type is ColumnType.BOOL:
        folded = pc.utf8_lower(pc.utf8_trim_whitespace(present))
        known = pa.array(["true", "false", "yes", "no", "y", "n", "t", "f", "1", "0", "1.0", "0.0"])
        _note_odd(count, present, pc.invert(pc.is_in(folded, known)).to_numpy(zero_copy_only=False))
    elif not texts and kind.type is ColumnType.BOOL and not pa.types.is_boolean(present.type):
        _note_odd(count, present, pc.greater(pc.abs(present), 1).to_numpy(zero_copy_only=False))


def _take_numbers(count: Count, present: pa.Array, kind: ColumnKind, texts: bool) -> None:
    try:
        values = numbers.values(present, kind.keys) if texts else pc.cast(present, pa.float64(), safe=False)
    except pa.ArrowInvalid:
        fit = _fitting(present, kind.keys)
        _note_odd(count, present, pc.invert(fit).to_numpy(zero_copy_only=False))
        values = numbers.values(present.filter(fit), kind.keys)
    if kind.type is ColumnType.INT:
        fraction = pc.not_equal(values, pc.floor(values)).to_numpy(zero_copy_only=False)
        count.fractions += int(fraction.sum())
        _note_odd(count, values, fraction)
    ends = pc.min_max(values)
    count.widen(ends["min"].as_py(), ends["max"].as_py())


def _fitting(present: pa.Array, keys: Mapping[str, str]) -> pa.Array:
    marks = {key: mark for key, mark in keys.items() if key != "unit"}
    pattern = next(style.pattern for style in numbers.STYLES if marks.items() <= style.keys.items())
    return numbers.matches(pc.replace_substring(present, keys["unit"], "") if "unit" in keys else present, pattern)


def _times(present: pa.Array, kind: ColumnKind) -> pd.Series:
    texts: pd.Series = present.to_pandas()
    if (form := kind.keys.get("format")) in EPOCHS:
        return to_number(texts)
    if form:
        return pd.to_datetime(texts.str.strip(), format=form, errors="coerce", utc=True)
    return to_time(texts)


def _note_odd(count: Count, present: pa.Array, odd: Any) -> None:
    count.odd += int(odd.sum())
    if not count.example and odd.any():
        count.example = str(present[int(odd.argmax())].as_py())
