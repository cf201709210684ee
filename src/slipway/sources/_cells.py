"""The look of the cells of a text table: numbers in the forms of many countries, times, marks for a missing value."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

MARKS = (
    *("#N/A", "#NA", "N/A", "n/a", "n.a.", "na", "NULL", "None", "none", "<NA>", "(null)", r"\N", "missing"),
    *("-", "--", "?", ".", "..", "*"),
)
"""The texts that stand for a missing value in many files, beside those that always do."""

_TIME = re.compile(
    r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([ T,]+\d{1,2}[:.]\d{2}([:.]\d{2}([.,]\d+)?)?\s*([AaPp][Mm])?(Z|\s*[+-]\d{2}:?\d{2})?)?"
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?|(\d{1,2}[ -])?[A-Za-z]{3,9}[ -](\d{1,2},? )?\d{2,4}",
)
_TYPED = 0.9  # the share of a column's cells that have to be of a type


@dataclass(frozen=True)
class NumberForm:
    """The form of numbers: the decimal mark, and the mark between thousands ("" for none)."""

    decimal: str = "."
    thousands: str = ""

    @property
    def pattern(self) -> str:
        """The regular expression of a number of this form."""
        whole = r"\d+"
        if self.thousands:
            mark = re.escape(self.thousands)
            whole = rf"(\d+|[1-9]\d{{0,2}}({mark}\d{{3}})+)"
        point = re.escape(self.decimal)
        return rf"[+-]?({whole}({point}\d*)?|{point}\d+)([eE][+-]?\d+)?"

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def fits(self, cell: str) -> bool:
        """Return whether a cell is a number of this form.

        A mark between thousands has three digits behind it, and no number with such marks begins with a zero.
        """
        return self._compiled.fullmatch(cell.strip()) is not None


PLAIN = NumberForm()
# Where two forms fit as many columns, the first of them is taken.
_FORMS = (
    PLAIN,
    NumberForm(","),
    NumberForm(",", "."),
    NumberForm(".", ","),
    *(NumberForm(decimal, mark) for mark in (" ", "\u00a0", "\u202f", "'", "’") for decimal in ",."),
)
_BETWEEN_COMMAS = (PLAIN, NumberForm(".", ","), *_FORMS[1:3], *_FORMS[4:])


def is_time(cell: str) -> bool:
    """Return whether a cell looks like a date, a time, or both."""
    return _TIME.fullmatch(cell.strip()) is not None


def is_number(cell: str) -> bool:
    """Return whether a cell is a number of some form."""
    return any(form.fits(cell) for form in _FORMS)


def number_form(columns: Iterable[Sequence[str]], *, comma_separated: bool = False) -> NumberForm | None:
    """Return the form that makes numbers of the most columns; None where no column holds numbers.

    Args:
        columns: the cells of each column without those that are missing.
        comma_separated: whether a comma separates cells. Then 1,234 is a whole number, since a decimal comma is rarely
            found in such files; in others 1,234 has a decimal comma.
    """
    distinct = [tuple(dict.fromkeys(cells)) for cells in columns if cells]
    forms = _BETWEEN_COMMAS if comma_separated else _FORMS
    counts = [sum(_share(cells, form) >= _TYPED for cells in distinct) for form in forms]
    most = max(counts, default=0)
    return forms[counts.index(most)] if most else None


def kind_of_cells(cells: Sequence[str]) -> str:
    """Return "number" or "time" where nearly all cells are of that kind, else ""."""
    for kind, fits in (("number", is_number), ("time", is_time)):
        if cells and sum(map(fits, cells)) >= _TYPED * len(cells):
            return kind
    return ""


def _share(cells: Sequence[str], form: NumberForm) -> float:
    return sum(map(form.fits, cells)) / len(cells)
