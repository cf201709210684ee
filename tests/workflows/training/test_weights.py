"""`data.weight` says how much each row counts: in fits, scores, thresholds, and in the evidence that the gates judge."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.helpers.small_run import SmallRun, run_small

from slipway.core.spec import Experiment
from slipway.core.statistics.metrics import measure
from slipway.errors import CodeInvalid, ContractBroken, DataUnusable
from slipway.registry.evidence import test_rows as kept_rows
from slipway.search import build_pipeline, check_candidate, fit, score_baselines
from slipway.workflows.check import CheckReport
from slipway.workflows.project import Declared
from slipway.workflows.training.prepare import check_code, prepare, question_of
from slipway.workflows.training.run_artifacts import rows_tested

LOGISTIC = {"logistic": {"estimator": "sklearn.linear_model.LogisticRegression"}}
COSTS = {"goal": "Say which rows are late.", "costs": {"false_positive": 1, "false_negative": 3}}


def weighted_rows(folder: Path, wrong: float = 0.0) -> pd.DataFrame:
    """Write rows, half of which say the opposite and weigh `wrong`; the others weigh 1 or 3."""
    rng = np.random.default_rng(1)
    late = (rng.random(1200) < 0.4).astype(int)
    minutes = late + rng.normal(size=1200)
    turned = np.arange(1200) % 2 == 0
    weight = np.where(turned, wrong, rng.choice([1.0, 3.0], 1200))
    rows = pd.DataFrame(
        {"late": np.where(turned, 1 - late, late), "minutes": minutes, "port": "hill", "counts": weight}
    )
    rows.to_csv(folder / "rows.csv", index=False)
    return rows


def declared(declare: Callable[..., Experiment], folder: Path, **changes: Any) -> Declared:
    types = {"late": "int", "minutes": "float", "port": "category", "counts": "float"}
    columns = {name: {"type": kind, "known": "the log"} for name, kind in types.items()}
    data = {"source": {"csv": "rows.csv"}, "target": "late", "weight": "counts", "columns": columns}
    candidates = changes.pop("candidates", LOGISTIC)
    return Declared(
        folder, "", declare(data=data, search={"metric": "roc_auc", "trials": 4, "candidates": candidates}, **changes)
    )


@pytest.fixture(scope="module")
def turned(declare: Callable[..., Experiment], tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    """A run on rows of which every other one says the opposite, and counts for nothing; with costs."""
    folder = tmp_path_factory.mktemp("turned")
    weighted_rows(folder)
    return run_small(declared(declare, folder, scope=COSTS))


def test_rows_of_weight_0_are_learned_from_and_scored_by_nobody(turned: SmallRun) -> None:
    experiment, test = turned.spec.experiment, turned.prepared.splits.test
    assert turned.trial.metrics["roc_auc"] > 0.7
    assert turned.evaluated.intervals["roc_auc"].low > 0.65
    counting = turned.evaluated.outcome.take(test["counts"].to_numpy() > 0)
    assert measure(experiment.task, counting) == pytest.approx(measure(experiment.task, turned.evaluated.outcome))
    assert experiment.data.features == ("minutes", "port") == turned.evaluated.inputs
    # A threshold, a curve and the prior count by weight too.
    assert turned.winner.threshold is not None and 0.1 < turned.winner.threshold < 0.5
    late = np.average(turned.prepared.splits.development["late"], weights=turned.prepared.splits.development["counts"])
    assert turned.evaluated.baseline_outcomes["prior"].scores[0] == pytest.approx(late)  # type: ignore[index]


def test_a_model_with_a_threshold_is_fitted_by_weights_and_stays_as_scikit_learn_makes_it(turned: SmallRun) -> None:
    assert turned.model.get_params()["threshold"] == turned.winner.threshold
    rows = turned.prepared.splits.test
    assert turned.evaluated.outcome.scores is not None
    assert turned.model.predict_proba(rows[["minutes", "port"]])[:, 1] == pytest.approx(turned.evaluated.outcome.scores)


def test_baselines_are_scored_by_the_weights(turned: SmallRun) -> None:
    (prior,) = score_baselines(question_of(turned.spec, turned.prepared))
    development = turned.prepared.splits.validation
    often = np.average(development["late"] == 0, weights=development["counts"])
    assert prior.metrics["accuracy"] == pytest.approx(often)


def test_the_evidence_keeps_the_weights(turned: SmallRun, tmp_path: Path) -> None:
    kept_rows.save(tmp_path / "evidence", rows_tested(turned.spec, turned.prepared, turned.evaluated))
    found = kept_rows.load(tmp_path / "evidence")
    weights = turned.prepared.splits.test["counts"].to_numpy()
    assert np.array_equal(found.rows["counts"], weights)
    assert np.array_equal(found.baselines["prior"].weights, weights)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("estimator", "why"),
    [
        ("sklearn.neighbors.KNeighborsClassifier", "KNeighborsClassifier takes no sample_weight"),
        ("sklearn.gaussian_process.GaussianProcessClassifier", "takes no sample_weight"),
    ],
)
def test_an_estimator_that_takes_no_weights_is_refused_before_anything_is_read(
    declare: Callable[..., Experiment], tmp_path: Path, estimator: str, why: str
) -> None:
    spec = declared(declare, tmp_path, candidates={"near": {"estimator": estimator}})
    with pytest.raises(CodeInvalid, match=f"candidate 'near': .*{why}"):
        check_code(spec)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("sklearn.ensemble.HistGradientBoostingClassifier", {}),
        ("sklearn.ensemble.RandomForestClassifier", {}),
        ("sklearn.neural_network.MLPClassifier", {}),
        ("sklearn.naive_bayes.GaussianNB", {}),
    ],
)
def test_the_usual_estimators_take_weights(
    declare: Callable[..., Experiment], tmp_path: Path, path: str, params: dict[str, Any]
) -> None:
    spec = declared(declare, tmp_path, candidates={"one": {"estimator": path, "params": params}})
    check_candidate(tmp_path, spec.experiment, "one")


def test_a_pipeline_of_its_own_gets_the_weights_at_its_last_estimator(
    declare: Callable[..., Experiment], tmp_path: Path
) -> None:
    (tmp_path / "features.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import StandardScaler\n"
        "from sklearn.compose import make_column_transformer\n\n\n"
        "def scaled():\n"
        "    inner = make_pipeline(StandardScaler(), LogisticRegression())\n"
        "    return make_pipeline(make_column_transformer(('passthrough', ['minutes'])), inner)\n"
    )
    weighted_rows(tmp_path)
    found = run_small(declared(declare, tmp_path, candidates={"own": {"pipeline": "features:scaled"}}))
    assert found.evaluated.intervals["roc_auc"].low > 0.65


@pytest.mark.parametrize(("weight", "words"), [(-1.0, "a weight is at least 0"), (np.nan, "missing")])
def test_a_weight_below_0_or_missing_breaks_the_contract(
    declare: Callable[..., Experiment], tmp_path: Path, weight: float, words: str
) -> None:
    rows = weighted_rows(tmp_path)
    rows.assign(counts=rows["counts"].where(rows.index > 3, weight)).to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(ContractBroken, match=words):
        prepare(declared(declare, tmp_path))


def test_a_part_in_which_nothing_counts_is_refused(declare: Callable[..., Experiment], tmp_path: Path) -> None:
    weighted_rows(tmp_path).assign(counts=0).to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(DataUnusable, match="counts is 0 in every row of the train part"):
        prepare(declared(declare, tmp_path))


def test_check_and_card_say_that_rows_are_weighted(turned: SmallRun) -> None:
    report = CheckReport(turned.spec, turned.prepared)
    assert "each counts as its counts says" in str(report) and report.as_dict()["weight"] == "counts"


def test_the_same_weights_give_the_same_answers_as_repeated_rows(
    declare: Callable[..., Experiment], tmp_path: Path
) -> None:
    rows = weighted_rows(tmp_path, wrong=2.0)
    question = question_of(spec := declared(declare, tmp_path), prepare(spec))
    few = replace(question, rows=rows, folds=((np.arange(900), np.arange(900, 1200)),))
    train, _ = next(few.parts(1.0))
    weighted = fit(spec.experiment, "logistic", build_pipeline(tmp_path, spec.experiment, "logistic", {}), train)
    often = train.loc[train.index.repeat(train["counts"].astype(int))].assign(counts=1.0)
    matrix = weighted[:-1].transform(often[["minutes", "port"]])
    again = type(weighted[-1])(**weighted[-1].get_params()).fit(matrix, often["late"])
    assert again.coef_ == pytest.approx(weighted[-1].coef_, abs=1e-3)
