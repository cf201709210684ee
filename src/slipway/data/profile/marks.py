"""The texts that stand for a missing value, beside those that every CSV file may have."""

from collections.abc import Iterable

ANYWHERE = frozenset(
    {"?", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "<NA>", "NULL", "Null", "NaT", "-NaN", "-nan", "NAN", "#VALUE!", "#REF!",
     "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "1.#IND", "1.#QNAN", "-1.#IND", "-1.#QNAN"}
)  # fmt: skip
"""Marks that no table means as a value."""

AMONG_NUMBERS = frozenset({"-", "--", "---", ".", "..", "...", "None", "none", "NONE", "missing", "Missing", "unknown",
                           "Unknown", "*", "x", "X", "n.a.", "N.A.", "k.A.", "nil", "–", "—"})  # fmt: skip
"""Marks among numbers and times; in a column of words they may be values as good as any, such as the material None."""

PLACEHOLDERS = (-99.0, -999.0, -9999.0, -99999.0, 999.0, 9999.0, 99999.0, 999999.0)
"""Numbers that some tables write where a value is missing. Nobody but a person can tell, so they are named only."""


def marks_in(texts: Iterable[str], *, among_numbers: bool) -> tuple[str, ...]:
    """Return the texts that are marks, sorted; `among_numbers` says whether the column holds numbers or times otherwise."""
    known = ANYWHERE | AMONG_NUMBERS if among_numbers else ANYWHERE
    return tuple(sorted({text for text in texts if text.strip() in known}))
