"""The check that a table has a declared column exactly once."""

import unicodedata
from collections.abc import Sequence

from slipway.errors import did_you_mean


def why_not_one(name: str, names: Sequence[object]) -> str:
    """Say why a table does not have a declared column exactly once; "" where it does. `names` are the names of the table."""
    if (count := names.count(name)) == 1:
        return ""
    if count:
        return f"{count} columns have this name; rename all but one of them in the table"
    there = [str(each) or "(a header cell that is empty)" for each in names]
    alike = next((each for each in names if _as_seen(each) == _as_seen(name)), None)
    spelled = f"; the one that looks like it is spelled {alike!a}, not {name!a}" if alike is not None else ""
    return f"the column is missing{did_you_mean(name, there)}{spelled}"


def _as_seen(name: object) -> str:
    """Return a name as a reader sees it, regardless of blanks, capitals and the encoding of accents."""
    return " ".join(unicodedata.normalize("NFKC", str(name)).casefold().split())
