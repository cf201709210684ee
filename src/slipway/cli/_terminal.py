"""Text as a terminal may show it: what other people wrote cannot move its cursor, clear it, or turn the direction of a line."""

import unicodedata

_INSTEAD = "?"
_KEPT = "\n\t"
# Marks of direction that change how the text after them is shown, and the ends of lines and paragraphs of Unicode.
_TURNING = frozenset(map(chr, (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))))


def for_terminal(text: str) -> str:
    """Return a text with a question mark in place of each character that steers a terminal, or that no terminal can show."""
    return "".join(_INSTEAD if _steers(character) else character for character in text)


def _steers(character: str) -> bool:
    return character not in _KEPT and (character in _TURNING or unicodedata.category(character) in ("Cc", "Cs"))
