"""The search that all systems are given: the same rows, the same parameter sets in the same order, the same metric."""

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from slipway.core.space import Int, LogUniform, Uniform
from slipway.core.spec import Candidate, Search
from slipway.search import build_pipeline
from slipway.settings import read_settings
from slipway.workflows.project import Declared, declared
from slipway.workflows.training.prepare import prepare

ROOT = Path(__file__).parents[2]
EXPERIMENT = "flight_delays"
# A fit of the first uses every core by scikit-learn's default, one of the second a single one. About two seconds each.
TREES = {"boosting": 120, "forest": 8}
FOREST = Candidate(
    estimator="sklearn.ensemble.RandomForestClassifier",
    params={"random_state": 7},
    space={
        "max_features": {"uniform": [0.2, 0.8]},
        "max_leaf_nodes": {"int": [50, 400]},
        "min_samples_leaf": {"int": [20, 400]},
    },
)


@dataclass(frozen=True)
class Task:
    """Training and validation rows of the flights, and the parameter sets to try on them.

    spec: the experiment, searched over one candidate.
    """

    spec: Declared
    train: pd.DataFrame
    validation: pd.DataFrame
    classes: tuple[Any, ...]
    sets: tuple[dict[str, Any], ...]

    @property
    def candidate(self) -> str:
        (name,) = self.spec.experiment.search.candidates
        return name

    @property
    def space(self) -> Mapping[str, Any]:
        """The candidate's parameters and their distributions."""
        return self.spec.experiment.search.candidates[self.candidate].space

    @cached_property
    def inputs(self) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame, pd.Series]:
        """X_train, y_train, X_validation, y_validation, cut out once, as a script does before its search."""
        features, target = list(self.spec.experiment.data.features), self.spec.experiment.data.target
        return self.train[features], self.train[target], self.validation[features], self.validation[target]

    def fit_and_score(self, params: dict[str, Any]) -> float:
        """Fit one pipeline and return its ROC AUC on the validation rows: all that a trial needs, and nothing else."""
        x_train, y_train, x_validation, y_validation = self.inputs
        pipeline = build_pipeline(self.spec.folder, self.spec.experiment, self.candidate, params, self.train)
        pipeline.fit(x_train, y_train)
        return float(roc_auc_score(y_validation, pipeline.predict_proba(x_validation)[:, 1]))


def prepare_task(folder: Path, estimator: str, trials: int, rows: int | None, trees: int, seed: int) -> dict[str, Any]:
    """Read the flights once and leave them in `folder` for the systems; return the numbers that describe the task.

    rows: how many training rows to draw, and as large a share of the validation rows; None = all.
    """
    spec = _spec(estimator, trials, trees, seed)
    prepared = prepare(spec)
    share = 1.0 if rows is None else min(1.0, rows / len(prepared.splits.train))
    rng = np.random.default_rng(seed)
    parts = [_sample(part, share, rng) for part in (prepared.splits.train, prepared.splits.validation)]
    sets = _parameter_sets(spec, trials, rng)
    settings = {"estimator": estimator, "trials": trials, "trees": trees, "seed": seed}
    (folder / "task.json").write_text(json.dumps({**settings, "sets": sets}), encoding="utf-8")
    (folder / "rows.pickle").write_bytes(pickle.dumps((*parts, prepared.classes)))
    return {**settings, "rows_train": len(parts[0]), "rows_validation": len(parts[1])}


def load_task(folder: Path) -> Task:
    """Return the task that was prepared in a folder."""
    told = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    train, validation, classes = pickle.loads((folder / "rows.pickle").read_bytes())
    spec = _spec(told["estimator"], told["trials"], told["trees"], told["seed"])
    return Task(spec, train, validation, classes, tuple(told["sets"]))


def _spec(estimator: str, trials: int, trees: int, seed: int) -> Declared:
    found = declared(read_settings({}, project=ROOT), EXPERIMENT)
    candidate = found.experiment.search.candidates["boosting"] if estimator == "boosting" else FOREST
    counted = {"max_iter" if estimator == "boosting" else "n_estimators": trees}
    candidate = candidate.model_copy(update={"params": {**candidate.params, **counted}})
    changes = {"candidates": {estimator: candidate}, "trials": trials, "seed": seed, "timeout_s": 86_400}
    search = Search.model_validate({**dict(found.experiment.search), **changes})
    # Without costs: the threshold is no part of what the others do.
    scope = found.experiment.scope.model_copy(update={"costs": None})
    return Declared(found.folder, found.text, found.experiment.model_copy(update={"search": search, "scope": scope}))


def _parameter_sets(spec: Declared, trials: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Draw the sets from the space that the experiment declares."""
    return [
        {
            key: _draw(d, rng)
            for candidate in spec.experiment.search.candidates.values()
            for key, d in candidate.space.items()
        }
        for _ in range(trials)
    ]


def _draw(distribution: Any, rng: np.random.Generator) -> float | int:
    match distribution:
        case Uniform(ends=(low, high)):
            return float(rng.uniform(low, high))
        case LogUniform(ends=(low, high)):
            return float(np.exp(rng.uniform(np.log(low), np.log(high))))
        case Int(ends=(low, high)):
            return int(rng.integers(low, high, endpoint=True))
    raise TypeError(f"the benchmark does not draw from {distribution!r}")


def _sample(rows: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
    return rows if share >= 1 else rows.iloc[np.sort(rng.permutation(len(rows))[: round(share * len(rows))])]
