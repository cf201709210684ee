"""LightGBM tuned by Optuna for as long as it may.

The parameters are those that Optuna's own LightGBM examples tune, the defaults are the first trial, and fits stop early. Below
`FEW` rows a trial is the mean of five folds; otherwise one fifth of the rows is held out. The best parameters are fitted once
more on all rows, with as many trees as were best.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import optuna
import pandas as pd
from numpy.typing import NDArray

from tabular.answers import Answers, of_classes, of_numbers
from tabular.predict import Predict
from tabular.prepared import Prepared, prepare
from tabular.task import SEED, Given

FEW, FOLDS = 5000, 5
MOST_TREES, PATIENCE = 2000, 50
FOR_SEARCH = 0.8
"""The share of the time that goes to the search; imports and the last fit take the rest."""

DEFAULTS = {
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_data_in_leaf": 20,
    "feature_fraction": 1.0,
    "bagging_fraction": 1.0,
    "lambda_l1": 1e-8,
    "lambda_l2": 1e-8,
}


@dataclass(frozen=True)
class Learned:
    """The rows as LightGBM takes them. classes: what the codes in `labels` stand for, (0,) of a regression."""

    ready: Prepared
    inputs: pd.DataFrame
    labels: NDArray[Any]
    classes: NDArray[Any]
    objective: Mapping[str, Any]


def fit(given: Given) -> Predict:
    until = time.monotonic() + FOR_SEARCH * given.seconds
    learned = _learn(given)
    folds = _folds(given, learned)

    def objective(trial: optuna.Trial) -> float:
        found = [_one_fold(learned, _drawn(trial), *fold, until) for fold in folds]
        trial.set_user_attr("trees", round(np.mean([trees for _, trees in found])))
        return float(np.mean([loss for loss, _ in found]))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=SEED))
    study.enqueue_trial(DEFAULTS)
    study.optimize(objective, timeout=max(0.1, until - time.monotonic()))
    trees = study.best_trial.user_attrs["trees"]
    print(f"{len(study.trials)} trials; the best: {trees} trees, {study.best_params}")
    rows = lgb.Dataset(learned.inputs, learned.labels)
    model = lgb.train({**learned.objective, "bagging_freq": 1, **study.best_params}, rows, num_boost_round=trees)
    return lambda rows: _answers(learned, model, rows)


def _learn(given: Given) -> Learned:
    ready = prepare(given.inputs)
    shared = {"verbosity": -1, "seed": SEED}
    inputs = ready.columns(given.inputs)
    if given.task == "regression":
        objective = {"objective": "regression", "metric": "rmse"}
        return Learned(ready, inputs, given.labels.to_numpy(), np.array([]), {**objective, **shared})
    classes, codes = np.unique(given.labels.to_numpy(dtype=str), return_inverse=True)
    objective = {"objective": "binary", "metric": "binary_logloss"}
    if given.task == "multiclass":
        objective = {"objective": "multiclass", "metric": "multi_logloss", "num_class": len(classes)}
    return Learned(ready, inputs, codes, classes, {**objective, **shared})


def _drawn(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 4, 256, log=True),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 1, 100, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.4, 1.0),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.4, 1.0),
        "lambda_l1": trial.suggest_float("lambda_l1", 1e-8, 10.0, log=True),
        "lambda_l2": trial.suggest_float("lambda_l2", 1e-8, 10.0, log=True),
        "bagging_freq": 1,
    }


def _folds(given: Given, learned: Learned) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    from sklearn.model_selection import KFold, StratifiedKFold

    rare = given.task == "regression" or np.bincount(learned.labels).min() < FOLDS
    kind = KFold if rare else StratifiedKFold
    folds = list(kind(FOLDS, shuffle=True, random_state=SEED).split(learned.inputs, learned.labels))
    return folds if len(learned.labels) < FEW else folds[:1]


def _one_fold(
    learned: Learned, params: Mapping[str, Any], fitted: NDArray[np.int64], held: NDArray[np.int64], until: float
) -> tuple[float, int]:
    """The least loss on the fold's held rows, and the number of trees that had it."""
    losses: dict[str, dict[str, list[float]]] = {}
    train = lgb.Dataset(learned.inputs.iloc[fitted], learned.labels[fitted])
    valid = train.create_valid(learned.inputs.iloc[held], learned.labels[held])
    stops = [lgb.early_stopping(PATIENCE, verbose=False), lgb.record_evaluation(losses), _stop_at(until)]
    lgb.train({**learned.objective, **params}, train, num_boost_round=MOST_TREES, valid_sets=[valid], callbacks=stops)
    (of_rounds,) = losses["valid_0"].values()
    return min(of_rounds), int(np.argmin(of_rounds)) + 1


def _stop_at(until: float) -> Callable[[Any], None]:
    """A callback that ends a fit at a moment, with the trees that it has: a trial may not outlast the search."""

    def callback(env: Any) -> None:
        if time.monotonic() > until:
            raise lgb.callback.EarlyStopException(env.iteration, env.evaluation_result_list)

    callback.order = 40  # type: ignore[attr-defined]  # after the others, which remember this round
    return callback


def _answers(learned: Learned, model: lgb.Booster, rows: pd.DataFrame) -> Answers:
    given = np.asarray(model.predict(learned.ready.columns(rows)))
    if not len(learned.classes):
        return of_numbers(given)
    return of_classes(given if given.ndim == 2 else np.column_stack([1 - given, given]), learned.classes)
