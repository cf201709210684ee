"""The search itself: hyperopt proposes, each proposal is fitted on the training rows and scored on the validation rows."""

import contextlib
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hyperopt import STATUS_FAIL, STATUS_OK, Trials, fmin, tpe
from hyperopt.exceptions import AllTrialsFailed

from slipway.core.metrics import METRICS, measure
from slipway.core.prediction import predict
from slipway.core.spec import Experiment
from slipway.core.trials import Trial, ranked
from slipway.errors import SearchFailed
from slipway.search.candidates import build_pipeline
from slipway.search.tpe import hyperopt_space, plain_params


@dataclass(frozen=True)
class Budget:
    """When a search ends: after so many trials, or when no new one may start."""

    trials: int
    timeout_s: float


@dataclass(frozen=True)
class Question:
    """What each trial answers: fit on `train`, score on `validation`, both with their target."""

    folder: Path
    experiment: Experiment
    classes: Sequence[Any]
    train: pd.DataFrame
    validation: pd.DataFrame


def search(question: Question, budget: Budget, on_trial: Callable[[Trial], None]) -> list[Trial]:
    """Run hyperopt's TPE serially; the same seed gives the same trials.

    on_trial sees each trial as it ends, failed ones included; a failed trial does not stop the search.
    Raises SearchFailed when not one trial finished.
    """
    experiment = question.experiment
    sign = -1.0 if METRICS[experiment.search.metric].greater_is_better else 1.0
    trials: list[Trial] = []

    def objective(drawn: dict[str, Any]) -> dict[str, Any]:
        params = plain_params(experiment.search.candidates[drawn["candidate"]], drawn["params"])
        trial = run_trial(question, len(trials) + 1, drawn["candidate"], params)
        trials.append(trial)
        on_trial(trial)
        return {"status": STATUS_OK, "loss": sign * trial.score} if trial.score is not None else {"status": STATUS_FAIL}

    with contextlib.suppress(AllTrialsFailed):
        fmin(
            objective,
            hyperopt_space(experiment.search.candidates),
            algo=tpe.suggest,
            trials=Trials(),
            max_evals=budget.trials,
            timeout=max(1, int(budget.timeout_s)),
            rstate=np.random.default_rng(experiment.search.seed),
            show_progressbar=False,
            verbose=False,
        )
    if not any(not trial.failed for trial in trials):
        raise SearchFailed(_all_failed(trials))
    return trials


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


def best_of(trials: Sequence[Trial], metric: str) -> Trial:
    """Return the finished trial with the best score; of equals, the earlier."""
    return ranked(trials, metric)[0]


def _all_failed(trials: Sequence[Trial]) -> str:
    if not trials:
        return "no trial was started within the budget; give search.timeout_s more seconds"
    errors = dict.fromkeys(f"{trial.candidate}: {trial.error}" for trial in trials)
    return f"all {len(trials)} trials failed:\n" + "\n".join(f"  {error}" for error in list(errors)[:5])
