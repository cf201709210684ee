"""The portfolio: the candidates that are searched where an experiment names none, as plain values of experiment.yaml.

Each candidate begins at points that did well on many tables, and only then searches its space: with twenty trials, good first
points matter more than a clever search (Feurer et al., Auto-Sklearn 2.0, 2022). benchmarks/README.md says what was measured.
"""

from typing import Any

from slipway.core.tasks import Task

_LARGE = 10_000
"""From so many rows on, boosting stops by itself on a part of the training rows: the rows that this takes are not missed."""
_FORESTS_UP_TO = 30_000
"""Up to so many rows there is a forest: beyond, its trees cost more time and memory than they win."""


def portfolio(task: Task, rows: int, features: int, effort: str) -> dict[str, dict[str, Any]]:
    """Return the candidates that fit a table, under the keys of `search.candidates`; each call returns new values.

    Every candidate is in the default installation, is trusted when it is loaded, and compiles.

    Args:
        task: The task.
        rows: The rows of the table.
        features: The features of the table.
        effort: fast, normal or best.
    """
    candidates = {"boosting": _boosting(task, rows)}
    if rows <= _FORESTS_UP_TO and effort != "fast":
        candidates["extra_trees"] = _extra_trees(task, rows)
    candidates["linear"] = _linear(task)
    return candidates


def _boosting(task: Task, rows: int) -> dict[str, Any]:
    kind = "Classifier" if task.is_classification else "Regressor"
    large = rows >= _LARGE
    iterations, stopping = (1000, {"early_stopping": True, "n_iter_no_change": 20}) if large else (400, {})
    space = {
        "learning_rate": {"log_uniform": [0.01, 0.3]},
        "max_leaf_nodes": {"int": [4, 63 if large else 31]},
        "min_samples_leaf": {"int": [5, 100 if large else 50]},
        "l2_regularization": {"log_uniform": [1e-3, 30]},
        "max_features": {"uniform": [0.3, 1.0]},
    }
    if not large:
        space["max_iter"] = {"int": [40, iterations]}
    start = [
        _point(0.1, 31, 20, 0.001, 1.0, 100),
        _point(0.05, 15, 20, 1.0, 0.5, 200),
        _point(0.1, 6, 10, 1.0, 0.7, 100),
        _point(0.03, 31, 20, 5.0, 0.5, 200),
    ]
    if large:
        for point in start:
            del point["max_iter"]
    fixed = {"max_iter": iterations, **stopping} if large else {"early_stopping": False}
    return {
        "estimator": f"sklearn.ensemble.HistGradientBoosting{kind}",
        "params": fixed,
        "space": space,
        "start": start,
    }


def _point(rate: float, leaves: int, least: int, l2: float, features: float, iterations: int) -> dict[str, Any]:
    return {
        "learning_rate": rate,
        "max_leaf_nodes": leaves,
        "min_samples_leaf": least,
        "l2_regularization": l2,
        "max_features": features,
        "max_iter": iterations,
    }


def _extra_trees(task: Task, rows: int) -> dict[str, Any]:
    kind = "Classifier" if task.is_classification else "Regressor"
    return {
        "estimator": f"sklearn.ensemble.ExtraTrees{kind}",
        "params": {"n_estimators": 200},
        "space": {"min_samples_leaf": {"int": [1, 20]}, "max_features": {"uniform": [0.2, 1.0]}},
        "start": [{"min_samples_leaf": 3, "max_features": 0.5}],
    }


def _linear(task: Task) -> dict[str, Any]:
    if task.is_classification:
        return {
            "estimator": "sklearn.linear_model.LogisticRegression",
            "params": {"max_iter": 300},
            "space": {"C": {"log_uniform": [0.003, 30]}},
            "start": [{"C": 1.0}],
        }
    return {
        "estimator": "sklearn.linear_model.Ridge",
        "space": {"alpha": {"log_uniform": [0.01, 1000]}},
        "start": [{"alpha": 10.0}],
    }
