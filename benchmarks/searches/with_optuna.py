"""Optuna on all cores with a nested MLflow run a trial, in two ways that its users take.

The runs are written by the trial itself, not by optuna-integration's MLflowCallback: that one holds a lock while it writes and
looks the experiment up again for each trial, which is slower.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import mlflow
import optuna
from optuna.storages.journal import JournalFileBackend, JournalStorage

from searches.task import Task
from searches.waiting import Waiting
from slipway.core.space import Int, LogUniform

JOBS = len(os.sched_getaffinity(0))


def in_threads(task: Task, waiting: Waiting) -> dict[str, Any]:
    """`study.optimize(n_jobs=...)`: threads of one process; scikit-learn lets go of Python's lock while it grows trees."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    clock = time.perf_counter()
    with mlflow.start_run() as parent:
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
        _enqueue(study, task)
        study.optimize(_objective(task, parent.info.run_id), n_trials=len(task.sets), n_jobs=JOBS)
        _log_best(study)
    tracking_s = waiting.of("MainThread") + waiting.of_others("MainThread") / JOBS
    return {"wall_s": time.perf_counter() - clock, "scores": _scores(study), "tracking_s": tracking_s}


def in_processes(task: Task, waiting: Waiting) -> dict[str, Any]:
    """joblib's processes, each with its share of the trials of one study in a journal file, as Optuna's manual has it."""
    clock = time.perf_counter()
    with tempfile.TemporaryDirectory() as made, mlflow.start_run() as parent:
        journal = str(Path(made) / "journal.log")
        study = optuna.create_study(study_name="bench", direction="maximize", storage=_storage(journal))
        _enqueue(study, task)
        counts = [len(task.sets[i::JOBS]) for i in range(JOBS)]
        work = joblib.delayed(_work)
        waited = joblib.Parallel(n_jobs=JOBS)(work(task, journal, parent.info.run_id, count) for count in counts)
        _log_best(study)
        tracking_s = waiting.of("MainThread") + sum(waited) / JOBS
        return {"wall_s": time.perf_counter() - clock, "scores": _scores(study), "tracking_s": tracking_s}


def _work(task: Task, journal: str, parent: str, trials: int) -> float:
    """Run a share of the trials in a worker of joblib's; return the seconds that it waited for tracking."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    waiting = Waiting()
    waiting.watch_mlflow()
    study = optuna.load_study(study_name="bench", storage=_storage(journal))
    study.optimize(_objective(task, parent), n_trials=trials)
    return waiting.of_others()


def _objective(task: Task, parent: str) -> Callable[[optuna.Trial], float]:
    experiment = mlflow.get_run(parent).info.experiment_id

    def objective(trial: optuna.Trial) -> float:
        params = {name: _suggested(trial, name, distribution) for name, distribution in task.space.items()}
        with mlflow.start_run(experiment_id=experiment, nested=True, parent_run_id=parent):
            roc_auc = task.fit_and_score(params)
            mlflow.log_params(params)
            mlflow.log_metric("roc_auc", roc_auc)
        return roc_auc

    return objective


def _suggested(trial: optuna.Trial, name: str, distribution: Any) -> float | int:
    low, high = distribution.ends
    if isinstance(distribution, Int):
        return trial.suggest_int(name, low, high)
    return trial.suggest_float(name, low, high, log=isinstance(distribution, LogUniform))


def _enqueue(study: optuna.Study, task: Task) -> None:
    for params in task.sets:
        study.enqueue_trial(params)


def _log_best(study: optuna.Study) -> None:
    mlflow.log_params(study.best_params)
    mlflow.log_metric("roc_auc", study.best_value)


def _scores(study: optuna.Study) -> list[float | None]:
    return [trial.value for trial in sorted(study.trials, key=lambda trial: trial.number)]


def _storage(journal: str) -> JournalStorage:
    return JournalStorage(JournalFileBackend(journal))
