"""Names that look alike: the skeleton of a name by Unicode TR39, and the characters of a name that nobody sees.

Two names with one skeleton look the same in many a typeface: `flight_delays`, `flight_deIays`, and either with a Cyrillic `а`.
See https://www.unicode.org/reports/tr39/#Confusable_Detection.
"""

import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

_REMEMBERED = 20_000
# Categories of what leaves no mark, or of which this Python's Unicode does not know whether it does.
_UNSEEN = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")
# Default ignorable code points of other categories, and the empty pattern of Braille: they look like nothing, too.
_BLANK = frozenset(map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0))) | frozenset(
    chr(code)
    for first, last in ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
    for code in range(first, last + 1)
)
_NON_JOINER, _JOINER, _AS_EMOJI, _VIRAMA = "\u200c", "\u200d", "\ufe0f", 9


def spellings(name: str) -> frozenset[str]:
    """Return the keys of a name; two names look alike, whatever the case of their letters, when they share one.

    One key is the skeleton in small letters, so that `deIays` and `delays` meet; the other is the skeleton of the small
    letters, so that `FLIGHT` and `flight` do.
    """
    return frozenset((skeleton(name).casefold(), skeleton(name.casefold())))


def same_spelling(name: str, names: Iterable[str], *, case: bool = False) -> str | None:
    """Return the first of the names that looks like a name and is another; None where none does.

    case: whether names that differ in case look different.
    """
    keys = _cased(name) if case else spellings(name)
    read = _cased if case else spellings
    return next((other for other in names if other != name and not keys.isdisjoint(read(other))), None)


def _cased(name: str) -> frozenset[str]:
    return frozenset((skeleton(name),))


def begins_like(name: str, prefix: str) -> bool:
    """Say whether the beginning of a name looks like a prefix."""
    return any(key.startswith(skeleton(prefix)) for key in spellings(name))


def ends_like(name: str, suffix: str) -> bool:
    """Say whether the end of a name looks like a suffix."""
    return any(key.endswith(skeleton(suffix)) for key in spellings(name))


@lru_cache(_REMEMBERED)
def skeleton(name: str) -> str:
    """Return the skeleton of a name: its characters as their prototypes, without what nobody sees, in canonical order."""
    seen = "".join(c for c in unicodedata.normalize("NFD", name) if not _is_unseen(c))
    compatible = unicodedata.normalize("NFKD", seen.translate(_prototypes()))
    return unicodedata.normalize("NFD", compatible.translate(_prototypes())).strip()


def unseen(name: str) -> str:
    """Return the first character of a name that nobody sees, as `U+200B`; "" where there is none.

    A joiner between letters that are written joined, and the mark that makes a sign an emoji, are seen by what they do.
    """
    found = (f"U+{ord(c):04X}" for i, c in enumerate(name) if _is_unseen(c) and not _does_something(name, i))
    return next(found, "")


def is_blank(text: str) -> bool:
    """Say whether nobody sees anything of a text."""
    return all(character.isspace() or _is_unseen(character) for character in text)


def _is_unseen(character: str) -> bool:
    category = unicodedata.category(character)
    return category in _UNSEEN or character in _BLANK or (category == "Zs" and character != " ")


def _does_something(name: str, at: int) -> bool:
    before, character, after = name[at - 1 : at], name[at], name[at + 1 : at + 2]
    if not before:
        return False
    if character == _AS_EMOJI:
        return unicodedata.category(before) == "So"
    if character == _JOINER and (before == _AS_EMOJI or unicodedata.category(before) in ("So", "Sk")):
        return bool(after) and unicodedata.category(after) == "So"
    if character not in (_JOINER, _NON_JOINER):
        return False
    arabic = bool(after) and {unicodedata.bidirectional(before), unicodedata.bidirectional(after)} == {"AL"}
    return arabic or unicodedata.combining(before) == _VIRAMA


@cache
def _prototypes() -> dict[int, str]:
    """Return the prototype of each confusable character, read from the package's table, which has each pair both ways."""
    from confusable_homoglyphs.confusables import confusables_data

    pairs = {
        (_without_marks(one), _without_marks(pair["c"])) for one, others in confusables_data.items() for pair in others
    }
    group: dict[str, set[str]] = {}
    for one, other in pairs:
        joined = group.setdefault(one, {one}) | group.setdefault(other, {other})
        group.update(dict.fromkeys(joined, joined))
    prototypes = {name: _prototype(same) for name, same in group.items()}
    return {
        ord(name): "".join(prototypes.get(c, c) for c in of) if len(of) > 1 else of
        for name, of in prototypes.items()
        if len(name) == 1 and name != of
    }


def _prototype(same: set[str]) -> str:
    """Return what stands for a group: its sequence of characters, if it has one, or else a plain letter before any other."""
    return min(same, key=lambda each: (len(each) == 1, not each.isascii(), not each.islower(), each))


def _without_marks(text: str) -> str:
    """Take off the marks of direction that the table sets around letters of scripts that run from right to left."""
    return text.strip("\u200e\u200f")
