"""Rows as they come, or a frame → the encoded rows: one float64 for each number, one for each category's code."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import getitem, itemgetter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slipway.compile._left import LeftToOriginal

UNKNOWN = -1.0

# Beyond it, float64 and the original's own int64 are no longer the same number.
_EXACT = 2**53

_NUMBERS = frozenset({int, float, bool, type(None)})


@dataclass(frozen=True)
class NumberColumn:
    """A column that is read as a number; missing is NaN. bools: whether true and false may be read as 1 and 0."""

    column: int
    bools: bool = True


@dataclass(frozen=True)
class TextColumn:
    """A column of texts that is read as codes.

    none: the code of None; nan: the code of a missing value among texts. They differ for a model that has learned one and not
    the other. pandas reads a column of JSON nulls alone as None, and one of nulls and texts with NaN.
    """

    column: int
    codes: tuple[tuple[str, float], ...]
    none: float = UNKNOWN
    nan: float = UNKNOWN
    other: float = UNKNOWN


class _Codes(dict[Any, float]):
    """Code by text. What is no text of it is looked at when it comes, so that what is costs one look-up."""

    def __init__(self, column: TextColumn):
        super().__init__(column.codes)
        self.column = column
        self[None] = column.none
        self[np.nan] = column.nan  # found by identity: the usual NaN

    def __missing__(self, key: object) -> float:
        if isinstance(key, str):
            return self.column.other
        if _is_nan(key):
            return self.column.nan
        raise TypeError  # as for a list or an object, which is no key at all


class RowEncoder:
    """Encodes rows and frames for the columns that a plan reads: its numbers first, then its codes."""

    def __init__(self, names: Sequence[str], numbers: Sequence[NumberColumn], texts: Sequence[TextColumn]):
        self._names = tuple(names)
        self._numbers, self._texts = tuple(numbers), tuple(texts)
        self._pick_numbers = _picker([number.column for number in numbers])
        self._pick_texts = _picker([text.column for text in texts])
        self._codes = [_Codes(text) for text in texts]
        self._no_bools = any(not number.bools for number in numbers)
        self.width = len(numbers) + len(texts)

    @property
    def texts(self) -> dict[str, tuple[str, ...]]:
        """The texts that have a code, by column."""
        return {self._names[text.column]: tuple(known for known, _ in text.codes) for text in self._texts}

    def encode(self, rows: Sequence[Sequence[object]]) -> NDArray[np.float64]:
        """Return (rows, width). Raises LeftToOriginal for a value of a type that the column is not of."""
        if len(rows) == 1:
            return self._encode_one(rows[0])
        out = np.empty((len(rows), self.width))
        columns = list(zip(*rows, strict=True)) or [()] * len(self._names)
        for i, number in enumerate(self._numbers):
            values = columns[number.column]
            self._check_numbers(values, (number,) * len(values), range(len(values)))
            out[:, i] = np.array(values, dtype=np.float64)
        for i, codes in enumerate(self._codes, len(self._numbers)):
            out[:, i] = self._encode_texts(codes, columns[codes.column.column])
        return out

    def _encode_one(self, row: Sequence[object]) -> NDArray[np.float64]:
        numbers = self._pick_numbers(row)
        if not frozenset(map(type, numbers)) <= _FLOATS or self._no_bools:
            self._check_numbers(numbers, self._numbers, (0,) * len(numbers))
        try:
            return np.array([(*numbers, *map(getitem, self._codes, self._pick_texts(row)))], dtype=np.float64)
        except TypeError:
            for codes in self._codes:
                self._check_texts(codes, [row[codes.column.column]])
            raise

    def _check_numbers(self, values: Sequence[Any], columns: Sequence[NumberColumn], rows: Sequence[int]) -> None:
        types = frozenset(map(type, values))
        if types <= _FLOATS:
            return
        for value, column, row in zip(values, columns, rows, strict=True):
            if type(value) not in _NUMBERS:
                raise self._left(row, column.column, f"a {type(value).__name__} where a number is read")
            if type(value) is int and not -_EXACT <= value <= _EXACT:
                raise self._left(row, column.column, "a whole number beyond 2^53")
            if type(value) is bool and not column.bools:
                raise self._left(row, column.column, "a truth value where a function of numbers is applied")

    def _encode_texts(self, codes: _Codes, values: Sequence[Any]) -> list[float]:
        if codes.column.none != codes.column.nan and None in values and any(value is not None for value in values):
            values = [np.nan if value is None else value for value in values]
        return self._encode_each(codes, values)

    def _encode_each(self, codes: _Codes, values: Sequence[Any]) -> list[float]:
        try:
            return [codes[value] for value in values]
        except TypeError:
            self._check_texts(codes, values)
            raise

    def _check_texts(self, codes: _Codes, values: Sequence[Any]) -> None:
        for row, value in enumerate(values):
            if not isinstance(value, str | None) and not _is_nan(value):
                raise self._left(row, codes.column.column, f"a {type(value).__name__} in a column of texts")

    def encode_frame(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Return (rows, width). Raises LeftToOriginal for a column of another type than the plan reads."""
        out = np.empty((len(frame), self.width))
        for i, number in enumerate(self._numbers):
            out[:, i] = self._frame_numbers(frame.iloc[:, number.column], number)
        for i, codes in enumerate(self._codes, len(self._numbers)):
            out[:, i] = self._frame_texts(frame.iloc[:, codes.column.column], codes)
        return out

    def _frame_numbers(self, series: pd.Series, number: NumberColumn) -> NDArray[np.float64]:
        kind = series.dtype
        if not isinstance(kind, np.dtype) or kind not in _FRAME_NUMBERS or (kind == np.bool_ and not number.bools):
            raise self._left(0, number.column, f"a column of type {kind} where numbers are read")
        if kind.kind in "iu" and len(series) and (series.max() > _EXACT or series.min() < -_EXACT):
            row = int(np.flatnonzero((series > _EXACT) | (series < -_EXACT))[0])
            raise self._left(row, number.column, "a whole number beyond 2^53")
        return series.to_numpy().astype(np.float64)

    def _frame_texts(self, series: pd.Series, codes: _Codes) -> Sequence[float] | NDArray[np.float64]:
        if isinstance(series.dtype, pd.CategoricalDtype):
            known = self._frame_texts(pd.Series(series.cat.categories), codes)
            return np.append(np.asarray(known, dtype=np.float64), codes.column.nan)[series.cat.codes]
        if isinstance(series.dtype, pd.StringDtype) and _is_nan(series.dtype.na_value):
            places, texts = pd.factorize(series)  # each text is looked up once, and not in each row
            return np.append(self._encode_each(codes, texts.tolist()), codes.column.nan)[places]
        if series.dtype != object and not isinstance(series.dtype, pd.StringDtype):
            raise self._left(0, codes.column.column, f"a column of type {series.dtype} where texts are read")
        return self._encode_each(codes, series.to_numpy(dtype=object).tolist())

    def _left(self, row: int, column: int, why: str) -> LeftToOriginal:
        return LeftToOriginal(row, f"column '{self._names[column]}' holds {why}")


_FLOATS = frozenset({float, type(None)})
_FRAME_NUMBERS = frozenset(np.dtype(kind) for kind in ("int8", "int16", "int32", "int64", "float64", "bool"))


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and value != value


def _picker(columns: Sequence[int]) -> Callable[[Sequence[object]], tuple[Any, ...]]:
    """Return what takes these columns out of a row; a tuple whatever their number."""
    if len(columns) > 1:
        return itemgetter(*columns)
    return lambda row: tuple(row[column] for column in columns)
