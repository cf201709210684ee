"""A trial, or an ensemble of trials, as a run in MLflow."""

import json
from collections.abc import Callable
from typing import Any

from slipway.core.spec import Experiment
from slipway.core.trials import EnsembleMember, Trial
from slipway.tracking.trials import parameters, trial_run

TREE = {"tree": {"estimator": "sklearn.tree.DecisionTreeClassifier", "params": {"max_depth": 2}}}


def test_an_ensemble_is_a_run_of_its_own_kind_that_no_search_goes_on_from(declare: Callable[..., Experiment]) -> None:
    experiment: Any = declare(search={"metric": "roc_auc", "candidates": TREE})
    members = (EnsembleMember(7, "tree", {"C": 1.0}, 0.6), EnsembleMember(2, "tree", {"C": 3.0}, 0.4))
    run = trial_run(Trial(7, "ensemble", 0.9, metrics={"roc_auc": 0.9}, members=members), experiment)
    assert run.name == "ensemble of 2 (trials 7, 2)"
    assert run.tags["slipway.kind"] == "ensemble"
    assert "slipway.trial" not in run.tags
    assert [member["trial"] for member in json.loads(run.tags["slipway.members"])] == [7, 2]
    assert run.params == {"candidate": "ensemble", "member_7": "0.600 tree", "member_2": "0.400 tree"}


def test_a_trial_has_its_fixed_parameters_too(declare: Callable[..., Experiment]) -> None:
    experiment: Any = declare(search={"metric": "roc_auc", "candidates": TREE})
    assert parameters(experiment, Trial(1, "tree", 0.9, {"min_samples_leaf": 3})) == {
        "max_depth": 2,
        "min_samples_leaf": 3,
    }
