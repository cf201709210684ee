"""The reader of numbers that are written with marks and units: `1.234,5 €` → `1234.5`."""

import re
from collections.abc import Callable

from slipway.core.forms._form import Form

_BLANKS, _APOSTROPHES, _MINUS = " \u00a0\u202f\u2009", "'’", "\u2212"


def number_reader(form: Form) -> Callable[[str], str | None]:
    """Return a function that gives a text in a Form as a number in plain digits; None for a text in another form.

    Thousands marks stand before groups of three digits, or not at all, and no such number begins with a zero: 0,126 is a
    fraction. The unit may be left out.
    """
    thousands, decimal = _any_of(form.thousands), re.escape(form.decimal)
    digits = rf"[1-9][0-9]{{0,2}}(?:{thousands}[0-9]{{3}})+|[0-9]+" if form.thousands else "[0-9]+"
    number = rf"(?:(?:{digits})(?:{decimal}[0-9]*)?|{decimal}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    before, behind = (rf"(?:{re.escape(form.unit)}\s*)?", rf"(?:\s*{re.escape(form.unit)})?") if form.unit else ("", "")
    whole = re.compile(rf"([+\-{_MINUS}]?)\s*{before}([+\-{_MINUS}]?)({number}){behind}")
    marks = re.compile(thousands) if form.thousands else None

    def read(text: str) -> str | None:
        found = whole.fullmatch(text.strip())
        if not found or (found[1] and found[2]):
            return None
        plain = marks.sub("", found[3]) if marks else found[3]
        sign = "-" if found[1] + found[2] in ("-", _MINUS) else ""
        return sign + plain.replace(form.decimal, ".")

    return read


def _any_of(mark: str) -> str:
    if mark and mark in _BLANKS:
        return f"[{_BLANKS}]"
    return f"[{_APOSTROPHES}]" if mark and mark in _APOSTROPHES else re.escape(mark)
