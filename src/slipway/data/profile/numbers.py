"""The forms of numbers in texts: plain, with a decimal comma, with thousands marks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

PLAIN = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
WHOLE = r"^\s*[+-]?\d+(\.0*)?\s*$"
_LEADING_ZERO = r"^\s*0\d+\s*$"
_WITH_UNIT = r"^\s*([$€£¥%]\s*)?[+-]?[\d.,]*\d(\s*([$€£¥%°]|[A-Za-z]{1,4}))?\s*$"


@dataclass(frozen=True)
class NumberStyle:
    """A form in which numbers are written.

    Attributes:
        pattern: matches each number of the form; the syntax is RE2's.
        proof: matches a number that the form alone explains; at least one value has to match.
        keys: the keys of a column that declare the form.
        doubtful: matches a number that another form reads as another number.
    """

    pattern: str
    proof: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    doubtful: str = ""


def _grouped(mark: str, point: str) -> str:
    # No thousands begin with a zero: 0,126 is a fraction, and was once taken for 126.
    return rf"^\s*[+-]?([1-9]\d{{0,2}}({mark}\d{{3}})+|\d+)({point}\d+)?\s*$"


_BLANK = "[ \u00a0\u202f]"
STYLES = (
    NumberStyle(PLAIN),
    NumberStyle(_grouped(",", r"\."), r"\d,\d{3}", {"thousands": ","}, doubtful=r"^\s*[+-]?[1-9]\d{0,2},\d{3}\s*$"),
    NumberStyle(_grouped(r"\.", ","), r",\d+\s*$", {"decimal": ",", "thousands": "."}),
    NumberStyle(_grouped(r"\.", ","), r"\.\d{3}\.\d{3}", {"decimal": ",", "thousands": "."}),
    NumberStyle(_grouped("['’]", r"\."), r"['’]\d{3}", {"thousands": "'"}),
    NumberStyle(_grouped(_BLANK, ","), rf"\d{_BLANK}\d{{3}}", {"decimal": ",", "thousands": " "}),
)
"""The forms in the order in which they are tried: 1,234 is taken for a thousand and more before it is taken for a fraction."""


def matches(texts: pa.Array, pattern: str) -> pa.Array:
    """Return which texts match an RE2 pattern."""
    return pc.match_substring_regex(texts, pattern)


def style_of(texts: pa.Array) -> tuple[NumberStyle | None, str]:
    """Return the form that every text has, and a doubt of it; None where no form fits. `texts` are distinct and not missing."""
    for form in STYLES:
        if pc.all(matches(texts, form.pattern)).as_py() and (not form.proof or _any(texts, form.proof)):
            return _narrowed(form, texts), _doubt_of(form, texts)
    return None, ""


def values(texts: pa.Array, keys: Mapping[str, str]) -> pa.Array:
    """Return texts in a declared form as doubles. Raises ArrowInvalid for a text that is not of the form."""
    if unit := keys.get("unit"):
        texts = pc.replace_substring(texts, unit, "")
    if thousands := keys.get("thousands"):
        pattern = _BLANK if thousands == " " else "['’]" if thousands == "'" else f"[{thousands}]"
        texts = pc.replace_substring_regex(texts, pattern, "")
    if keys.get("decimal") == ",":
        texts = pc.replace_substring(texts, ",", ".")
    return pc.cast(pc.utf8_trim_whitespace(texts), pa.float64())


def is_whole(texts: pa.Array, form: NumberStyle) -> bool:
    """Return whether all numbers are whole."""
    if not form.keys:
        return bool(pc.all(matches(texts, WHOLE)).as_py())
    point = r"\." if form.keys.get("decimal", ".") == "." else ","
    return not _any(texts, rf"{point}\d*[1-9]\d*\s*$")


def is_code(texts: pa.Array) -> bool:
    """Return whether the texts are codes and no amounts: whole numbers, one of them with a leading zero."""
    return _any(texts, _LEADING_ZERO)


def unit_of(texts: pa.Array) -> str:
    """Return the unit or currency that all texts share beside their numbers; "" where they share none."""
    if not pc.all(matches(texts, _WITH_UNIT)).as_py():
        return ""
    units = pc.unique(pc.replace_substring_regex(texts, r"[\d.,+\-\s]", "")).to_pylist()
    return str(units[0]) if len(units) == 1 else ""


def _narrowed(form: NumberStyle, texts: pa.Array) -> NumberStyle:
    """Leave out the thousands marks of a form with a decimal comma where no text has any."""
    if len(form.keys) == 2 and form.keys["thousands"] == "." and not _any(texts, r"\.\d{3}"):
        return NumberStyle(form.pattern, form.proof, {"decimal": ","})
    return form


def _doubt_of(form: NumberStyle, texts: pa.Array) -> str:
    if not form.doubtful:
        return ""
    marked = texts.filter(matches(texts, ","))
    if not pc.all(matches(marked, form.doubtful)).as_py():
        return ""
    first = marked[0].as_py().strip()
    return f'{first} is taken for {first.replace(",", "")}; if it is a decimal comma, say `decimal: ","` in place of thousands'


def _any(texts: pa.Array, pattern: str) -> bool:
    return bool(pc.any(matches(texts, pattern)).as_py())
