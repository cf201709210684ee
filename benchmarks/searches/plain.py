"""hyperopt and MLflow as MLflow's quickstart writes them: `fmin`, and a nested run a trial.

After "Compare runs, choose a model, and deploy it to a REST API" of MLflow's documentation. Its logging of each trial's model
is left out, which is in this script's favour.
"""

import time
from typing import Any

import mlflow
import numpy as np
from hyperopt import STATUS_OK, Trials, fmin, hp, tpe

from searches.task import Task
from searches.waiting import Waiting

SPACES = {
    "boosting": {
        "learning_rate": hp.loguniform("learning_rate", np.log(0.03), np.log(0.3)),
        "max_leaf_nodes": hp.quniform("max_leaf_nodes", 6, 40, 1),
        "min_samples_leaf": hp.quniform("min_samples_leaf", 20, 400, 1),
    },
    "forest": {
        "max_features": hp.uniform("max_features", 0.2, 0.8),
        "max_leaf_nodes": hp.quniform("max_leaf_nodes", 50, 400, 1),
        "min_samples_leaf": hp.quniform("min_samples_leaf", 20, 400, 1),
    },
}
WHOLE = ("max_leaf_nodes", "min_samples_leaf")


def search(task: Task, waiting: Waiting) -> dict[str, Any]:
    scores = []

    def objective(params: dict[str, Any]) -> dict[str, Any]:
        params = {key: int(value) if key in WHOLE else value for key, value in params.items()}
        with mlflow.start_run(nested=True):
            roc_auc = task.fit_and_score(params)
            mlflow.log_params(params)
            mlflow.log_metric("roc_auc", roc_auc)
            scores.append(roc_auc)
            return {"loss": -roc_auc, "status": STATUS_OK}

    def suggest(ids: list[int], domain: Any, trials: Trials, seed: int) -> list[dict[str, Any]]:
        """Ask hyperopt, so that its time is spent, and take the fixed sets instead of what it says."""
        documents = tpe.suggest(ids, domain, trials, seed)
        for document in documents:
            document["misc"]["vals"] = {key: [value] for key, value in task.sets[document["tid"]].items()}
        return documents

    clock = time.perf_counter()
    with mlflow.start_run():
        trials = Trials()
        best = fmin(fn=objective, space=SPACES[task.candidate], algo=suggest, max_evals=len(task.sets), trials=trials)
        best_run = sorted(trials.results, key=lambda x: x["loss"])[0]
        mlflow.log_params(best)
        mlflow.log_metric("roc_auc", -best_run["loss"])
    return {"wall_s": time.perf_counter() - clock, "scores": scores, "tracking_s": waiting.of("MainThread")}
