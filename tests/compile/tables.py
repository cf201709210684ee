"""A table with every type of column, and rows that are odd in every way that JSON and a data contract allow."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from slipway.compile._odd_rows import odd_rows

FLOATS, GAPPED, POSITIVE = ["x0", "x1"], ["g0", "g1"], ["p0", "p1"]
WHOLE, FLAGS = ["day", "count"], ["late"]
TEXTS, RARE = ["port", "line"], ["tail"]
FILLED = FLOATS + POSITIVE + WHOLE
NUMBERS = FILLED + GAPPED
CATEGORIES = TEXTS + RARE


@cache
def table(rows: int = 800) -> pd.DataFrame:
    """Numbers with and without gaps, whole numbers, truth values, texts with gaps, with rare and with odd values."""
    random = np.random.default_rng(5)
    frame = pd.DataFrame({name: random.normal(scale=3, size=rows).round(2) for name in FLOATS + GAPPED})
    for name in GAPPED:
        frame.loc[random.random(rows) < 0.2, name] = np.nan
    for name in POSITIVE:
        frame[name] = random.exponential(20, size=rows).round(1)
    frame["day"] = random.integers(0, 7, size=rows)
    frame["count"] = random.integers(0, 500, size=rows)
    frame["late"] = random.random(rows) < 0.4
    frame["port"] = text(random.choice(["JFK", "LGA", "EWR", "jfk", ""], size=rows, p=[0.4, 0.3, 0.2, 0.05, 0.05]))
    frame["line"] = text([None if value == "?" else value for value in random.choice(list("ABCDE?"), size=rows)])
    frame["tail"] = text([f"N{int(value)}" for value in random.exponential(8, size=rows)])
    return frame


def text(values: Any) -> pd.Series:
    return pd.Series(list(values), dtype="str")


@cache
def target(task: str) -> pd.Series:
    frame = table()
    random = np.random.default_rng(6)
    score = frame["x0"] * (frame["port"] == "JFK") + frame["g0"].fillna(2.0) + 0.02 * frame["p0"] * (frame["day"] < 3)
    score = score + random.normal(size=len(frame))
    if task == "regression":
        return score
    if task == "counts":
        return np.exp(score / 4).round() + 1
    if task == "binary":
        return (score > score.median()).astype(int)
    if task == "yes_no":
        return pd.Series(np.where(score > score.median(), "yes", "no"), dtype=object)
    return pd.cut(score, [-np.inf, -2, 1, np.inf], labels=["low", "mid", "high"]).astype(object)


@cache
def odd(rows: int = 13_200) -> pd.DataFrame:
    """More than 10,000, since each pipeline leaves some of them to the original."""
    return odd_rows(table(), rows, np.random.default_rng(7), {})
