"""An effort decides what an experiment does not declare, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from slipway.core.spec import ENSEMBLE, Experiment
from slipway.search import planned as planned_for
from slipway.search import portfolio
from slipway.search.effort import EFFORTS, FEW_ROWS

LOGISTIC = {"logistic": {"estimator": "sklearn.linear_model.LogisticRegression"}}
COLUMNS = {"x": {"type": "float"}, "y": {"type": "int"}}


def experiment(search=None, split=None, columns=None, time=None):
    return Experiment.model_validate(
        {
            "name": "made_up",
            "scope": {"goal": "to be tested"},
            "task": "binary",
            "data": {"source": {"csv": "x.csv"}, "target": "y", "columns": columns or COLUMNS, "time": time},
            "split": split or {"method": "random"},
            "search": {"metric": "roc_auc", **(search or {})},
        }
    )


def planned(spec, rows, **columns):
    """The plan for so many rows, half of them of each class."""
    return planned_for(spec, pd.DataFrame({"y": np.arange(rows) % 2, **columns}))


def test_nothing_declared_is_a_normal_effort_with_the_portfolio():
    plan = planned(experiment(), 150_000).search
    assert plan.effort == "normal"
    assert plan.trials == EFFORTS["normal"].trials
    assert list(plan.candidates) == list(portfolio(experiment().task, 150_000, 1, "normal"))
    assert plan.ensemble == "auto"
    assert plan.halving is not None


def test_counted_trials_are_searched_as_declared():
    spec = experiment({"trials": 7, "candidates": LOGISTIC})
    assert planned(spec, 1000) == spec
    assert (spec.search.effort, spec.search.ensemble) == (None, None)


def test_what_is_declared_wins():
    declared = {
        "effort": "best",
        "trials": 3,
        "timeout_s": 9,
        "ensemble": "never",
        "patience": 2,
        "candidates": LOGISTIC,
    }
    halving = {"factor": 2, "min_share": 0.25}
    spec = experiment({**declared, "halving": halving}, {"method": "random", "validation": 0.3})
    assert planned(spec, 100) == spec


def test_whoever_gives_the_time_alone_gets_all_of_it():
    plan = planned(experiment({"effort": "fast", "timeout_s": 30}), 1000).search
    assert plan.timeout_s == 30
    assert plan.most_trials >= 1000
    assert plan.patience is None


@pytest.mark.parametrize("effort", EFFORTS)
def test_few_rows_are_validated_on_folds_and_more_rows_get_more_time(effort):
    few, many = (planned(experiment({"effort": effort}), rows) for rows in (FEW_ROWS - 1, 2_000_000))
    assert few.split.folds == EFFORTS[effort].folds
    assert many.split.folds is None
    assert many.search.most_s > few.search.most_s
    assert few.search.halving is None
    assert many.search.halving.shares[0] < 0.2


def test_a_split_by_time_keeps_its_validation_part():
    columns = COLUMNS | {"when": {"type": "datetime"}}
    spec = experiment(split={"method": "time"}, columns=columns, time="when")
    assert planned(spec, 500).split.folds is None


def test_a_plan_that_is_planned_again_stays():
    plan = planned(experiment({"effort": "fast"}), 1000)
    assert planned(plan, 500_000) == plan
    assert planned(Experiment.model_validate(plan.as_dict()), 10) == plan


def test_a_candidate_may_not_have_the_name_of_the_ensemble():
    with pytest.raises(ValueError, match="is the name of several trials together"):
        experiment({"candidates": {ENSEMBLE: LOGISTIC["logistic"]}})
    assert experiment({"trials": 3, "candidates": {ENSEMBLE: LOGISTIC["logistic"]}})


def test_an_experiment_that_counts_trials_names_candidates():
    with pytest.raises(ValueError, match="nothing is named to try"):
        experiment({"trials": 3})


def test_there_are_no_more_folds_than_groups_and_rows_of_a_class_allow():
    columns = COLUMNS | {"ship": {"type": "category"}}
    by_ship = experiment(split={"method": "group", "group": "ship"}, columns=columns)
    for ships, folds in ((3, 2), (40, 5), (2, None)):
        assert planned(by_ship, 1000, ship=np.arange(1000) % ships).split.folds == folds
    for positive, folds in ((100, 5), (10, 4), (3, None)):
        assert planned(experiment(), 1000, y=(np.arange(1000) < positive) * 1).split.folds == folds
