"""The forms that some texts look like, for messages and for who proposes a declaration; nothing is read by a guess."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import product

from slipway.core.forms._form import Form
from slipway.core.forms._numbers import number_reader

_MARKS = ((".", ""), (",", ""), (",", "."), (".", ","), (".", " "), (",", " "), (".", "'"), (",", "'"))
_UNIT = re.compile(r"[+\-\u2212\s]*([^\d\s+\-.,'’]{0,5})\s*[+\-\u2212]?[\d.,'’ \u00a0\u202f\u2009]*\d[.,]?\s*(\D{0,5})")
_DAYS = (
    *("%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d"),
    *("%Y.%m.%d", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%m.%Y", "%m/%Y"),
)
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_EPOCHS = {"epoch_s": re.compile(r"-?[0-9]{9,10}(\.[0-9]*)?"), "epoch_ms": re.compile(r"-?[0-9]{12,13}(\.[0-9]*)?")}
_MOST = 200


def likely_forms(texts: Iterable[str], type_: str) -> tuple[Form, ...]:
    """Return the forms of a type in which every one of some texts can be read, the simplest first.

    More than one Form says that the texts do not tell: 1,234 may be a thousand or little more than one.
    """
    some = list(dict.fromkeys(text.strip() for text in texts))[:_MOST]
    if not some:
        return ()
    if type_ == "datetime":
        return tuple(_times(some))
    if type_ == "bool":
        return _truths(some)
    return tuple(_numbers(some, type_))


def _numbers(texts: Sequence[str], type_: str) -> Iterator[Form]:
    found = _UNIT.fullmatch(texts[0])
    units = dict.fromkeys(["", *(unit.strip() for unit in (found.groups() if found else ()))])
    known = set[tuple[str, ...]]()
    for unit, (decimal, thousands) in product(units, _MARKS):
        read = number_reader(form := Form(type_, decimal, thousands, unit))
        numbers = tuple(number for number in map(read, texts) if number is not None)
        if type_ == "int" and any("." in number for number in numbers):
            continue
        if len(numbers) == len(texts) and numbers not in known:  # another mark that reads the same says nothing more
            known.add(numbers)
            yield form


def _times(texts: Sequence[str]) -> Iterator[Form]:
    for name, pattern in _EPOCHS.items():
        if all(map(pattern.fullmatch, texts)):
            yield Form("datetime", format=name)
    for clock, day in product(_CLOCKS, _DAYS):
        if all(_is_time(text, day + clock) for text in texts):
            yield Form("datetime", format=day + clock)


def _is_time(text: str, format_: str) -> bool:
    with suppress(ValueError):
        datetime.strptime(text, format_)
        return True
    return False


def _truths(texts: Sequence[str]) -> tuple[Form, ...]:
    if len(texts) != 2:
        return ()
    one, other = texts
    return tuple(Form("bool", words=((one, truth), (other, not truth))) for truth in (True, False))
