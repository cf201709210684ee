"""Reasons for the refusal of a request, by column and row, in words that hold nothing of its values.

MLflow's own messages repeat the input, so a reason is looked for here when MLflow has refused a request. `ragged` is asked
before MLflow is, since MLflow mends silently rows that lack a column which other rows have.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from slipway.serving.contract import InputColumn, Signature
from slipway.types import JSON_BY_COLUMN, JSON_FORMATS, JSON_ROW_FORMATS

# The beginnings of MLflow's own messages, for which its clients and its tests look. Here they repeat nothing of the input.
_ONE_FORMAT = f"The input must be a JSON dictionary with exactly one of the input fields {', '.join(JSON_FORMATS)}"
_VALID_JSON = "Ensure that input is a valid JSON formatted string"
_KINDS: Mapping[type, str] = {
    list: "a list",
    dict: "an object",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
}
_NUMBERS = {"double", "float", "long", "integer"}
_WORDS = {
    "double": "a number",
    "float": "a number",
    "long": "a whole number",
    "integer": "a whole number",
    "boolean": "true or false",
}


def explain(body: bytes, content_type: str, signature: Signature) -> str | None:
    """Return the reason why a request was refused; None when no reason is found.

    Args:
        body: The body of the request.
        content_type: The content type, as `normalised` spells it.
        signature: The signature of the model that was asked.
    """
    kind = content_type.partition(";")[0].strip()
    if kind == "text/csv":
        return _explain_csv(body, signature)
    if kind == "application/vnd.apache.parquet":
        return _explain_parquet(body, signature)
    if kind != "application/json":
        return None
    try:
        content = json.loads(body)
    except json.JSONDecodeError as error:
        return f"{_VALID_JSON}; the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    except UnicodeDecodeError as error:
        return f"{_VALID_JSON}; the body is not UTF-8: byte {error.start} is part of no character"
    except RecursionError:
        return "the body is nested too deeply"
    except ValueError:
        return "the body holds a number of more digits than are read"
    return _not_a_request(content) or ragged(content) or _explain_values(content, signature)


def ragged(content: Any) -> str | None:
    """Say which row has other columns than the first row, in a request as `json.loads` reads it; None for no row."""
    if not isinstance(content, dict):
        return None
    for key in JSON_ROW_FORMATS:
        if isinstance(rows := content.get(key), list) and rows and isinstance(rows[0], dict):
            return _ragged_rows(rows)
    if isinstance(split := content.get("dataframe_split"), dict):
        columns, data = split.get("columns"), split.get("data")
        if isinstance(columns, list) and isinstance(data, list):
            return _wrong_width(data, len(columns))
    for key in JSON_BY_COLUMN:
        if isinstance(columns := content.get(key), dict):
            lengths = {len(values) for values in columns.values() if isinstance(values, list)}
            if len(lengths) > 1:
                return f"the columns of '{key}' are not of the same length"
    return None


def _not_a_request(content: Any) -> str | None:
    if not isinstance(content, dict):
        return f"{_ONE_FORMAT}. Received {_kind(content)}."
    given = [key for key in JSON_FORMATS if key in content]
    if len(given) != 1:
        return f"{_ONE_FORMAT}. Received {' and '.join(given) or 'none of them'}."
    part, key = content[given[0]], given[0]
    if key == "dataframe_records" and not isinstance(part, list):
        return f"Dataframe records format must be a list of records. Got {_mlflows_kind(part)}. Send an object for each row."
    if key == "dataframe_split" and (wrong := _not_a_split(part)):
        return wrong
    if (isinstance(part, list) and not part) or (key == "dataframe_split" and not part["data"]):
        return f"'{key}' holds no row"
    if key == "dataframe_records" and not isinstance(part[0], dict):
        return "row 0 is not an object"
    return None


def _not_a_split(part: Any) -> str | None:
    if not isinstance(part, dict):
        hint = "Send an object with 'columns' and 'data', a list of rows."
        return f"Dataframe split format must be a dictionary. Got {_mlflows_kind(part)}. {hint}"
    if "data" not in part or part.keys() - {"columns", "data", "index"}:
        received = "Received other fields too." if "data" in part else "Received no 'data'."
        return f"Dataframe split format must have 'data' field and optionally 'columns' and 'index' fields. {received}"
    if not isinstance(part["data"], list):
        return f"'data' of 'dataframe_split' is {_kind(part['data'])}; it has to be a list of rows"
    return None


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "null")


def _mlflows_kind(value: Any) -> str:
    """Return the kind of a value in the words of MLflow's messages, for which MLflow's own tests look."""
    return "list" if isinstance(value, list) else "dictionary" if isinstance(value, dict) else _kind(value)


def _ragged_rows(rows: Sequence[Any]) -> str | None:
    first = rows[0].keys()
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            return f"row {number} is not an object"
        if row.keys() == first:
            continue
        lacking = [name for name in first if name not in row]
        # The message names a key only where several rows have that key: then the key is a column, and no value.
        return f"row {number} lacks column '{lacking[0]}'" if lacking else f"row {number} has a column that row 0 lacks"
    return None


def _wrong_width(rows: Iterable[Any], width: int) -> str | None:
    for number, row in enumerate(rows):
        if not isinstance(row, list):
            return f"row {number} is not a list"
        if len(row) != width:
            return f"row {number} has {len(row)} values for {width} columns"
    return None


def _explain_values(content: Mapping[str, Any], signature: Signature) -> str | None:
    columns = _columns(content)
    if columns is None:
        return None
    return _explain_columns(columns, signature)


def _columns(content: Mapping[str, Any]) -> Mapping[str, Sequence[Any]] | None:
    """Return the values by column; None for a format without the names of the columns."""
    key = next(key for key in JSON_FORMATS if key in content)
    part = content[key]
    if key == "dataframe_split":
        names = part.get("columns")
        return (
            None
            if not isinstance(names, list)
            else dict(zip(map(str, names), zip(*part["data"], strict=True), strict=False))
        )
    if isinstance(part, list):
        if not all(isinstance(row, dict) for row in part):
            return None
        return {name: [row[name] for row in part] for name in part[0]}
    if isinstance(part, dict):
        return {name: values if isinstance(values, list) else [values] for name, values in part.items()}
    return None


def _explain_columns(columns: Mapping[str, Sequence[Any]], signature: Signature) -> str | None:
    missing = [column.name for column in signature.inputs if column.required and column.name not in columns]
    if missing:
        return f"column{'s' * (len(missing) > 1)} {', '.join(map(repr, missing))} {'are' if len(missing) > 1 else 'is'} missing"
    for column in signature.inputs:
        for number, value in enumerate(columns.get(column.name, ())):
            if wrong := _wrong(value, column):
                return f"row {number}, column '{column.name}': {wrong}"
    return None


def _wrong(value: Any, column: InputColumn) -> str | None:
    needed = _WORDS.get(column.type)
    if isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'an object'} where {needed or 'a single value'} is needed"
    if needed is None or isinstance(value, bool):
        return None
    if isinstance(value, bytes):
        return f"bytes where {needed} is needed"
    whole = column.type in ("long", "integer")
    if value is None or value != value:
        return f"null where {needed} is needed" if whole or column.type == "boolean" else None
    if column.type in _NUMBERS and isinstance(value, str):
        try:
            int(value) if whole else float(value)
        except ValueError:
            return f"a text where {needed} is needed"
    if whole and isinstance(value, float) and not value.is_integer():
        return f"a fraction where {needed} is needed"
    bits = 31 if column.type == "integer" else 63
    if whole and not -(2**bits) <= int(value) < 2**bits:
        return f"a number that is too large for {column.type}"
    if column.type == "boolean" and isinstance(value, str):
        return "a text where true or false is needed"
    return None


def _explain_csv(body: bytes, signature: Signature) -> str | None:
    try:
        table = list(csv.reader(io.StringIO(body.decode())))
    except UnicodeDecodeError as error:
        return f"the body is not UTF-8: byte {error.start} is part of no character"
    except csv.Error:
        return "the body is not CSV"
    header, *rows = [row for row in table if row] or [[]]
    if not rows:
        return "the body holds no row below its header"
    if wrong := _wrong_width(rows, len(header)):
        return wrong
    columns = {
        name: [value or None for value in values] for name, values in zip(header, zip(*rows, strict=True), strict=True)
    }
    return _explain_columns(columns, signature)


def _explain_parquet(body: bytes, signature: Signature) -> str | None:
    from pyarrow import ArrowException
    from pyarrow.parquet import read_table

    try:
        table = read_table(io.BytesIO(body))
    except (ArrowException, OSError):
        return "the body is not a Parquet file"
    if not table.num_rows:
        return "the body holds no row"
    names = {column.name for column in signature.inputs}
    return _explain_columns({name: table[name].to_pylist() for name in table.column_names if name in names}, signature)
