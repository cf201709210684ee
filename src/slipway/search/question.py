"""What each trial answers, and one trial from its parameters to its score."""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from slipway.core.metrics import measure
from slipway.core.prediction import predict
from slipway.core.spec import Experiment
from slipway.core.trials import Trial
from slipway.search.candidates import build_pipeline


@dataclass(frozen=True)
class Question:
    """What each trial answers: fit on `train`, score on `validation`, both with their target."""

    folder: Path
    experiment: Experiment
    classes: Sequence[Any]
    train: pd.DataFrame
    validation: pd.DataFrame


def run_trial(question: Question, number: int, candidate: str, params: dict[str, Any]) -> Trial:
    """Fit and score one pipeline; whatever goes wrong in it becomes the trial's error."""
    experiment = question.experiment
    features, target = list(experiment.data.features), experiment.data.target
    started_ms, clock = int(time.time() * 1000), time.perf_counter()
    metrics: dict[str, float] = {}
    error = ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            pipeline = build_pipeline(question.folder, experiment, candidate, params)
            pipeline.fit(question.train[features], question.train[target])
            rows, truth = question.validation[features], question.validation[target]
            metrics = measure(experiment.task, predict(pipeline, rows, truth, experiment.task, question.classes))
        except Exception as failure:  # noqa: BLE001 - an estimator may raise anything; the search goes on
            error = f"{type(failure).__name__}: {failure}"
    score = metrics.get(experiment.search.metric)
    if not error and (score is None or not np.isfinite(score)):
        error, score = f"{experiment.search.metric} could not be computed (got {score})", None
    said = tuple(dict.fromkeys(f"{w.category.__name__}: {str(w.message).splitlines()[0]}" for w in caught))
    duration_s = time.perf_counter() - clock
    return Trial(number, candidate, score, params, duration_s, error, metrics, said[:10], started_ms)
