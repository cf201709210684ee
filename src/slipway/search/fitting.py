"""The fit of a candidate's pipeline: on its own inputs, with the target and the weights of the experiment.

Trials, calibration, the rehearsal and the winner all fit by `fit`, so a model is fitted in one way wherever it is fitted.
"""

import inspect
from typing import Any

import pandas as pd
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline

from slipway.core.spec import Experiment
from slipway.core.weights import weights_of
from slipway.errors import CodeInvalid
from slipway.search.class_weights import code_class_weights

_WEIGHT = "sample_weight"


def fit(experiment: Experiment, candidate: str, pipeline: Any, rows: pd.DataFrame) -> Any:
    """Fit an unfitted pipeline, or a model around it, on rows with their target, (rows, columns), and return it.

    Where `data.weight` is declared, the weights go to the estimator at the end of the pipeline. Raises CodeInvalid for an
    estimator that takes none.
    """
    inputs, target = rows[list(experiment.inputs_of(candidate))], rows[experiment.data.target]
    code_class_weights(pipeline, target)
    weights = weights_of(rows, experiment.data)
    if weights is None:
        return pipeline.fit(inputs, target)
    if isinstance(pipeline, FixedThresholdClassifier):
        # Its own fit takes no weights unless scikit-learn's metadata routing is on, which would be stored with the model.
        fitted = clone(pipeline.estimator).fit(inputs, target, **{weight_key(pipeline.estimator): weights})
        model = clone(pipeline).set_params(estimator=FrozenEstimator(fitted)).fit(inputs, target)
        model.estimator, model.estimator_ = pipeline.estimator, fitted
        return model
    return pipeline.fit(inputs, target, **{weight_key(pipeline): weights})


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
