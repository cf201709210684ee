"""Values as YAML on one line, quoted wherever YAML would read something else."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.@-]*")
# What YAML 1.2 reads as no text, and what a reader of YAML 1.1 would.
_READ_OTHERWISE = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"})
_MOST_COMMENT = 110


def scalar(value: Any) -> str:
    """Return a text, number, truth value or nothing as YAML."""
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _READ_OTHERWISE
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def flow(value: Any) -> str:
    """Return a value as YAML on one line: {a: 1, b: [x, y]}."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def comment(text: str, most: int = _MOST_COMMENT) -> str:
    """Return a text as a comment on one line; a longer one is cut."""
    line = " ".join(text.split())
    return "# " + (line if len(line) <= most else f"{line[: most - 1]}…")


def line(indent: int, key: str, value: Any, why: str = "") -> str:
    """Return one line of a declaration with its reason."""
    written = f"{' ' * indent}{scalar(key)}: {flow(value)}"
    return f"{written}  {comment(why)}" if why else written
