"""The values of a request as `json.loads` reads it, each where it stands, so that they can be written anew there."""

from collections.abc import Mapping
from typing import Any

Place = tuple[Any, Any]
"""A list or a dictionary, and a value's index or key in it."""


def cells(content: Any) -> dict[str, list[Place]]:
    """Return by column where the values of a request stand, row after row; nothing for forms that have no names of columns."""
    if not isinstance(content, dict):
        return {}
    split = content.get("dataframe_split")
    if isinstance(split, dict):
        return _of_split(split)
    for key in ("dataframe_records", "instances", "inputs"):
        part = content.get(key)
        if isinstance(part, list):
            return _of_records(part)
        if isinstance(part, dict):
            return _of_columns(part)
    return {}


def _of_records(rows: list[Any]) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for row in rows:
        for name in row if isinstance(row, dict) else ():
            found.setdefault(name, []).append((row, name))
    return found


def _of_split(split: Mapping[str, Any]) -> dict[str, list[Place]]:
    names, rows = split.get("columns"), split.get("data")
    if not isinstance(names, list) or not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return {}
    return {str(name): [(row, at) for row in rows if at < len(row)] for at, name in enumerate(names)}


def _of_columns(columns: dict[str, Any]) -> dict[str, list[Place]]:
    return {
        name: [(values, at) for at in range(len(values))] if isinstance(values, list) else [(columns, name)]
        for name, values in columns.items()
    }
