"""The portfolio: the candidates that are searched where an experiment names none, as plain values of experiment.yaml.

Each candidate begins at points that did well on many tables, and only then searches its space: with twenty trials, good first
points matter more than a clever search (Feurer et al., Auto-Sklearn 2.0, 2022). benchmarks/README.md says what was measured.
"""

from typing import Any

from slipway.core.tasks import Task

_LARGE = 10_000
"""From so many rows on, boosting stops by itself on a part of the training rows: the rows that this takes are not missed."""
_FOREST_UP_TO = 30_000
"""Up to so many rows there is a forest: beyond, its trees cost more time and memory than they win."""
_ROWS_A_LEAF = 6_000
# Among so many features a tree looks at fewer of them at a time, or a fit takes minutes.
_WIDE = 100

_RATE, _LEAVES, _LEAST, _L2, _FEATURES = (
    "learning_rate",
    "max_leaf_nodes",
    "min_samples_leaf",
    "l2_regularization",
    "max_features",
)
# Found by greedy cover of seven tables: the first point is the best alone, each further one helps most where those before fail.
# The fourth is scikit-learn's own default, so that a search is no worse than that on the validation rows.
_BOOSTING = (
    {_RATE: 0.075, _LEAVES: 10, _LEAST: 14, _L2: 10.0, _FEATURES: 0.4, "max_iter": 200},
    {_RATE: 0.03, _LEAVES: 31, _LEAST: 20, _L2: 5.0, _FEATURES: 0.5, "max_iter": 200},
    {_RATE: 0.09, _LEAVES: 8, _LEAST: 5, _L2: 0.001, _FEATURES: 0.85, "max_iter": 400},
    {_RATE: 0.1, _LEAVES: 31, _LEAST: 20, _L2: 0.001, _FEATURES: 1.0, "max_iter": 100},
    {_RATE: 0.05, _LEAVES: 15, _LEAST: 20, _L2: 1.0, _FEATURES: 0.5, "max_iter": 200},
)


def portfolio(task: Task, rows: int, features: int, effort: str) -> dict[str, dict[str, Any]]:
    """Return the candidates that fit a table, under the keys of `search.candidates`; each call returns new values.

    Every candidate is in the default installation, is trusted when it is loaded, and compiles.

    Args:
        task: The task.
        rows: The rows of the table.
        features: The features of the table.
        effort: fast, normal or best.
    """
    candidates = {"boosting": _boosting(task, rows, features)}
    if rows <= _FOREST_UP_TO and effort != "fast":
        candidates["extra_trees"] = _extra_trees(task, rows, features)
    candidates["linear"] = _linear(task)
    return candidates


def _boosting(task: Task, rows: int, features: int) -> dict[str, Any]:
    large = rows >= _LARGE
    space: dict[str, Any] = {
        _RATE: {"log_uniform": [0.01, 0.3]},
        _LEAVES: {"int": [4, 63]},
        _LEAST: {"int": [4, 100]},
        _L2: {"log_uniform": [0.001, 30]},
        _FEATURES: {"uniform": [0.1 if features > _WIDE else 0.3, 1.0]},
        "max_iter": {"int": [40, 400]},
    }
    start = [dict(point) for point in _BOOSTING]
    fixed: dict[str, Any] = {"early_stopping": False}
    if large:
        fixed = {"early_stopping": True, "max_iter": 1000, "n_iter_no_change": 20}
        for each in (space, *start):
            del each["max_iter"]
    return {
        "estimator": f"sklearn.ensemble.HistGradientBoosting{_kind(task)}",
        "params": fixed,
        "space": space,
        "start": start,
    }


def _extra_trees(task: Task, rows: int, features: int) -> dict[str, Any]:
    """A hundred trees of some thousand nodes: a row is answered in microseconds, and a model takes at most some 100 MB."""
    least = max(1, rows // _ROWS_A_LEAF)
    few, many = (0.1, 0.3) if features > _WIDE else (0.5, 1.0)
    return {
        "estimator": f"sklearn.ensemble.ExtraTrees{_kind(task)}",
        "params": {"n_estimators": 100},
        "space": {_LEAST: {"int": [least, least + 15]}, _FEATURES: {"uniform": [few / 2, many]}},
        "start": [{_LEAST: max(3, least), _FEATURES: few}, {_LEAST: least, _FEATURES: many}],
    }


def _linear(task: Task) -> dict[str, Any]:
    if task.is_classification:
        return {
            "estimator": "sklearn.linear_model.LogisticRegression",
            "params": {"max_iter": 300},
            "space": {"C": {"log_uniform": [0.003, 30]}},
            "start": [{"C": 1.0}, {"C": 0.05}],
        }
    return {
        "estimator": "sklearn.linear_model.Ridge",
        "space": {"alpha": {"log_uniform": [0.01, 1000]}},
        "start": [{"alpha": 1.0}, {"alpha": 30.0}],
    }


def _kind(task: Task) -> str:
    return "Classifier" if task.is_classification else "Regressor"
