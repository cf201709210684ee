"""The fit of a candidate's pipeline: on its own inputs, with the target and the weights of the experiment.

Trials, calibration, the rehearsal and the winner all fit by `fit`, so a model is fitted in one way wherever it is fitted.
"""

import inspect
from collections.abc import Mapping
from typing import Any

import pandas as pd
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline

from slipway.core.prediction import weights_of
from slipway.core.spec import Experiment
from slipway.errors import CodeInvalid
from slipway.search.boosters import fit_booster, is_booster, stops_early, told_of_columns
from slipway.search.class_weights import code_class_weights, require_positive_weighed

_WEIGHT = "sample_weight"


def fit(experiment: Experiment, candidate: str, pipeline: Any, rows: pd.DataFrame) -> Any:
    """Fit an unfitted pipeline, or a model around it, on rows with their target, (rows, columns), and return it.

    Where `data.weight` is declared, the weights go to the estimator at the end of the pipeline. Raises CodeInvalid for an
    estimator that takes none.
    """
    declared, (inputs, target) = experiment.search.candidates[candidate], _parts(experiment, rows)
    weights, directions = weights_of(rows, experiment.data), _directions(experiment, candidate, target)
    require_positive_weighed({*declared.params, *declared.space}, experiment.data, target)
    if isinstance(pipeline, FixedThresholdClassifier) and weights is not None:
        # Its own fit takes no weights unless scikit-learn's metadata routing is on, which would be stored with the model.
        fitted = fit(experiment, candidate, clone(pipeline.estimator), rows)
        model = clone(pipeline).set_params(estimator=FrozenEstimator(fitted)).fit(inputs, target)
        model.estimator, model.estimator_ = pipeline.estimator, fitted
        return model
    code_class_weights(pipeline, target)  # once: keys that are codes already would be taken for classes
    if declared.estimator and is_booster(pipeline):
        fit_booster(pipeline, directions, inputs, target, weights=weights)
        return pipeline
    if isinstance(pipeline, FixedThresholdClassifier) and declared.estimator and is_booster(pipeline.estimator):
        told_of_columns(pipeline.estimator, directions, inputs, target)
    return pipeline.fit(inputs, target, **({} if weights is None else {weight_key(pipeline): weights}))


def fit_trial(
    experiment: Experiment, candidate: str, pipeline: Any, rows: pd.DataFrame, held_out: pd.DataFrame
) -> Mapping[str, Any]:
    """Fit as `fit` does, for a trial; return the parameters that early stopping on the held-out rows found, if any."""
    declared = experiment.search.candidates[candidate]
    if not (stops_early(declared) and is_booster(pipeline)):
        fit(experiment, candidate, pipeline, rows)
        return {}
    (inputs, target), held = (_parts(experiment, each) for each in (rows, held_out))
    weights, directions = weights_of(rows, experiment.data), _directions(experiment, candidate, target)
    code_class_weights(pipeline, target)
    return fit_booster(pipeline, directions, inputs, target, held_out=held, weights=weights)


def weight_key(pipeline: Any) -> str:
    """Return the argument of a pipeline's `fit` that brings weights to its last estimator, such as `estimator__sample_weight`.

    Raises CodeInvalid for an estimator whose `fit` takes no `sample_weight`.
    """
    if isinstance(pipeline, Pipeline):
        name, last = pipeline.steps[-1]
        return f"{name}__{weight_key(last)}"
    takes = inspect.signature(pipeline.fit).parameters.values()
    if not any(each.name == _WEIGHT or each.kind is each.VAR_KEYWORD for each in takes):
        raise CodeInvalid(
            f"{type(pipeline).__name__} takes no {_WEIGHT} in its fit, and data.weight is declared; take another estimator, or "
            "take data.weight away"
        )
    return _WEIGHT


def _parts(experiment: Experiment, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    return rows[list(experiment.data.features)], rows[experiment.data.target]


def _directions(experiment: Experiment, candidate: str, target: pd.Series) -> dict[str, int]:
    """Return the directions of columns for the class that is last in order, which a library's score is of.

    The declared ones are of the positive class.
    """
    turned = experiment.data.positive is not None and target.min() == experiment.data.positive
    return {name: -way if turned else way for name, way in experiment.search.candidates[candidate].monotone.items()}
