"""The data contract of a version, which its MLmodel file carries as metadata; MLflow itself does not read them."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from slipway.core.expectations import DIALECT, METADATA, Expectation, read_expectations
from slipway.core.forms import FORMS, Form, read_forms
from slipway.core.spec import Column, ColumnType, Experiment, Format, Source
from slipway.core.values import text_of, time_of

MOST_KNOWN, MOST_CHARACTERS = 10_000, 100_000
"""The most categories of a column, and characters in all of them, that a version knows by name.

For a column with more no category counts as unknown.
"""


def contract_of(experiment: Experiment, learned_from: pd.DataFrame) -> dict[str, str]:
    """Return the data contract of each feature as metadata of a model. learned_from: the rows that the model is fitted on."""
    expectations = {
        name: _expectation(experiment.data.columns[name], learned_from[name]).as_dict()
        for name in experiment.data.features
    }
    forms = {
        name: form.as_dict() for name in experiment.data.features if (form := _form(experiment.data.columns[name]))
    }
    contract = {name: expectation for name, expectation in expectations.items() if expectation}
    by_key = {METADATA: contract, **({FORMS: forms} if forms else {})}
    written = {key: json.dumps(by_column, ensure_ascii=False) for key, by_column in by_key.items()}
    return {**written, **_dialect(experiment.data.source)}


def _form(column: Column) -> Form | None:
    # A truth value that may be missing is a number in the signature, which does not tell that a file says yes and no.
    return column.form or (Form(column.type) if column.type is ColumnType.BOOL and column.nulls else None)


def _dialect(source: Source) -> dict[str, str]:
    keys = source.dialect if source.kind is Format.CSV else {}
    return {DIALECT: json.dumps(keys, ensure_ascii=False)} if keys else {}


def dialect_keys_of(folder: Path) -> dict[str, Any]:
    """Return the dialect of the CSV files that a downloaded model was trained from, as keys of a Source."""
    written = (mlflow.models.Model.load(str(folder)).metadata or {}).get(DIALECT)
    keys: dict[str, Any] = json.loads(written) if written else {}
    return keys


def expectations_of(folder: Path) -> dict[str, Expectation]:
    """Return the expectations, by column, that a downloaded model carries."""
    return read_expectations(mlflow.models.Model.load(str(folder)).metadata)


def forms_of(folder: Path) -> dict[str, Form]:
    """Return the forms in which files hold a downloaded model's columns, by column."""
    return read_forms(mlflow.models.Model.load(str(folder)).metadata)


def categories_of(folder: Path) -> Mapping[str, frozenset[str]]:
    """Return the categories that a downloaded model knows, by column."""
    by_column = {
        name: expectation.values or expectation.known or () for name, expectation in expectations_of(folder).items()
    }
    return {name: frozenset(each for each in known if isinstance(each, str)) for name, known in by_column.items()}


def _expectation(column: Column, rows: pd.Series) -> Expectation:
    values: tuple[float | str, ...] | None = None
    if column.values is not None:
        numeric = column.type.is_numeric
        values = tuple(float(value) if numeric else str(text_of(value)) for value in column.values)
    known = _known(rows) if column.type is ColumnType.CATEGORY and values is None else None
    return Expectation(_end(column.min), _end(column.max), values, known)


def _known(rows: pd.Series) -> tuple[str, ...] | None:
    known = tuple(sorted(map(str, rows.dropna().unique())))
    return known if len(known) <= MOST_KNOWN and sum(map(len, known)) <= MOST_CHARACTERS else None


def _end(end: float | datetime | None) -> float | str | None:
    return time_of(end) if isinstance(end, datetime) else end
