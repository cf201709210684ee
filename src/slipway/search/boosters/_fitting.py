"""The fit of a pipeline that ends in a booster: told of its columns, and stopped early where validation rows are given."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from statistics import median
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from slipway.errors import CodeInvalid
from slipway.search.boosters._labels import encoder_of, inner, vote_of
from slipway.search.boosters._libraries import library_of
from slipway.search.boosters._stopping import FITS

Directions = Mapping[str, int]
"""By the name of a column: 1 where the answer may only rise with it, -1 where it may only fall."""


def is_booster(pipeline: Any) -> bool:
    """Return whether a pipeline is preprocessing and a booster, or a vote of one booster."""
    return isinstance(pipeline, Pipeline) and len(pipeline) > 1 and library_of(type(inner(pipeline[-1]))) is not None


def fit_booster(
    pipeline: Pipeline,
    monotone: Directions,
    inputs: pd.DataFrame,
    target: pd.Series,
    *,
    held_out: tuple[pd.DataFrame, pd.Series] | None = None,
    weights: Any = None,
) -> Mapping[str, Any]:
    """Fit an unfitted pipeline for which `is_booster` holds; return the parameters that early stopping found, if any.

    Args:
        pipeline: The pipeline.
        monotone: The directions of columns.
        inputs: The training rows, (rows, columns).
        target: Their labels or values.
        held_out: Validation rows and their target, on which the number of trees is found; None for the declared number.
        weights: The weights of the training rows; None for none. The validation rows all count the same.
    """
    before, last = pipeline[:-1], pipeline[-1]
    features = before.fit_transform(inputs, target)
    _tell(inner(last), before, monotone)
    weighted = {} if weights is None else {"sample_weight": weights}
    if held_out is not None:
        rows, truth = _with_known_labels(last, target, *held_out)
        if len(rows):
            return _stopped(last, (features, target), (before.transform(rows), truth), weighted)
    last.fit(features, target, **weighted)
    return {}


def told_of_columns(pipeline: Pipeline, monotone: Directions, inputs: pd.DataFrame, target: pd.Series) -> None:
    """Tell the unfitted booster of a pipeline of its columns; a copy of the preprocessing is fitted to learn them."""
    _tell(inner(pipeline[-1]), clone(pipeline[:-1]).fit(inputs, target), monotone)


def over_folds(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the parameters that the fits of all folds found, each as the median; a number of trees stays whole."""
    keys = found[0] if found and all(found) else ()
    return {key: type(found[0][key])(median(each[key] for each in found)) for key in keys}


def _with_known_labels(last: BaseEstimator, target: pd.Series, rows: Any, truth: pd.Series) -> tuple[Any, pd.Series]:
    """Leave out rows with a label that no training row has: a library has no place for it in its loss."""
    known = truth.isin(target.unique()) if is_classifier(last) else truth.notna()
    return rows[known], truth[known]


def _stopped(last: Any, train: Any, held_out: Any, weighted: Mapping[str, Any]) -> Mapping[str, Any]:
    model = inner(last)
    library = library_of(type(model))
    assert library is not None
    if not isinstance(last, VotingClassifier):
        return FITS[library.name](model, train, held_out, weighted)
    fitted, encoder = clone(model), encoder_of(train[1])
    (rows, labels), (others, truth) = train, held_out
    found = FITS[library.name](fitted, (rows, encoder.transform(labels)), (others, encoder.transform(truth)), weighted)
    vote_of(last, encoder, fitted)
    return found


def _tell(model: Any, before: Pipeline, monotone: Directions) -> None:
    """Give a booster the parameters that depend on the columns that the fitted preprocessing makes."""
    library = library_of(type(model))
    assert library is not None
    if not (library.codes or monotone):
        return
    names = _names(before[-1])
    if library.codes:
        model.set_params(**library.codes(_places_of_codes(before[-1]), len(names)))
    if lost := sorted(set(monotone) - set(names)):
        raise CodeInvalid(f"monotone: the preprocessing makes no column '{lost[0]}'")
    if monotone:
        directions = tuple(monotone.get(name, 0) for name in names)
        model.set_params(**{library.monotone: library.spelled(directions)})


def _names(columns: Any) -> list[str]:
    """Return the name of each column that a fitted ColumnTransformer makes, "" for one that has no name.

    Parts of times and texts are made by plain functions, which know no names, and neither does an own function before them.
    """
    if not isinstance(columns, ColumnTransformer):
        return [str(name) for name in columns.get_feature_names_out()]
    names = [""] * _width(columns)
    for part, step, given in columns.transformers_:
        if hasattr(step, "get_feature_names_out"):
            with suppress(AttributeError):  # a pipeline has the method, and some step of the pipeline has not
                names[columns.output_indices_[part]] = map(str, step.get_feature_names_out(given))
    return names


def _width(columns: ColumnTransformer) -> int:
    return int(max(places.stop for places in columns.output_indices_.values()))


def _places_of_codes(columns: Any) -> list[int]:
    """Return the places of the columns that an OrdinalEncoder of a fitted ColumnTransformer makes."""
    if not isinstance(columns, ColumnTransformer):
        return []
    encoded = [name for name, step, _ in columns.transformers_ if isinstance(step, OrdinalEncoder)]
    return [place for name in encoded for place in range(_width(columns))[columns.output_indices_[name]]]
