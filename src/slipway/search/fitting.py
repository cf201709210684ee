"""The fit of a candidate's pipeline: on its own inputs, with the target of the experiment.

Trials, calibration, the rehearsal and the winner all fit by `fit`, so a model is fitted in one way wherever it is fitted.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sklearn.model_selection import FixedThresholdClassifier

from slipway.core.spec import Experiment
from slipway.search.boosters import fit_booster, is_booster, stops_early, told_of_columns


def fit(experiment: Experiment, candidate: str, pipeline: Any, rows: pd.DataFrame) -> Any:
    """Fit an unfitted pipeline, or a model around it, on rows with their target, (rows, columns), and return it."""
    declared, (inputs, target) = experiment.search.candidates[candidate], _parts(experiment, candidate, rows)
    directions = _directions(experiment, candidate, target)
    if declared.estimator and is_booster(pipeline):
        fit_booster(pipeline, directions, inputs, target)
        return pipeline
    if declared.estimator and isinstance(pipeline, FixedThresholdClassifier) and is_booster(pipeline.estimator):
        told_of_columns(pipeline.estimator, directions, inputs, target)
    return pipeline.fit(inputs, target)


def fit_trial(
    experiment: Experiment, candidate: str, pipeline: Any, rows: pd.DataFrame, held_out: pd.DataFrame
) -> Mapping[str, Any]:
    """Fit as `fit` does, for a trial; return the parameters that early stopping on the held-out rows found, if any."""
    declared = experiment.search.candidates[candidate]
    if not (stops_early(declared) and is_booster(pipeline)):
        fit(experiment, candidate, pipeline, rows)
        return {}
    (inputs, target), held = (_parts(experiment, candidate, each) for each in (rows, held_out))
    return fit_booster(pipeline, _directions(experiment, candidate, target), inputs, target, held_out=held)


def _parts(experiment: Experiment, candidate: str, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    return rows[list(experiment.inputs_of(candidate))], rows[experiment.data.target]


def _directions(experiment: Experiment, candidate: str, target: pd.Series) -> dict[str, int]:
    """Return the directions of columns for the class that is last in order, which a library's score is of.

    The declared ones are of the positive class.
    """
    turned = experiment.data.positive is not None and target.min() == experiment.data.positive
    return {name: -way if turned else way for name, way in experiment.search.candidates[candidate].monotone.items()}
