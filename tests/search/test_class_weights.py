"""Class weights reach the estimator, whatever way the classes are spelled in YAML, and again from the JSON of a run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from slipway.core.spec import Experiment
from slipway.core.spec._yaml import read_experiment
from slipway.errors import CodeInvalid
from slipway.search import build_pipeline, decided, fit
from slipway.search.fitting import fit_trial

YAML = """
name: small
scope: {{goal: Say which rows are late.}}
task: binary
data:
  source: {{csv: rows.csv}}
  target: late
  columns:
    late: {{type: {kind}}}
    minutes: {{type: float}}
split: {{method: random}}
search:
  metric: roc_auc
  candidates:
    logistic: {{estimator: sklearn.linear_model.LogisticRegression, params: {{class_weight: {weights}}}}}
"""


@pytest.mark.parametrize(
    ("kind", "weights", "classes"),
    [
        ("int", "{0: 1, 1: 50}", (0, 1)),
        ("int", '{"0": 1, "1": 50}', (0, 1)),
        ("bool", "{false: 1, true: 50}", (False, True)),
        ("category", '{"no": 1, "yes": 50}', ("no", "yes")),
        ("category", "{0: 1, 1: 50}", ("0", "1")),
    ],
)
def test_a_mapping_reaches_the_estimator_as_declared_and_as_recorded(
    tmp_path: Path, kind: str, weights: str, classes: tuple[Any, Any]
) -> None:
    declared = read_experiment(YAML.format(kind=kind, weights=weights), "experiment.yaml")
    recorded = Experiment.model_validate(json.loads(json.dumps(declared.as_dict())))
    assert recorded.digest == declared.digest
    rng = np.random.default_rng(0)
    late = rng.integers(0, 2, 300)
    rows = pd.DataFrame({"late": [classes[code] for code in late], "minutes": late + rng.normal(size=300)})
    for experiment in (declared, recorded):
        pipeline = build_pipeline(tmp_path, experiment, "logistic", {})
        assert fit(experiment, "logistic", pipeline, rows).predict(rows).tolist().count(classes[1]) > 280


def of_histogram(
    declare: Callable[..., Experiment], classes: tuple[Any, Any], params: dict[str, Any], **data: Any
) -> tuple[Experiment, pd.DataFrame]:
    """Return an experiment of histogram gradient boosting that weighs the second class, and rows for it."""
    weights = {str(classes[0]): 1, str(classes[1]): 50}
    hist = "sklearn.ensemble.HistGradientBoostingClassifier"
    candidate = {"estimator": hist, "params": {"class_weight": weights, **params}}
    kind = {int: "int", str: "category", bool: "bool"}[type(classes[0])]
    columns = {"late": {"type": kind}, "minutes": {"type": "float"}, "counts": {"type": "float"}}
    section = declare().as_dict()["data"] | {"columns": columns, "not_leaking": []} | data
    rng = np.random.default_rng(0)
    late = rng.integers(0, 2, 300)
    rows = pd.DataFrame({"late": [classes[code] for code in late], "minutes": late + rng.normal(size=300)})
    experiment = declare(data=section, search={"metric": "roc_auc", "candidates": {"one": candidate}})
    return experiment, rows.assign(counts=1.0)


CLASSES = pytest.mark.parametrize("classes", [(1, 2), ("no", "yes"), (False, True)])


@CLASSES
def test_histogram_gradient_boosting_weighs_the_class_that_is_named(
    declare: Callable[..., Experiment], tmp_path: Path, classes: tuple[Any, Any]
) -> None:
    experiment, rows = of_histogram(declare, classes, {"max_iter": 5})
    model = fit(experiment, "one", build_pipeline(tmp_path, experiment, "one", {}), rows)
    assert model.predict(rows).tolist().count(classes[1]) > 280


@CLASSES
def test_a_trial_that_stops_early_weighs_the_class_that_is_named(
    declare: Callable[..., Experiment], tmp_path: Path, classes: tuple[Any, Any]
) -> None:
    experiment, rows = of_histogram(declare, classes, {"learning_rate": 0.02})
    model = build_pipeline(tmp_path, experiment, "one", {})
    assert fit_trial(experiment, "one", model, rows, rows)["max_iter"] >= 1
    assert model.predict(rows).tolist().count(classes[1]) > 200


@CLASSES
def test_a_threshold_and_weights_of_rows_leave_class_weights_to_their_classes(
    declare: Callable[..., Experiment], tmp_path: Path, classes: tuple[Any, Any]
) -> None:
    experiment, rows = of_histogram(declare, classes, {"max_iter": 5}, weight="counts")
    model = decided(build_pipeline(tmp_path, experiment, "one", {}), 0.5, classes[1])
    assert fit(experiment, "one", model, rows).predict(rows).tolist().count(classes[1]) > 280


def test_the_weight_of_the_positive_class_is_refused_where_a_library_takes_the_other_class_for_positive(
    declare: Callable[..., Experiment], tmp_path: Path
) -> None:
    pytest.importorskip("lightgbm")
    params = {"scale_pos_weight": 50, "n_estimators": 5}
    candidate = {"estimator": "lightgbm.LGBMClassifier", "params": params}
    search = {"metric": "roc_auc", "candidates": {"one": candidate}}
    late = np.arange(300) % 2
    rows = pd.DataFrame({"late": np.where(late == 1, "yes", "no"), "minutes": late * 1.0})
    columns = {"late": {"type": "category"}, "minutes": {"type": "float"}}
    for positive in ("yes", "no"):
        data = declare().as_dict()["data"] | {"columns": columns, "not_leaking": [], "positive": positive}
        experiment = declare(data=data, search=search)
        pipeline = build_pipeline(tmp_path, experiment, "one", {})
        if positive == "yes":
            fit(experiment, "one", pipeline, rows)
            continue
        with pytest.raises(CodeInvalid, match="scale_pos_weight weighs 'yes', the last class in order"):
            fit(experiment, "one", pipeline, rows)


def test_balanced_and_a_class_that_is_not_there_are_left_to_the_estimator(
    declare: Callable[..., Experiment], tmp_path: Path
) -> None:
    for weights in ("balanced", {"late": 3}, None):
        candidate = {"estimator": "sklearn.linear_model.LogisticRegression", "params": {"class_weight": weights}}
        experiment = declare(search={"metric": "roc_auc", "candidates": {"one": candidate}})
        assert build_pipeline(tmp_path, experiment, "one", {})[-1].class_weight == weights
