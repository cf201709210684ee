"""Parsing of requests and answers, in any of MLflow's formats, into values by column and row.

Nothing is judged here: the request was answered. A request that cannot be read as rows is None, and is kept as it came.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from slipway.types import JSON_FORMATS

_MOST_VALUES = 1_000_000
"""Values of a table at most: a small Parquet file may expand to more than a writer has memory for."""

Values = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Rows:
    """The rows of a request, by column. Each column has `count` values, at least one."""

    columns: Values
    count: int


def rows_of(body: bytes, content_type: str, inputs: Sequence[tuple[str, str]]) -> Rows | None:
    """Read the rows of a request; None where there are none that can be read.

    inputs: names and MLflow types of the signature.
    """
    try:
        rows = _read(body, content_type.partition(";")[0].strip().lower(), inputs)
    except Exception:  # a request that is odd in any way is kept as it came  # noqa: BLE001
        return None
    return rows if rows and rows.count else None


def predictions_of(answer: bytes) -> Sequence[Any] | None:
    """Read the predictions of an answer; None where there are none that can be read."""
    try:
        content = loaded(answer)
    except (ValueError, RecursionError):
        return None
    predictions = content.get("predictions") if isinstance(content, dict) else None
    return predictions if isinstance(predictions, list) else None


def loaded(content: bytes) -> Any:
    """Read JSON, also with NaN as Python writes it. Raises ValueError or RecursionError where it cannot be read."""
    try:
        return msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return json.loads(content)


def _read(body: bytes, kind: str, inputs: Sequence[tuple[str, str]]) -> Rows | None:
    if kind == "application/json":
        return _of_json(loaded(body), [name for name, _ in inputs])
    if kind == "text/csv":
        return _of_table(_csv(body, inputs))
    if kind == "application/vnd.apache.parquet":
        import pandas as pd

        return _of_table(pd.read_parquet(io.BytesIO(body)))
    return None


def _of_json(content: Any, names: Sequence[str]) -> Rows | None:
    if not isinstance(content, dict):
        return None
    given = [key for key in JSON_FORMATS if key in content]
    if len(given) != 1:
        return None
    part = content[given[0]]
    if given[0] == "dataframe_split":
        return _of_split(part, names)
    if isinstance(part, dict):
        return _of_columns(part)
    if not part or not isinstance(part, list):
        return None
    if all(isinstance(row, dict) for row in part):
        columns = dict.fromkeys(name for row in part for name in row)
        return Rows({name: [row.get(name) for row in part] for name in columns}, len(part))
    if all(isinstance(row, list) for row in part):
        return _of_lists(names, part)
    return _of_lists(names, [[value] for value in part])


def _of_split(part: Mapping[str, Any], names: Sequence[str]) -> Rows | None:
    return _of_lists([str(name) for name in part.get("columns", names)], part["data"])


def _of_lists(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Rows | None:
    if len(set(names)) < len(names) or any(len(row) != len(names) for row in rows):
        return None
    return Rows(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)), len(rows))


def _of_columns(part: Mapping[str, Any]) -> Rows | None:
    columns = {name: values if isinstance(values, list) else [values] for name, values in part.items()}
    counts = {len(values) for values in columns.values()}
    return Rows(columns, counts.pop()) if len(counts) == 1 else None


def _csv(body: bytes, inputs: Sequence[tuple[str, str]]) -> Any:
    import pandas as pd

    texts = {name: str for name, kind in inputs if kind in ("string", "datetime")}
    return pd.read_csv(io.BytesIO(body), dtype=texts)  # as MLflow reads it, "NA" for a missing text included


def _of_table(table: Any) -> Rows | None:
    names = [str(name) for name in table.columns]
    if len(set(names)) < len(names) or table.size > _MOST_VALUES:
        return None
    values = [table.iloc[:, at] for at in range(len(names))]
    plain = [each.astype(object).where(each.notna(), None).tolist() for each in values]
    return Rows(dict(zip(names, plain, strict=True)), len(table))
