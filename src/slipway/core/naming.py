"""Names of columns: the rules for a name, and the short form of a name for tools that allow fewer characters than a table."""

import hashlib
import re
import unicodedata

MOST_CHARACTERS = 250
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
# Control characters, formatting marks, lone surrogates and line ends cannot be seen. Persian words need the two joiners.
_UNSEEN, _JOINERS = ("Cc", "Cf", "Cs", "Zl", "Zp"), "\u200c\u200d"
_SLUG_CHARACTERS = 60


def is_plain(name: str) -> bool:
    """Return whether a name is a letter followed by letters, digits, _ or -, with 64 characters at most."""
    return _PLAIN.fullmatch(name) is not None


def unusable(name: str) -> str:
    """Say why a name cannot name a column; "" where it can.

    A caller of the endpoint would mistake two columns for each other if their names differ in characters that nobody sees.
    """
    if not name:
        return "it is empty"
    if len(name) > MOST_CHARACTERS:
        return f"it has {len(name)} characters; {MOST_CHARACTERS} are allowed"
    unseen = next((c for c in name if unicodedata.category(c) in _UNSEEN and c not in _JOINERS), None)
    if unseen is not None:
        return f"it holds U+{ord(unseen):04X}, which cannot be seen"
    return "it begins or ends with a blank, which cannot be seen" if name != name.strip() else ""


def key_part(name: str) -> str:
    """Return the form of a column's name for the key of a metric, param or tag, and for the name of a file.

    A plain name is returned as it is. Another name keeps its letters and digits, and gets a dot and a digest of the whole name,
    so that names with the same letters and digits stay apart. A plain name has no dot, so the two forms never meet.
    """
    if is_plain(name):
        return name
    slug = re.sub(r"\W+", "_", name).strip("_")[:_SLUG_CHARACTERS]
    return f"{slug}.{hashlib.sha256(name.encode()).hexdigest()[:10]}"
