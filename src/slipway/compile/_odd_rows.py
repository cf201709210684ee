"""Rows that a model may not have been thought through for, made from an example."""

from collections.abc import Callable

import numpy as np
import pandas as pd

Mutation = Callable[[pd.Series, np.random.Generator], object]

_TINY, _HUGE = 5e-324, 1.7976931348623157e308


def odd_rows(example: pd.DataFrame, rows: int, random: np.random.Generator) -> pd.DataFrame:
    """Return rows of the example's values, drawn column by column; most have one odd value, some several, some none."""
    if not len(example):
        return example
    columns = {name: _drawn(example[name], rows, random) for name in example}
    for row in range(rows):
        for _ in range(random.choice([0, 1, 1, 1, 1, 2, 4])):
            name = example.columns[int(random.integers(len(example.columns)))]
            columns[name][row] = _odd(example[name], random)
    return pd.DataFrame({name: _typed(values, example[name].dtype) for name, values in columns.items()})


def rows_of(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return the rows of a frame as JSON scalars; a missing value is None."""
    columns = []
    for name in frame:
        series = frame[name]
        values = series.astype(object).tolist()
        columns.append([None if missing else value for value, missing in zip(values, series.isna(), strict=True)])
    return list(zip(*columns, strict=True))


def _drawn(series: pd.Series, rows: int, random: np.random.Generator) -> list[object]:
    return series.astype(object).iloc[random.integers(len(series), size=rows)].tolist()


def _odd(series: pd.Series, random: np.random.Generator) -> object:
    kind = series.dtype
    if kind == np.bool_:
        return bool(random.integers(2))
    if isinstance(kind, np.dtype) and kind.kind in "iu":
        limits = np.iinfo(kind.str)
        most = min(limits.max, 2**53)
        choices = [
            0,
            1,
            max(limits.min, -1),
            most,
            max(limits.min, -most),
            int(series.max()) + 1,
            int(series.min()) // 2,
        ]
        return min(max(choices[random.integers(len(choices))], limits.min, -most), most)
    if isinstance(kind, np.dtype) and kind.kind == "f":
        return _odd_number(series, random)
    if isinstance(kind, np.dtype) and kind.kind == "M":
        return pd.NaT
    return _odd_text(series, random)


def _odd_number(series: pd.Series, random: np.random.Generator) -> float:
    known = series.dropna()
    some = float(known.iloc[random.integers(len(known))]) if len(known) else 1.0
    choices = [
        *(np.nan, np.nan, np.inf, -np.inf),
        *(0.0, -0.0, 1.0, -1.0, _TINY, _HUGE, -_HUGE, 1e30, -1e30, 1e300, 3.4028235e38, 16777217.0, 1e-300),
        *(
            some,
            -some,
            some * 1000,
            np.nextafter(some, np.inf),
            np.nextafter(some, -np.inf),
            np.float64(np.float32(some)),
        ),
        *((float(known.max()) * 2, float(known.min()) * 2, float(known.median())) if len(known) else ()),
    ]
    with np.errstate(all="ignore"):
        return float(choices[random.integers(len(choices))])


def _odd_text(series: pd.Series, random: np.random.Generator) -> object:
    known = [value for value in series.dropna().astype(object).unique() if isinstance(value, str)]
    some = known[random.integers(len(known))] if known else "a"
    choices = [
        None,
        np.nan,
        "",
        "never seen",
        some,
        some.swapcase(),
        f" {some}",
        f"{some} ",
        some[:-1],
        "nan",
        "None",
        "é",
        "0",
    ]
    return choices[random.integers(len(choices))]


def _typed(values: list[object], kind: object) -> pd.Series:
    if isinstance(kind, pd.CategoricalDtype):
        known = set(kind.categories)
        return pd.Series(pd.Categorical([value if value in known else None for value in values], dtype=kind))
    typed: pd.Series = pd.Series(values, dtype=kind)  # type: ignore[call-overload]
    return typed
