"""Calendar parts and distances of times, of scikit-learn's and numpy's own functions: any installation of both loads them.

numpy's casts of a time to a coarser unit cut off the rest, so each part is a difference of two such casts: the day of the week
is the days since 1970 less seven times the weeks. `np.dot` takes these differences; all of them are whole numbers, so they are
exact.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from slipway.core.spec import Data
from slipway.search.preprocessing._categories import one_hot

Part = tuple[str, BaseEstimator, list[str]]
"""A transformer of ColumnTransformer: its name, itself, and its columns."""

_SECONDS = "datetime64[s]"
_FLOORS: dict[str, tuple[str, ...]] = {
    "second": (_SECONDS,),
    "minute": ("datetime64[m]",),
    "hour": ("datetime64[h]",),
    "day": ("datetime64[D]",),
    "week": ("datetime64[W]",),
    "month": ("datetime64[M]",),
    "year": ("datetime64[Y]",),
    "first of month": ("datetime64[M]", "datetime64[D]"),
}
"""The time since 1970 in whole units; `first of month` is the day on which the month begins."""

# Parts that recur, from 0 on. numpy's weeks begin on Thursdays, so a Thursday is day 0.
_MONTH = {"month": 1, "year": -12}
_WEEKDAY = {"day": 1, "week": -7}
_HOUR = {"hour": 1, "day": -24}
_DAY = {"day": 1, "first of month": -1}
_MINUTE = {"minute": 1, "day": -1440}
_TREND = {"second": 1}

# As a float, numpy's mark for no time is this number, and not NaN.
_NOT_A_TIME = float(np.iinfo(np.int64).min)

_MOST_COMPARED = 4


def times(data: Data, names: Sequence[str], scale: BaseEstimator | None) -> list[Part]:
    """Return the transformers that turn columns of times into numbers.

    Each time gives its month, day of the month, weekday and minute of the day, and the seconds since 1970. The first four
    times give the seconds between each two of them. `data.time` gives no seconds since 1970: every later row lies beyond
    all that a model has learned from.

    Args:
        data: The declaration of the columns.
        names: The columns of times.
        scale: The imputation and scaling of numbers for estimators that need them, which get month, weekday and hour as
            categories; None for estimators that take numbers as they are.
    """
    ordered = sorted(names, key=lambda name: name != data.time)
    # Transformers are numbered, since scikit-learn refuses two underscores in a name, which a column may have.
    calendars: list[Part] = [
        (f"calendar {number}", _calendar(scale, trend=name != data.time), [name]) for number, name in enumerate(ordered)
    ]
    pairs = enumerate(combinations(ordered[:_MOST_COMPARED], 2))
    return calendars + [(f"distance {number}", _between(scale), list(pair)) for number, pair in pairs]


def _calendar(scale: BaseEstimator | None, *, trend: bool) -> Pipeline:
    numbers = [_DAY, _MINUTE, *([_TREND] if trend else [])]
    cycles = [_MONTH, _WEEKDAY, _HOUR] if scale else [_MONTH, _WEEKDAY]
    steps = _differences([*cycles, *numbers])
    if scale:
        places = range(len(cycles)), range(len(cycles), len(cycles) + len(numbers))
        each = [("cycles", one_hot(), list(places[0])), ("numbers", scale, list(places[1]))]
        steps.append(ColumnTransformer(each))
    return make_pipeline(*steps)


def _differences(parts: Sequence[dict[str, int]]) -> list[BaseEstimator]:
    floors = list(dict.fromkeys(name for part in parts for name in part))
    weights = np.array([[float(part.get(name, 0)) for part in parts] for name in floors])
    union = FeatureUnion([(name, make_pipeline(*_casts(*_FLOORS[name]))) for name in floors])
    return [union, _missing(), FunctionTransformer(np.dot, kw_args={"b": weights})]


def _between(scale: BaseEstimator | None) -> Pipeline:
    difference = FunctionTransformer(np.dot, kw_args={"b": np.array([[-1.0], [1.0]])})
    return make_pipeline(*_casts(_SECONDS), _missing(), difference, *([scale] if scale else []))


def _casts(*kinds: str) -> list[BaseEstimator]:
    return [FunctionTransformer(np.asarray, kw_args={"dtype": kind}) for kind in (*kinds, "float64")]


def _missing() -> SimpleImputer:
    return SimpleImputer(missing_values=_NOT_A_TIME, strategy="constant", fill_value=np.nan, keep_empty_features=True)
