"""A curve over the winner's scores, learned on validation rows; the model that comes of it is scikit-learn's own."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from tests.helpers.small_run import SmallRun, declare_small, run_small, write_rows

from slipway.compile import compile_model, verify
from slipway.core.prediction import predict
from slipway.core.spec import Experiment
from slipway.core.statistics.calibration import calibration
from slipway.registry.trust import as_stored, types_to_trust
from slipway.workflows.training.winner import fit_winner, winner_from

pytestmark = pytest.mark.slow  # the file, more than each of its tests

Declare = Callable[..., Experiment]
COSTS = {"goal": "Say it.", "costs": {"false_positive": 1, "false_negative": 6}}
WEIGHED = {"class_weight": "balanced"}
CANDIDATES: dict[str, Any] = {
    "logistic": {"estimator": "sklearn.linear_model.LogisticRegression", "params": WEIGHED},
    "forest": {
        "estimator": "sklearn.ensemble.RandomForestClassifier",
        "params": WEIGHED | {"n_estimators": 20, "max_depth": 3},
    },
    "boosting": {
        "estimator": "sklearn.ensemble.HistGradientBoostingClassifier",
        "params": WEIGHED | {"max_iter": 5},
    },
}


@pytest.fixture(scope="module", params=["logistic", "forest", "boosting"])
def run(request: pytest.FixtureRequest, declare: Declare, tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    """A winner whose classes are weighed, so that its scores are no probabilities."""
    folder = tmp_path_factory.mktemp(request.param)
    write_rows(folder, rows=3000, late=0.08)
    return run_small(declare_small(declare, folder, {request.param: CANDIDATES[request.param]}, scope=COSTS))


def test_where_costs_are_declared_probabilities_can_be_taken_at_their_word(run: SmallRun) -> None:
    assert run.winner.calibrated
    experiment, test = run.spec.experiment, run.prepared.splits.test
    task, target = experiment.task, test[experiment.data.target]
    rows = test[list(experiment.data.features)]
    found = calibration(task, run.evaluated.outcome)
    assert found is not None and found.error < 0.1 and not found.misleads
    pipeline = run.model.estimator_.calibrated_classifiers_[0].estimator
    before = calibration(task, predict(pipeline, rows, target, task, run.prepared.classes))
    assert before is not None and before.error > 0.2 and before.misleads


def test_the_calibrated_model_compiles_and_is_stored_with_types_that_are_trusted(run: SmallRun) -> None:
    features = list(run.spec.experiment.data.features)
    rows = run.prepared.splits.test[features]
    held = skops.io.dumps(run.model)
    again = skops.io.loads(held, trusted=types_to_trust(as_stored(run.model), ()))
    np.testing.assert_array_equal(again.predict_proba(rows), run.model.predict_proba(rows))
    for each in (run.model, again):
        compiled = compile_model(each)
        agreement = verify(each, compiled, rows.iloc[:30])
        assert agreement.equal, agreement.problems
        encoded = compiled.encode_frame(rows)
        np.testing.assert_array_equal(compiled.predict(encoded), each.predict(rows))
        np.testing.assert_array_equal(compiled.predict_proba(encoded), each.predict_proba(rows))
    fitted = run.model.estimator_.calibrated_classifiers_[0].estimator
    assert len(held) < 2 * len(skops.io.dumps(fitted)) + 100_000, "the pipeline is written down once"


def test_a_calibrated_winner_is_the_same_when_it_is_fitted_again_from_its_tag(run: SmallRun) -> None:
    winner = winner_from(run.winner.as_tag())
    rows = run.prepared.splits.test[list(run.spec.experiment.data.features)]
    again = fit_winner(run.spec, run.prepared, winner)
    np.testing.assert_array_equal(again.predict(rows), run.model.predict(rows))
    np.testing.assert_array_equal(again.predict_proba(rows), run.model.predict_proba(rows))


def test_probabilities_that_are_right_are_left_as_they_are(declare: Declare, tmp_path: Path) -> None:
    write_rows(tmp_path, rows=3000)
    plain = run_small(declare_small(declare, tmp_path, scope=COSTS))
    assert not plain.winner.calibrated
    assert plain.winner.threshold == plain.trial.metrics["threshold"]


def test_without_costs_nothing_is_calibrated(declare: Declare, tmp_path: Path) -> None:
    write_rows(tmp_path)
    weighed = run_small(declare_small(declare, tmp_path, {"logistic": CANDIDATES["logistic"]}))
    assert not weighed.winner.calibrated and weighed.winner.threshold is None


def test_the_curve_is_learned_over_folds_too(declare: Declare, tmp_path: Path) -> None:
    write_rows(tmp_path, rows=2000, late=0.08)
    split = {"method": "random", "folds": 3}
    folded = run_small(declare_small(declare, tmp_path, {"logistic": CANDIDATES["logistic"]}, scope=COSTS, split=split))
    found = calibration(folded.spec.experiment.task, folded.evaluated.outcome)
    assert folded.winner.calibrated and found is not None and found.error < 0.05


def test_no_test_row_has_a_part_in_the_curve(declare: Declare, tmp_path: Path) -> None:
    """With other test rows the same model comes out."""
    write_rows(tmp_path, rows=2000, late=0.08)
    spec = declare_small(declare, tmp_path, {"logistic": CANDIDATES["logistic"]}, scope=COSTS)
    run = run_small(spec)
    splits = run.prepared.splits
    flipped = replace(splits, test=splits.test.assign(late=1 - splits.test["late"]))
    again = fit_winner(spec, replace(run.prepared, splits=flipped), run.winner)
    rows = splits.test[list(spec.experiment.data.features)]
    np.testing.assert_array_equal(again.predict_proba(rows), run.model.predict_proba(rows))
