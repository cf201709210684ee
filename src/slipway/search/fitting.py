"""The fit of a candidate's pipeline: on its own inputs, with the target of the experiment.

Trials, calibration, the rehearsal and the winner all fit by `fit`, so a model is fitted in one way wherever it is fitted.
"""

from typing import Any

import pandas as pd

from slipway.core.spec import Experiment


def fit(experiment: Experiment, candidate: str, pipeline: Any, rows: pd.DataFrame) -> Any:
    """Fit an unfitted pipeline, or a model around it, on rows with their target, (rows, columns), and return it."""
    return pipeline.fit(rows[list(experiment.inputs_of(candidate))], rows[experiment.data.target])
