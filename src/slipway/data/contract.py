"""The check of the data contract: the promises of each column, before anything is trained."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd

from slipway.core.casts import in_plain_form, spelled, to_bool, to_number, to_text, to_time, to_whole
from slipway.core.forms import Form, likely_forms
from slipway.core.spec import Column, ColumnType, Data
from slipway.core.values import Spellings, text_of
from slipway.data._pandera import pa
from slipway.errors import some_of
from slipway.types import Violation

_SAMPLE = 5
_SHOWN_FORMS = 2


def check_contract(frame: pd.DataFrame, data: Data, *, now: datetime) -> tuple[pd.DataFrame, list[Violation]]:
    """Cast the frame to the types of its contract and check every promise.

    Returns the cast frame and every Violation: wrong types, null shares, ranges, unknown categories, non-finite numbers,
    duplicates, too few rows, too old rows. In the cast frame int is int64, float is float64 and bool is bool, or each of them
    float64 where values may be missing; category and text are str, as is an id without a type, and datetime is naive UTC.
    """
    cast, violations = _cast(frame, data)
    wrong_type = {violation.column for violation in violations}
    checked = {name: column for name, column in data.columns.items() if name not in wrong_type}
    violations += _against(cast, _schema(checked, data, data.id if data.id not in wrong_type else None))
    if len(frame) < data.sla.min_rows:
        violations.append(
            Violation("(rows)", f"at least {data.sla.min_rows} rows are promised; found {len(frame)}", len(frame))
        )
    if data.time and data.sla.max_age_days and data.time not in wrong_type and cast[data.time].notna().any():
        violations += _freshness(cast[data.time], data.sla.max_age_days, now)
    return cast, violations


def _cast(frame: pd.DataFrame, data: Data) -> tuple[pd.DataFrame, list[Violation]]:
    columns: dict[str, pd.Series] = {data.id: to_text(frame[data.id])} if data.id else {}
    violations = []
    for name, column in data.columns.items():
        series = frame[name]
        cast = _cast_of(column, series, column.form)
        if column.values is not None and not column.type.is_numeric:
            cast = spelled(cast, Spellings(_words(column.values)))
        lost = cast.isna() & series.notna()
        if lost.any():
            violations.append(_violation(name, _not_of_type(column, series[lost]), series, lost))
        if column.type in (ColumnType.INT, ColumnType.BOOL) and column.nulls:
            cast = cast.astype("float64")
        columns[name] = cast
    return pd.DataFrame(columns), violations


def _cast_of(column: Column, series: pd.Series, form: Form | None) -> pd.Series:
    return _CASTS[column.type](in_plain_form(series, form) if form else series)


def _not_of_type(column: Column, lost: pd.Series) -> str:
    """Say what the values are not, in which form they are declared, and in which form they could be read."""
    declared = f" in the form {column.form}" if column.form else ""
    if column.form and column.zone and _cast_of(column, lost, replace(column.form, zone="")).notna().any():
        return f"not of type {column.type}{declared} (the clocks of {column.zone} are set forward and never show this time)"
    forms = likely_forms((value for value in lost.unique() if isinstance(value, str)), column.type)
    looks = " or ".join(str(form) for form in forms[:_SHOWN_FORMS] if str(form))
    return f"not of type {column.type}{declared}" + (f" (this looks like {looks})" if looks else "")


_CASTS: dict[ColumnType, Callable[[pd.Series], pd.Series]] = {
    ColumnType.INT: to_whole,
    ColumnType.FLOAT: to_number,
    ColumnType.BOOL: to_bool,
    ColumnType.CATEGORY: to_text,
    ColumnType.TEXT: to_text,
    ColumnType.DATETIME: to_time,
}


def _schema(columns: dict[str, Column], data: Data, id_column: str | None) -> pa.DataFrameSchema:
    fields = {name: pa.Column(None, _checks(column), nullable=True) for name, column in columns.items()}
    if data.target in columns and not columns[data.target].nulls:
        fields[data.target] = pa.Column(None, [_labelled(), *_checks(columns[data.target])[1:]], nullable=True)
    if data.weight in columns:
        checks = [*_checks(columns[data.weight]), pa.Check.ge(0, error="below 0, and a weight is at least 0")]
        fields[data.weight] = pa.Column(None, checks, nullable=True)
    if id_column:
        own = columns[id_column].model_copy(update={"unique": True}) if id_column in columns else None
        fields[id_column] = pa.Column(None, _checks(own) if own else [_never_null(), _unique()], nullable=True)
    return pa.DataFrameSchema(fields)


def _checks(column: Column) -> list[pa.Check]:
    checks = [_null_share(column.nulls) if column.nulls else _never_null()]
    if column.type.is_numeric:
        checks.append(pa.Check(np.isfinite, error="not a finite number"))
    if column.min is not None:
        checks.append(pa.Check.ge(column.min, error=f"below the minimum {column.min}"))
    if column.max is not None:
        checks.append(pa.Check.le(column.max, error=f"above the maximum {column.max}"))
    if column.values is not None:
        values = _words(column.values) if not column.type.is_numeric else column.values
        checks.append(pa.Check.isin(values, error=f"not one of the known values {some_of(values)}"))
    return [*checks, _unique()] if column.unique else checks


def _words(values: Sequence[object]) -> list[str]:
    return [str(text_of(value)) for value in values]


def _never_null() -> pa.Check:
    return pa.Check(lambda series: series.notna(), ignore_na=False, error="missing, and no missing value is allowed")


def _labelled() -> pa.Check:
    way_out = "`nulls: SHARE` on this column, the target, leaves such rows out and counts them"
    return pa.Check(
        lambda series: series.notna(),
        ignore_na=False,
        error=f"missing, and no missing value is allowed; {way_out}",
    )


def _null_share(most: float) -> pa.Check:
    # A column above its share is wrong as a whole, so every missing row may be a sample of the violation.
    return pa.Check(
        lambda series: series.notna() | (series.isna().mean() <= most),
        ignore_na=False,
        error=f"missing in more than the allowed share of {most:g}",
    )


def _unique() -> pa.Check:
    return pa.Check(lambda series: ~series.duplicated(keep=False), error="not unique")


def _against(frame: pd.DataFrame, schema: pa.DataFrameSchema) -> list[Violation]:
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        return [
            _sampled(str(column), str(check), group)
            for (column, check), group in cases.groupby(["column", "check"], sort=False)
        ]
    return []


def _sampled(column: str, rule: str, cases: pd.DataFrame) -> Violation:
    first = cases.head(_SAMPLE)
    return Violation(column, rule, len(cases), tuple(zip(first["index"], first["failure_case"], strict=True)))


def _freshness(times: pd.Series, max_age_days: float, now: datetime) -> list[Violation]:
    newest = times.max()
    age_days = (pd.Timestamp(now) - newest).total_seconds() / 86_400
    if age_days <= max_age_days:
        return []
    rule = f"the newest row is {age_days:.1f} days old; at most {max_age_days:g} are promised"
    return [Violation(str(times.name), rule, 1, ((times.idxmax(), newest),))]


def _violation(name: str, rule: str, series: pd.Series, wrong: pd.Series) -> Violation:
    sample = series[wrong].head(_SAMPLE)
    return Violation(name, rule, int(wrong.sum()), tuple(zip(sample.index, sample, strict=True)))
