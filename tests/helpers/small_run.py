"""An experiment of a few hundred rows, prepared and evaluated as `slipway run` does it, without MLflow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from slipway.core.spec import Experiment
from slipway.core.trials import Trial
from slipway.search import fit_baselines
from slipway.search.proposals import Proposal
from slipway.search.question import run_trial
from slipway.workflows.project import Declared
from slipway.workflows.training.evaluate import Evaluated, evaluate
from slipway.workflows.training.prepare import Prepared, prepare, question_of
from slipway.workflows.training.winner import Winner, fit_chosen

CANDIDATES: Mapping[str, Any] = {"logistic": {"estimator": "sklearn.linear_model.LogisticRegression"}}


def write_rows(folder: Path, rows: int = 600, seed: int = 3, late: float = 0.3) -> None:
    """Write rows of the small experiment: `minutes` says something of `late`, `port` nothing."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(rows) < late).astype(int)
    minutes = truth * 1.2 + rng.normal(size=rows)
    table = pd.DataFrame({"late": truth, "minutes": minutes, "port": rng.choice(["hill", "mill"], rows)})
    table.to_csv(folder / "rows.csv", index=False)


@dataclass(frozen=True)
class SmallRun:
    """What a run has at hand when it writes its card."""

    spec: Declared
    prepared: Prepared
    trial: Trial
    winner: Winner
    model: Any
    evaluated: Evaluated


def declare_small(
    declare: Callable[..., Experiment], folder: Path, candidates: Mapping[str, Any] = CANDIDATES, **sections: Any
) -> Declared:
    """Return the small experiment in a folder that has its rows."""
    experiment = declare(search={"metric": "roc_auc", "candidates": candidates}, **sections)
    return Declared(folder, "", experiment)


def run_small(spec: Declared) -> SmallRun:
    """Run one trial of its only candidate, fit it as the winner and evaluate it on the test rows."""
    prepared = prepare(spec)
    spec = prepared.spec
    (name,) = spec.experiment.search.candidates
    trial = run_trial(question_of(spec, prepared), Proposal(1, name, {}))
    assert not trial.error, trial.error
    model, winner = fit_chosen(spec, prepared, trial)
    baselines = fit_baselines(spec.folder, spec.experiment, prepared.splits.development, prepared.classes)
    return SmallRun(spec, prepared, trial, winner, model, evaluate(model, spec, prepared, baselines))
