"""The rows of an experiment: what a function of its folder returns, or the declared columns of a table.

A new kind of table begins in `slipway.sources`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from slipway.code import load_function
from slipway.core.spec import ColumnType, Data
from slipway.data._header import why_not_one
from slipway.errors import CodeInvalid, ContractBroken
from slipway.sources import open_table, to_frame
from slipway.types import Violation

# Columns of a text table whose type must not be guessed: a category "007" or "true" stays as written.
_AS_TEXT = (ColumnType.CATEGORY, ColumnType.TEXT, ColumnType.DATETIME)


def read_source(folder: Path, experiment: str, data: Data, variables: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Read the declared columns of an experiment's data; columns that are not declared are left out.

    Returns a frame of (rows, declared columns and id) whose types are not checked yet. Raises ContractBroken for missing or
    repeated columns, FileUnusable for a table that cannot be read, and CodeInvalid for a function that fails.

    Args:
        folder: the experiment's folder.
        experiment: the name of the experiment.
        data: the declaration.
        variables: the environment, from which a URL's user and password come.
    """
    declared = [*([data.id] if data.id and data.id not in data.columns else []), *data.columns]
    if data.source.function:
        frame = _call(folder, data.source.function, data.source.params)
        _require_each_once(experiment, declared, list(frame.columns))
        return frame[declared].reset_index(drop=True)
    # An id without a type of its own is a text too: "007" and "7" are two rows.
    text = {name for name in declared if _is_text(name, data)}
    by = data.columns.get(data.source.until.column) if data.source.until else None
    with open_table(data.source, folder, variables, by.form if by else None) as table:
        _require_each_once(experiment, declared, table.names)
        return to_frame(table.batches(declared, text), declared)


def _is_text(name: str, data: Data) -> bool:
    column = data.columns.get(name)
    return column is None or column.type in _AS_TEXT or column.form is not None


def _require_each_once(experiment: str, declared: Sequence[str], names: Sequence[object]) -> None:
    if wrong := {name: why for name in declared if (why := why_not_one(name, names))}:
        raise ContractBroken(experiment, [Violation(name, why, 0) for name, why in wrong.items()])


def _call(folder: Path, ref: str, params: dict[str, object]) -> pd.DataFrame:
    function = load_function(folder, ref)
    try:
        frame = function(**params)
    except Exception as error:  # the experiment's own code may raise anything
        raise CodeInvalid(f"{ref} in {folder} failed: {type(error).__name__}: {error}") from error
    if not isinstance(frame, pd.DataFrame):
        raise CodeInvalid(f"{ref} has to return a pandas DataFrame; it returned {type(frame).__name__}")
    return frame
