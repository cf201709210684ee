"""Values as callers write them → values as a model was trained on them, with the values that its contract does not expect.

Both paths of the endpoint read values here: the fast path brings rows of JSON scalars, a back brings columns of JSON, CSV or
Parquet.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from operator import is_not, ne
from typing import Any

from slipway.core.expectations import Expectation, Find, Unexpected, breach, shown
from slipway.core.values import TIMES, Spellings, text_of, time_of
from slipway.serving.contract import InputColumn

Row = Sequence[object]
_NUMBERS = ("double", "float", "long", "integer", "boolean")
_NEVER_NULL = ("long", "integer", "boolean")
_WHOLE = ("long", "integer")
_TRUTHS = {"true": True, "false": False}
_NOTHING_EXPECTED = Expectation()


class Unreadable(ValueError):
    """A value of a request has a form in which its column cannot be read."""

    def __init__(self, row: int, column: str, why: str):
        super().__init__(f"row {row}, column '{column}': {why}")


class Values:
    """Reads the values of a signature's columns. Values holds no state that changes, so several threads may use one."""

    def __init__(self, columns: Sequence[InputColumn]):
        self.columns = tuple(columns)
        self._judges = [_judge(column) for column in columns]
        # Values that pass these tests are as the model was trained on them; most requests are looked at no further.
        self._tests = [_test(column) for column in columns]
        # Whole numbers and truth values that are null do not come in rows of JSON scalars.
        self._of_rows = [
            (at, test)
            for at, (column, test) in enumerate(zip(columns, map(_test_of_rows, columns), strict=True))
            if test
            and (column.type not in _NEVER_NULL or (column.expectation and column.expectation != _NOTHING_EXPECTED))
        ]

    def of_rows(self, rows: Sequence[Row]) -> tuple[Sequence[Row], tuple[Find, ...]]:
        """Return rows as the model was trained on them, and the values that the contract does not expect.

        The values of a row stand in the order of the columns. Rows without a change come back themselves. Raises Unreadable.
        """
        if len(rows) == 1:
            (row,) = rows
            odd = [at for at, test in self._of_rows if not test(row[at])]
        else:
            columns = list(zip(*rows, strict=True))
            odd = [at for at, test in self._of_rows if not all(map(test, columns[at]))]
        return self._mended(rows, odd) if odd else (rows, ())

    def _mended(self, rows: Sequence[Row], odd: Sequence[int]) -> tuple[Sequence[Row], tuple[Find, ...]]:
        columns: list[Sequence[object]] = list(zip(*rows, strict=True))
        all_finds: list[Find] = []
        for at in odd:
            columns[at], finds = self.of_column(at, columns[at])
            all_finds += finds
        return list(zip(*columns, strict=True)), tuple(all_finds)

    def of_column(self, at: int, values: Sequence[object]) -> tuple[Sequence[object], list[Find]]:
        """Return the values of column `at` as the model was trained on them, and those that the contract does not expect.

        A time is returned as text. Values without a change come back themselves. Raises Unreadable.
        """
        if self._are_plain(at, values):
            return values, []
        judge, read, unexpected = self._judges[at], [], dict[Unexpected, list[Any]]()
        for row, given in enumerate(values):
            try:
                value, kind = judge(given)
            except ValueError as error:
                raise Unreadable(row, self.columns[at].name, str(error)) from None
            read.append(value)
            if kind is not None:
                unexpected.setdefault(kind, [0, row, shown(given)])[0] += 1
        return read, [Find(at, kind, *rest) for kind, rest in unexpected.items()]

    def _are_plain(self, at: int, values: Sequence[object]) -> bool:
        column, test = self.columns[at], self._tests[at]
        if column.type in _WHOLE and any(map(_has_fraction, values)):
            return False
        if column.type == "boolean" and not all(type(value) is bool for value in values):
            return False
        if test is None:
            return column.type in _NUMBERS and not kinds_of(column)
        try:  # NaN is unlike itself
            return all(map(test, values)) and not (column.type in _NUMBERS and any(map(ne, values, values)))
        except TypeError:  # a text for a number, or a list
            return False

    def breach(self, finds: Sequence[Find]) -> str | None:
        """Say how the first find, by row, breaks the contract; None when no find does."""
        for find in sorted(finds, key=lambda find: (find.row, find.column)):
            column = self.columns[find.column]
            if why := breach(column.name, column.expectation or _NOTHING_EXPECTED, find):
                return why
        return None


def kinds_of(column: InputColumn) -> tuple[Unexpected, ...]:
    """Return the ways in which values of a column can be unexpected."""
    expectation = column.expectation or _NOTHING_EXPECTED
    can = {
        Unexpected.NULL: column.required,
        Unexpected.OUT_OF_BOUNDS: expectation.low is not None or expectation.high is not None,
        Unexpected.UNKNOWN: bool(expectation.values or expectation.known),
    }
    return tuple(kind for kind, possible in can.items() if possible)


Judge = Callable[[object], tuple[object, Unexpected | None]]


def _judge(column: InputColumn) -> Judge:
    """Return a function that gives a value as the model was trained on it, and the way in which the value is unexpected."""
    expectation = column.expectation or _NOTHING_EXPECTED
    is_expected = _unexpected(expectation)
    read = _reader(column, expectation)

    def judge(given: object) -> tuple[object, Unexpected | None]:
        if given is None or (isinstance(given, float) and given != given):
            return given, Unexpected.NULL if column.required else None
        value = read(given)
        return value, is_expected(value if column.type not in _NUMBERS else _number(value))

    return judge


def _reader(column: InputColumn, expectation: Expectation) -> Callable[[object], object]:
    if column.type == "string":
        return partial(_text, Spellings(_texts(expectation)))
    if column.type in _WHOLE:
        return _whole
    if column.type == "boolean":
        return _truth
    return _time if column.type == "datetime" else lambda value: value


def _texts(expectation: Expectation) -> frozenset[str]:
    return frozenset(map(str, expectation.values if expectation.values is not None else expectation.known or ()))


def _text(known: Spellings, value: object) -> object:
    if isinstance(value, bytes):
        raise ValueError("bytes where a text is needed")
    text = text_of(value)
    return known(text) if isinstance(text, str) else text


def _whole(value: object) -> object:
    # MLflow cuts the fraction off, and answers for another number than the one that was sent.
    if _has_fraction(value):
        raise ValueError("a fraction where a whole number is needed")
    return value


def _truth(value: object) -> object:
    # MLflow reads every text that is not empty as true, "false" too, and every number but 0.
    if isinstance(value, str):
        if (truth := _TRUTHS.get(value.lower())) is None:
            raise ValueError("a text where true or false is needed")
        return truth
    if isinstance(value, int | float) and value not in (0, 1):
        raise ValueError("a number where true or false is needed")
    return value


def _has_fraction(value: object) -> bool:
    return isinstance(value, float) and value == value and not value.is_integer()


def _time(value: object) -> object:
    try:
        return time_of(value)
    except ValueError as error:
        raise ValueError(f"{error} where a time is needed: {TIMES}") from None


def _number(value: object) -> object:
    """Return the number that MLflow reads in a value; None where a value is no number, which MLflow refuses."""
    try:
        return float(value) if isinstance(value, str | Decimal) else value if isinstance(value, int | float) else None
    except ValueError:
        return None


def _unexpected(expectation: Expectation) -> Callable[[Any], Unexpected | None]:
    low: Any = expectation.low
    high: Any = expectation.high
    values = expectation.values
    known = frozenset(values if values is not None else expectation.known or ())

    def expected(value: Any) -> Unexpected | None:
        if not isinstance(value, str | int | float):  # null, or a value that MLflow refuses
            return None
        if (low is not None and value < low) or (high is not None and value > high):
            return Unexpected.OUT_OF_BOUNDS
        return Unexpected.UNKNOWN if known and value not in known else None

    return expected


def _test_of_rows(column: InputColumn) -> Callable[[Any], bool] | None:
    # A time is always looked at: however it is written, it becomes a text in UTC.
    return (lambda _: False) if column.type == "datetime" else _test(column)


def _test(column: InputColumn) -> Callable[[Any], bool] | None:
    """Return a quick test of a JSON scalar: true where the value is expected, and as the model was trained on it."""
    expectation, nullable = column.expectation or _NOTHING_EXPECTED, not column.required
    low, high = expectation.low, expectation.high
    if column.type == "string":
        known = _texts(expectation)
        if known:
            return frozenset({*known, None} if nullable else known).__contains__
        return (lambda value: value is None or type(value) is str) if nullable else lambda value: type(value) is str
    if column.type not in _NUMBERS:
        return None
    if expectation.values is not None or low is not None or high is not None:
        expected = _unexpected(expectation)
        if expectation.values is None:
            least, most = -float("inf") if low is None else low, float("inf") if high is None else high
            return lambda value: nullable if value is None else least <= value <= most
        return lambda value: nullable if value is None else expected(value) is None
    return partial(is_not, None) if column.required else None
