"""Encoding of raw rows: a float64 for each number or time, one for the code of each category, and counts of terms for texts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from operator import getitem, itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.core.values import moment_of
from slipway.plans.operations import NOT_A_TIME
from slipway.plans.program import LeftToOriginal
from slipway.plans.texts import Counted, Encoded, EncodedTexts, TermsColumn

UNKNOWN = -1.0

# Above 2^53 a float64 and the int64 that the original model reads are no longer the same number.
EXACT = 2**53

# Longer texts are for the process that holds the model: the one that evaluates plans has other callers to answer meanwhile.
_LONGEST = 1 << 16

Picker = Callable[[Sequence[object]], tuple[Any, ...]]
_NUMBERS = frozenset({int, float, bool, type(None)})


@dataclass(frozen=True)
class NumberColumn:
    """A column that is read as a number; a missing value is NaN.

    Attributes:
        column: its place in a raw row.
        bools: whether true and false may be read as 1 and 0.
        time: whether the column holds times, each of which becomes its whole seconds since 1970.
    """

    column: int
    bools: bool = True
    time: bool = False


@dataclass(frozen=True)
class TextColumn:
    """A column of texts that is read as codes.

    `none` and `nan` differ for a model that has learned one of the two. pandas reads a column of JSON nulls alone as None, and
    a column of nulls and texts with NaN.

    Attributes:
        column: its place in a raw row.
        codes: each text that the model knows, with its code.
        none: the code of None.
        nan: the code of a missing value among texts.
        other: the code of a text that the model does not know.
    """

    column: int
    codes: tuple[tuple[str, float], ...]
    none: float = UNKNOWN
    nan: float = UNKNOWN
    other: float = UNKNOWN


class Codes(dict[Any, float]):
    """A dictionary from text to code.

    A known text costs one look-up. Any other key is examined in `__missing__`, which raises TypeError for a key that is neither
    a text nor a missing value.
    """

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
        raise TypeError  # as a dictionary does for a list, which cannot be a key


@dataclass(frozen=True)
class RowEncoder:
    """Encodes rows of the columns that a plan reads: numbers, then the codes of texts, and beside them counts of terms.

    Attributes:
        names: the names of all columns of a raw row.
        numbers: the columns that are read as numbers.
        text_columns: the columns that are read as codes.
        terms: the columns that are read as counts of terms.
    """

    names: tuple[str, ...]
    numbers: tuple[NumberColumn, ...]
    text_columns: tuple[TextColumn, ...]
    terms: tuple[TermsColumn, ...] = ()

    @property
    def width(self) -> int:
        """The number of values in an encoded row, without counts of terms."""
        return len(self.numbers) + len(self.text_columns)

    @cached_property
    def codes(self) -> list[Codes]:
        """The codes of each column of texts."""
        return [Codes(text) for text in self.text_columns]

    @cached_property
    def _pick(self) -> tuple[Picker, Picker]:
        return _picker([each.column for each in self.numbers]), _picker([each.column for each in self.text_columns])

    @cached_property
    def _no_bools(self) -> bool:
        return any(not number.bools for number in self.numbers)

    @cached_property
    def _times(self) -> tuple[int, ...]:
        return tuple(at for at, number in enumerate(self.numbers) if number.time)

    @property
    def texts(self) -> dict[str, tuple[str, ...]]:
        """The texts that have a code, by column."""
        return {self.names[text.column]: tuple(known for known, _ in text.codes) for text in self.text_columns}

    def encode(self, rows: Sequence[Sequence[object]]) -> Encoded:
        """Return the encoded rows, (rows, width). Raises LeftToOriginal for a value that does not fit its column's type."""
        if not self.terms:
            return self._encode_values(rows)
        counted = [self.count(terms, _as_read([row[terms.column] for row in rows])) for terms in self.terms]
        return EncodedTexts(self._encode_values(rows), tuple(counted))

    def count(self, terms: TermsColumn, values: Sequence[Any]) -> Counted:
        """Return the counts of terms of one column. Raises LeftToOriginal for a value that is no text, and read as none."""
        texts: list[str] = []
        for row, value in enumerate(values):
            text = terms.none if value is None else terms.nan if _is_nan(value) else value
            if not isinstance(text, str):
                kind = "missing value" if text is None else type(value).__name__
                raise self.left(row, terms.column, f"a {kind} where a text is read")
            if len(text) > _LONGEST:
                raise self.left(row, terms.column, f"a text of more than {_LONGEST} characters")
            texts.append(text)
        try:
            return terms.count(texts)
        except UnicodeEncodeError:
            row = next(row for row, text in enumerate(texts) if not _is_whole(text))
            raise self.left(row, terms.column, "half of a character") from None

    def _encode_values(self, rows: Sequence[Sequence[object]]) -> NDArray[np.float64]:
        if len(rows) == 1:
            return self._encode_one(rows[0])
        out = np.empty((len(rows), self.width))
        columns = list(zip(*rows, strict=True)) or [()] * len(self.names)
        for i, number in enumerate(self.numbers):
            values: Sequence[Any] = columns[number.column]
            if number.time:
                values = [self._seconds(value, number, row) for row, value in enumerate(values)]
            self._check_numbers(values, (number,) * len(values), range(len(values)))
            out[:, i] = np.array(values, dtype=np.float64)
        for i, codes in enumerate(self.codes, len(self.numbers)):
            out[:, i] = self._encode_texts(codes, columns[codes.column.column])
        return out

    def _encode_one(self, row: Sequence[object]) -> NDArray[np.float64]:
        pick_numbers, pick_texts = self._pick
        numbers = pick_numbers(row)
        if self._times:
            numbers = self._with_seconds(numbers)
        if not frozenset(map(type, numbers)) <= _FLOATS or self._no_bools:
            self._check_numbers(numbers, self.numbers, (0,) * len(numbers))
        try:
            return np.array([(*numbers, *map(getitem, self.codes, pick_texts(row)))], dtype=np.float64)
        except TypeError:
            for codes in self.codes:
                self._check_texts(codes, [row[codes.column.column]])
            raise

    def _with_seconds(self, numbers: tuple[Any, ...]) -> tuple[Any, ...]:
        read = list(numbers)
        for at in self._times:
            read[at] = self._seconds(read[at], self.numbers[at], 0)
        return tuple(read)

    def _seconds(self, value: object, column: NumberColumn, row: int) -> float:
        try:
            moment = moment_of(value)
        except ValueError as error:
            raise self.left(row, column.column, str(error)) from None
        return NOT_A_TIME if moment is None else float((moment - _EPOCH) // _SECOND)

    def _check_numbers(self, values: Sequence[Any], columns: Sequence[NumberColumn], rows: Sequence[int]) -> None:
        types = frozenset(map(type, values))
        if types <= _FLOATS:
            return
        for value, column, row in zip(values, columns, rows, strict=True):
            if type(value) not in _NUMBERS:
                raise self.left(row, column.column, f"a {type(value).__name__} where a number is read")
            if type(value) is int and not -EXACT <= value <= EXACT:
                raise self.left(row, column.column, "a whole number beyond 2^53")
            if type(value) is bool and not column.bools:
                raise self.left(row, column.column, "a truth value where a function of numbers is applied")

    def _encode_texts(self, codes: Codes, values: Sequence[Any]) -> list[float]:
        return self.encode_each(codes, values if codes.column.none == codes.column.nan else _as_read(values))

    def encode_each(self, codes: Codes, values: Sequence[Any]) -> list[float]:
        """Return the code of each value of one column. Raises LeftToOriginal for a value that is neither text nor missing."""
        try:
            return [codes[value] for value in values]
        except TypeError:
            self._check_texts(codes, values)
            raise

    def _check_texts(self, codes: Codes, values: Sequence[Any]) -> None:
        for row, value in enumerate(values):
            if not isinstance(value, str | None) and not _is_nan(value):
                raise self.left(row, codes.column.column, f"a {type(value).__name__} in a column of texts")

    def left(self, row: int, column: int, why: str) -> LeftToOriginal:
        """Return the error that leaves a row to the original model, with the name of the column."""
        return LeftToOriginal(row, f"column '{self.names[column]}' holds {why}")


_FLOATS = frozenset({float, type(None)})
_EPOCH, _SECOND = datetime(1970, 1, 1), timedelta(seconds=1)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and value != value


def _as_read(values: Sequence[Any]) -> Sequence[Any]:
    """Return the values of a column as pandas reads them: nulls alone as None, nulls among texts as NaN."""
    if None in values and any(value is not None for value in values):
        return [np.nan if value is None else value for value in values]
    return values


def _is_whole(text: str) -> bool:
    return text.encode("utf-8", "ignore").decode() == text


def _picker(columns: Sequence[int]) -> Picker:
    """Return a function that takes these columns out of a row, always as a tuple."""
    if len(columns) > 1:  # of a single column, itemgetter would return the bare value
        return itemgetter(*columns)
    return lambda row: tuple(row[column] for column in columns)
