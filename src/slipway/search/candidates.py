"""The unfitted pipeline of a candidate with its parameters."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline

from slipway.code import load_class, load_function
from slipway.core.space import spread
from slipway.core.spec import Experiment
from slipway.errors import CodeInvalid, did_you_mean, how_to_get
from slipway.search.before import with_before
from slipway.search.boosters import by_number, library_of, parameters_of
from slipway.search.class_weights import with_class_weights
from slipway.search.fitting import weight_key
from slipway.search.preprocessing import with_preprocessing

_KINDS = {"classifier": is_classifier, "regressor": is_regressor}


def build_pipeline(
    folder: Path, experiment: Experiment, name: str, params: Mapping[str, Any], rows: pd.DataFrame | None = None
) -> Pipeline:
    """Return the unfitted pipeline of a candidate with its fixed parameters and those of one trial.

    rows: those that the pipeline will be fitted on, see `with_preprocessing`.

    Estimators that take a `random_state` get the experiment's seed, unless a parameter says otherwise.
    Raises CodeInvalid when the candidate's code or parameters cannot be used.
    """
    candidate = experiment.search.candidates[name]
    given = {**candidate.params, **params}
    try:
        if candidate.pipeline:
            return _own_pipeline(folder, candidate.pipeline, given)
        params = with_class_weights(given, experiment.data)
        estimator = _estimator(str(candidate.estimator), params, experiment.search.seed)
        if candidate.monotone:
            _require_directions(estimator)
        if candidate.before:
            return by_number(with_before(folder, candidate.before, estimator, experiment.data))
        return by_number(with_preprocessing(estimator, experiment.data, rows))
    except CodeInvalid as error:
        raise CodeInvalid(f"candidate '{name}': {error}") from error


def decided(pipeline: BaseEstimator, threshold: float | None, positive: Any) -> BaseEstimator:
    """Return an unfitted model that answers `positive` from a probability of `threshold` on; None leaves the pipeline as it is.

    The threshold is part of the model, so every server of the model gives the same labels.
    """
    if threshold is None:
        return pipeline
    return FixedThresholdClassifier(pipeline, threshold=threshold, pos_label=positive, response_method="predict_proba")


def check_candidate(folder: Path, experiment: Experiment, name: str) -> None:
    """Build the candidate once, with the first value of each choice and the low end of each range.

    Raises CodeInvalid for an estimator, function or parameter that does not exist, and for an estimator of another task.
    """
    candidate = experiment.search.candidates[name]
    (first,) = spread(candidate.space, 1)
    pipeline = build_pipeline(folder, experiment, name, first)
    kind = experiment.task.traits.estimator
    if not _KINDS[kind](pipeline):
        raise CodeInvalid(f"candidate '{name}' is not a {kind}, and the task is {experiment.task}")
    if experiment.data.weight:
        try:
            weight_key(pipeline)
        except CodeInvalid as error:
            raise CodeInvalid(f"candidate '{name}': {error}") from None


def _own_pipeline(folder: Path, ref: str, params: dict[str, Any]) -> Pipeline:
    function = load_function(folder, ref)
    try:
        pipeline = function(**params)
    except ModuleNotFoundError as error:
        raise CodeInvalid(f"{ref} imports '{error.name}', which is not there; {how_to_get(str(error.name))}") from error
    except Exception as error:  # the experiment's own code may raise anything
        raise CodeInvalid(f"{ref}({', '.join(params)}) failed: {type(error).__name__}: {error}") from error
    if not isinstance(pipeline, Pipeline):
        raise CodeInvalid(f"{ref} has to return a scikit-learn Pipeline; it returned {type(pipeline).__name__}")
    return pipeline


def _estimator(path: str, params: dict[str, Any], seed: int) -> BaseEstimator:
    cls = load_class(path)
    if not issubclass(cls, BaseEstimator) and library_of(cls) is None:  # CatBoost behaves as one, and is none
        raise CodeInvalid(f"{path} is not a scikit-learn estimator")
    try:
        estimator = cls()
        _require_known(cls, path, estimator.get_params(), params)
        return estimator.set_params(**{**_defaults(estimator, params, seed), **params})
    except (TypeError, ValueError) as error:
        raise CodeInvalid(f"{path} cannot be made: {error}") from error


def _defaults(estimator: BaseEstimator, params: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return the seed, where an estimator takes one, and the defaults of a library: silent, one thread, no files."""
    seeded = {"random_state": seed} if estimator.get_params().get("random_state", 0) is None else {}
    library = library_of(type(estimator))
    return {**seeded, **library.defaults_beside(params, seed)} if library else seeded


def _require_known(cls: type[Any], path: str, known: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    library, names = library_of(cls), parameters_of(cls, known)
    if library and (refused := library.refused & set(params)):
        raise CodeInvalid(
            f"{path}: '{min(refused)}' needs validation rows, which a fit does not get; take it away: where neither params nor "
            f"space say {library.trees[0]}, each trial stops early on its validation rows"
        )
    unknown = [] if names is None else [key for key in params if key not in names]
    if unknown:
        raise CodeInvalid(
            f"{path} has no parameter '{unknown[0]}'{did_you_mean(unknown[0], known or sorted(names or ()))}"
        )


def _require_directions(estimator: BaseEstimator) -> None:
    if library_of(type(estimator)) is None:
        raise CodeInvalid(
            f"{type(estimator).__name__} has no monotone constraints; take `monotone` away, or take an estimator that has: "
            "HistGradientBoosting of scikit-learn, LightGBM, XGBoost, CatBoost"
        )
