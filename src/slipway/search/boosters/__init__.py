"""Gradient boosting libraries as candidates: their defaults, labels, categories, monotone constraints and early stopping."""

from slipway.search.boosters._fitting import fit_booster, is_booster, over_folds, told_of_columns
from slipway.search.boosters._labels import by_number
from slipway.search.boosters._libraries import (
    few_trees,
    library_of,
    parameters_of,
    stops_early,
)

__all__ = [
    "by_number",
    "few_trees",
    "fit_booster",
    "is_booster",
    "library_of",
    "over_folds",
    "parameters_of",
    "stops_early",
    "told_of_columns",
]
