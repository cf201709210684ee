"""The values of a JSON request by column, to be read and to be replaced where they stand."""

from collections.abc import Sequence
from typing import Any

from slipway.types import JSON_BY_COLUMN


class Cells:
    """The columns of a request that `json.loads` has read, in any of MLflow's forms that name them; other forms have none."""

    def __init__(self, content: Any):
        parts = content if isinstance(content, dict) else {}
        split = parts.get("dataframe_split")
        # MLflow reads columns under `instances` too, although its documents name rows alone.
        self._columns: dict[str, Any] = next(
            (part for key in JSON_BY_COLUMN if isinstance(part := parts.get(key), dict)), {}
        )
        self._rows: list[Any] = []
        self._places: dict[str, int] | None = None
        if isinstance(split, dict):
            names, self._rows = split.get("columns"), _list(split.get("data"))
            self._places = {str(name): at for at, name in enumerate(_list(names))}
        else:
            for key in ("dataframe_records", "instances", "inputs"):
                self._rows = self._rows or _list(parts.get(key))

    def read(self, name: str) -> Sequence[Any]:
        """Return the values of a column, row after row; an empty list where no row has the column."""
        if name in self._columns:
            column = self._columns[name]
            return column if isinstance(column, list) else [column]
        key = self._key(name)
        return [row[key] for row in self._rows if _has(row, key)]

    def write(self, name: str, values: Sequence[Any]) -> None:
        """Put values in the place of those that `read` returned, as many and in the same order."""
        if name in self._columns:
            self._columns[name] = list(values) if isinstance(self._columns[name], list) else values[0]
            return
        key = self._key(name)
        for row, value in zip((row for row in self._rows if _has(row, key)), values, strict=True):
            row[key] = value

    def _key(self, name: str) -> Any:
        return name if self._places is None else self._places.get(name, -1)


def _list(part: Any) -> list[Any]:
    return part if isinstance(part, list) else []


def _has(row: Any, key: Any) -> bool:
    if isinstance(row, dict):
        return key in row
    return isinstance(row, list) and isinstance(key, int) and 0 <= key < len(row)
