"""The names of columns: which are taken, and what stands for one where a tool takes fewer characters than a table does."""

import hashlib
import re
import unicodedata

MOST_CHARACTERS = 250
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
# Control characters, other marks that steer a text, halves of a pair, line ends. Persian words need the two joiners.
_UNSEEN, _JOINERS = ("Cc", "Cf", "Cs", "Zl", "Zp"), "\u200c\u200d"
_SLUG_CHARACTERS = 60


def is_plain(name: str) -> bool:
    """Whether a name is a letter, then letters, digits, _ or -, 64 at most."""
    return _PLAIN.fullmatch(name) is not None


def unusable(name: str) -> str:
    """Say why a name cannot be a column's; "" where it can.

    Two columns that nobody can tell apart would be mistaken for each other by whoever calls the endpoint.
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
    """Return what stands for a column in the key of a metric, param or tag, and in the name of a file.

    A plain name stands as it is. Of another name the letters and digits are kept, and a digest tells apart what looks alike
    then; no plain name has the dot before the digest.
    """
    if is_plain(name):
        return name
    slug = re.sub(r"\W+", "_", name).strip("_")[:_SLUG_CHARACTERS]
    return f"{slug}.{hashlib.sha256(name.encode()).hexdigest()[:10]}"
