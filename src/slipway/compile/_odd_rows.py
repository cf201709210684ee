"""Rows that the author of a model may not have thought of, made from an example."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

Draw = Callable[[np.random.Generator], object]
"""Gives an odd value of one column, another each time."""

_TINY, _HUGE, _LARGEST_FLOAT32, _EXACT = 5e-324, 1.7976931348623157e308, 3.4028235e38, 2**53

_ODD_TIMES = (
    *("1969-12-31T23:59:59.999999", "1970-01-01", "1970-01-01T00:00:00.000001", "1700-03-01", "2199-12-31T23:59:59"),
    *("1900-02-28T23:59:59", "2000-02-29", "2024-02-29T12:30", "2024-12-31T23:00", "2100-03-01T00:00:01"),
)


def odd_rows(
    example: pd.DataFrame, rows: int, random: np.random.Generator, texts: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return rows of the example's values, drawn column by column; most have one odd value, some several, some none.

    texts: of a column, beyond those of the example.
    """
    if not len(example):
        return example
    draws = [_draw_of(example[name], texts.get(str(name), ())) for name in example]
    columns = [example[name].astype(object).iloc[random.integers(len(example), size=rows)].tolist() for name in example]
    for row in range(rows):
        for _ in range(random.choice([0, 1, 1, 1, 1, 2, 4])):
            column = int(random.integers(len(columns)))
            columns[column][row] = draws[column](random)
    typed = {name: _typed(values, example[name].dtype) for name, values in zip(example, columns, strict=True)}
    return pd.DataFrame(typed)


def rows_of(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return the rows of a frame as JSON scalars; a missing value is None."""
    columns = []
    for name in frame:
        series = frame[name]
        values = series.astype(object).tolist()
        columns.append([None if missing else value for value, missing in zip(values, series.isna(), strict=True)])
    return list(zip(*columns, strict=True))


def _draw_of(series: pd.Series, texts: Sequence[str]) -> Draw:
    kind = series.dtype
    if kind == np.bool_:
        return _one_of([False, True])
    if isinstance(kind, np.dtype) and kind.kind in "iu":
        return _one_of(_odd_whole_numbers(series, kind))
    if isinstance(kind, np.dtype) and kind.kind == "f":
        return _odd_number_of(series)
    if isinstance(kind, np.dtype) and kind.kind == "M":
        return _one_of([pd.NaT, *map(pd.Timestamp, _ODD_TIMES)])
    return _odd_text_of(series, texts)


def _one_of(choices: list[object]) -> Draw:
    return lambda random: choices[int(random.integers(len(choices)))]


def _odd_whole_numbers(series: pd.Series, kind: np.dtype) -> list[object]:
    limits = np.iinfo(kind.str)
    least, most = max(int(limits.min), -_EXACT), min(int(limits.max), _EXACT)
    choices = [0, 1, -1, most, least, int(series.max()) + 1, int(series.min()) // 2]
    return [min(max(choice, least), most) for choice in choices]


def _odd_number_of(series: pd.Series) -> Draw:
    known = series.dropna().to_numpy() if series.notna().any() else np.ones(1)
    fixed = [
        *(np.nan, np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e30, -1e30, 1e300, 1e-300, 16777217.0),
        *(_TINY, _HUGE, -_HUGE, _LARGEST_FLOAT32, known.max() * 2, known.min() * 2, np.median(known)),
    ]

    def draw(random: np.random.Generator) -> float:
        some = known[random.integers(len(known))]
        near = [-some, some * 1000, np.nextafter(some, np.inf), np.nextafter(some, -np.inf), np.float32(some)]
        choices = fixed + near
        return float(choices[int(random.integers(len(choices)))])

    return draw


def _odd_text_of(series: pd.Series, texts: Sequence[str]) -> Draw:
    seen = [value for value in series.dropna().astype(object).unique() if isinstance(value, str)]
    known = list(dict.fromkeys([*seen, *texts])) or ["a"]

    def draw(random: np.random.Generator) -> object:
        some = known[int(random.integers(len(known)))]
        changed = [some, some, some, some.swapcase(), f" {some}", f"{some} ", some[:-1]]
        other = known[int(random.integers(len(known)))]
        changed += [f"{some} {other}", f"{some}\n\t{other.upper()}!", some[len(some) // 2 :] + other[: len(other) // 2]]
        choices = [None, np.nan, "", "never seen", "nan", "None", "é", "0", " ", "Ångström 🚢 ﬁ", *changed]
        return choices[int(random.integers(len(choices)))]

    return draw


def _typed(values: list[object], kind: object) -> pd.Series:
    if isinstance(kind, pd.CategoricalDtype):
        known = set(kind.categories)
        return pd.Series(pd.Categorical([value if value in known else None for value in values], dtype=kind))
    typed: pd.Series = pd.Series(values, dtype=kind)  # type: ignore[call-overload]
    return typed
