"""The reader of an experiment's data: a function of its folder, a CSV file, or a Parquet file.

A new kind of source, such as S3, is a field of `slipway.core.spec.Source` with its name in `_KINDS` there, and a reader here:
a case of `read_source`, whose header check asks the frame where the kind has no header of its own.
"""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow import ArrowException

from slipway.code import load_function
from slipway.core.spec import ColumnType, Data
from slipway.data._header import why_not_one
from slipway.errors import CodeInvalid, ContractBroken, FileUnusable
from slipway.types import MISSING_IN_CSV, Violation

# CSV columns whose type must not be guessed: a category "007" or "true" stays as written.
_AS_TEXT = (ColumnType.CATEGORY, ColumnType.TEXT, ColumnType.DATETIME)


def read_source(folder: Path, experiment: str, data: Data) -> pd.DataFrame:
    """Read the declared columns of an experiment's data; columns that are not declared are left out.

    Returns a frame of (rows, declared columns and id) whose types are not checked yet. Raises ContractBroken for missing or
    repeated columns, FileUnusable for a file that cannot be read, and CodeInvalid for a function that fails.
    """
    if data.source.function:
        frame = _call(folder, data.source.function, data.source.params)
    else:
        text = {name: str for name, column in data.columns.items() if column.type in _AS_TEXT or column.form}
        frame = read_table(folder / str(data.source.csv or data.source.parquet), text)
    declared = [*([data.id] if data.id and data.id not in data.columns else []), *data.columns]
    names = _header(folder / data.source.csv) if data.source.csv else list(frame.columns)
    if wrong := {name: why for name in declared if (why := why_not_one(name, names))}:
        raise ContractBroken(experiment, [Violation(name, why, len(frame)) for name, why in wrong.items()])
    return frame[declared].reset_index(drop=True)


def read_table(path: Path, as_text: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Read a CSV or Parquet file by its ending.

    Raises FileUnusable when the file is not there, cannot be read, or is of another kind.
    """
    kind = "".join(path.suffixes[-2:]).lower() if path.suffix == ".gz" else path.suffix.lower()
    try:
        if kind in (".csv", ".csv.gz"):
            return pd.read_csv(path, dtype=dict(as_text or {}), keep_default_na=False, na_values=list(MISSING_IN_CSV))
        if kind in (".parquet", ".pq"):
            return pd.read_parquet(path)
    except FileNotFoundError:
        raise FileUnusable(f"there is no file {path}") from None
    except pd.errors.EmptyDataError:
        raise FileUnusable(f"{path} is empty; a header line with the column names is the least it needs") from None
    except (OSError, EOFError, zlib.error, ValueError, ArrowException, pd.errors.ParserError) as error:
        raise FileUnusable(f"{path} cannot be read as {kind}: {str(error).splitlines()[0]}") from error
    raise FileUnusable(f"{path} ends in '{path.suffix}'; what can be read is .csv, .csv.gz and .parquet")


def _header(path: Path) -> list[str]:
    """Return the header cells of a CSV file as written; pandas makes up names for empty and repeated cells."""
    cells = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False)
    return [str(cell) for cell in cells.iloc[0].tolist()]


def _call(folder: Path, ref: str, params: dict[str, object]) -> pd.DataFrame:
    function = load_function(folder, ref)
    try:
        frame = function(**params)
    except Exception as error:  # the experiment's own code may raise anything
        raise CodeInvalid(f"{ref} in {folder} failed: {type(error).__name__}: {error}") from error
    if not isinstance(frame, pd.DataFrame):
        raise CodeInvalid(f"{ref} has to return a pandas DataFrame; it returned {type(frame).__name__}")
    return frame
