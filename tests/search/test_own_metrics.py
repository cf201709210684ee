"""A metric of the experiment's own, in the search, on the test rows and before the gates."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, fbeta_score
from tests.helpers.small_run import SmallRun, run_small, write_rows

from slipway.core.choice import choose
from slipway.core.gates import Evidence, Measured, OwnScores, judge
from slipway.core.spec import Experiment
from slipway.core.statistics.metrics import Outcome, named
from slipway.core.tasks import Task
from slipway.errors import CodeInvalid
from slipway.search import leaderboard, own_metrics, score_baselines, search_metric
from slipway.search.proposals import Proposal
from slipway.search.question import run_trial
from slipway.types import Stage
from slipway.workflows.project import Declared
from slipway.workflows.training.prepare import check_code, prepare, question_of
from slipway.workflows.training.rehearsal import rehearse

CODE = """
import numpy as np
from sklearn.metrics import brier_score_loss, fbeta_score, make_scorer


def profit(y_true, y_pred, sample_weight=None):
    gain = np.where(y_pred == 1, np.where(y_true == 1, 5.0, -2.0), 0.0)
    return np.average(gain, weights=sample_weight)


def unweighted(y_true, y_pred):
    return np.mean(y_true == y_pred)


neg_brier = make_scorer(brier_score_loss, greater_is_better=False, response_method="predict_proba")
f2 = make_scorer(fbeta_score, beta=2, zero_division=0)


def dividing(y_true, y_pred):
    return 1 / 0


def words(y_true, y_pred):
    return "high"


def endless(y_true, y_pred, sample_weight=None):
    return np.nan
"""
ROWS = 60


def of(declare: Callable[..., Experiment], metric: str = "profit", **functions: str) -> Experiment:
    functions = functions or {"profit": "own_scores_code:profit"}
    candidates = {"logistic": {"estimator": "sklearn.linear_model.LogisticRegression"}}
    gates = {"thresholds": {metric: 0.1}}
    return declare(search={"metric": metric, "metrics": functions, "candidates": candidates}, gates=gates)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("own")
    (made / "own_scores_code.py").write_text(CODE)
    write_rows(made)
    return made


def outcome() -> Outcome:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, ROWS).astype(float)
    scores = np.clip(truth * 0.4 + rng.random(ROWS) * 0.6, 0.01, 0.99)
    return Outcome(truth, (scores > 0.5).astype(float), scores, True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("profit", lambda y, p, _: np.mean(np.where(p == 1, np.where(y == 1, 5, -2), 0))),
        ("unweighted", lambda y, p, _: np.mean(y == p)),
        ("neg_brier", lambda y, _, s: -brier_score_loss(y, s)),
        ("f2", lambda y, p, _: fbeta_score(y, p, beta=2)),
    ],
)
def test_a_function_or_a_scorer_is_a_metric_of_row_weights(
    declare: Callable[..., Experiment], folder: Path, name: str, expected: Callable[..., float]
) -> None:
    experiment = of(declare, name, **{name: f"own_scores_code:{name}"})
    metric, made = search_metric(folder, experiment, (0, 1)), outcome()
    assert (metric.name, metric.greater_is_better, metric.own) == (name, True, True)
    assert metric.prepare(made)(np.ones(ROWS)) == pytest.approx(expected(made.truth, made.predicted, made.scores))
    counts = np.random.default_rng(1).multinomial(ROWS, np.full(ROWS, 1 / ROWS)).astype(float)
    drawn = made.take(np.repeat(np.arange(ROWS), counts.astype(int)))
    assert metric.prepare(made)(counts) == pytest.approx(expected(drawn.truth, drawn.predicted, drawn.scores))


def test_it_is_given_the_classes_of_the_target(declare: Callable[..., Experiment], tmp_path: Path) -> None:
    (tmp_path / "own_words_code.py").write_text(
        "def yes(y_true, y_pred):\n    return sum(one == other == 'yes' for one, other in zip(y_true, y_pred))\n"
    )
    experiment = of(declare, "yes", yes="own_words_code:yes")
    (metric,) = own_metrics(tmp_path, experiment, ("no", "yes"))
    made = replace(outcome(), predicted=np.where(np.arange(ROWS) == 0, -1.0, outcome().predicted))
    hits = ((made.truth == 1) & (made.predicted == 1)).sum()
    assert metric.prepare(made)(np.ones(ROWS)) == hits


@pytest.fixture(scope="module")
def run(declare: Callable[..., Experiment], folder: Path) -> SmallRun:
    return run_small(Declared(folder, "", of(declare)))


def test_trials_and_baselines_are_scored_by_it_with_its_noise(run: SmallRun) -> None:
    question = question_of(run.spec, run.prepared)
    again = run_trial(question, Proposal(2, "logistic", {"C": 1e-6}))
    assert run.trial.score == run.trial.metrics["profit"] and "roc_auc" in run.trial.metrics
    assert len(run.trial.resamples) == 50 and np.std(run.trial.resamples) > 0
    assert again.score is not None and run.trial.score is not None and again.score < run.trial.score
    assert choose([again, run.trial], "profit") is run.trial
    assert leaderboard([again, run.trial], "profit")["trial"].tolist() == [1, 2]
    assert all("profit" in each.metrics for each in score_baselines(question))


def test_the_test_rows_are_measured_by_it_beside_the_others(run: SmallRun) -> None:
    evaluated = run.evaluated
    interval = evaluated.intervals["profit"]
    assert interval.low < interval.value < interval.high
    assert set(evaluated.over) == {"prior"} and evaluated.over["prior"].value == pytest.approx(
        interval.value - evaluated.baselines["prior"]["profit"]
    )
    assert {"test_profit", "test_profit_low", "over_prior", "test_profit.prior"} <= set(evaluated.metrics())


def evidence_of(run: SmallRun, measured: Measured | None = None) -> Evidence:
    baselines = run.evaluated.baseline_outcomes
    return Evidence(run.spec.experiment, run.evaluated.outcome, {}, {}, baselines, measured=measured or Measured())


def test_the_gates_go_by_its_numbers_where_its_code_is_not(run: SmallRun) -> None:
    (own,) = own_metrics(run.spec.folder, run.spec.experiment, run.prepared.classes)
    here = replace(evidence_of(run), own_metric=own)
    value = own.prepare(here.challenger)(np.ones(here.challenger.rows))
    scores = OwnScores({"profit": value}, here.differences())
    thresholds, baseline = judge(evidence_of(run, Measured(scores=scores)), Stage.STAGING)
    assert thresholds.passed and thresholds.numbers["profit"] == pytest.approx(value)
    assert f"profit {value:.4f} is at least 0.1" in thresholds.reason
    assert baseline.passed and baseline.reason.startswith("profit is better by")
    other = replace(scores, values={"profit": 0.0, "accuracy": 1.0})
    assert not judge(evidence_of(run, Measured(scores=other)), Stage.STAGING)[0].passed


def test_without_its_numbers_the_gates_do_not_pass_and_say_why(run: SmallRun) -> None:
    missing = Measured(problems={"own_metrics": "its code is gone"})
    for verdict in judge(evidence_of(run, missing), Stage.STAGING):
        assert not verdict.passed and "its code is gone" in verdict.reason


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("dividing", "the metric 'it' .* failed: ZeroDivisionError"),
        ("words", "the metric 'it' .* failed: ValueError"),
        ("endless", "gives nan for the answers of a baseline"),
        ("proft", "did you mean 'profit'"),
    ],
)
def test_a_metric_that_gives_no_number_is_refused_before_the_search(
    declare: Callable[..., Experiment], folder: Path, function: str, said: str
) -> None:
    spec = Declared(folder, "", of(declare, "it", it=f"own_scores_code:{function}"))
    with pytest.raises(CodeInvalid, match=said):
        check_code(spec)
        rehearse(question_of(spec, prepare(spec)), ())


def test_rows_with_weights_need_a_metric_that_takes_weights(declare: Callable[..., Experiment], folder: Path) -> None:
    columns = {**declare().as_dict()["data"]["columns"], "counts": {"type": "float"}}
    data = {**declare().as_dict()["data"], "columns": columns, "weight": "counts"}
    for function, fits in (("unweighted", False), ("profit", True), ("neg_brier", True)):
        experiment = of(declare, "it", it=f"own_scores_code:{function}")
        weighed = declare(search=experiment.as_dict()["search"], data=data)
        if fits:
            assert own_metrics(folder, weighed, (0, 1))
            continue
        with pytest.raises(CodeInvalid, match=r"takes no sample_weight, and data\.weight is declared"):
            own_metrics(folder, weighed, (0, 1))


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ({"metric": "profit"}, "'profit' is not a metric of a binary task"),
        ({"metric": "roc_auc", "metrics": {"roc_auc": "a:b"}}, "'roc_auc' has another meaning already"),
        ({"metric": "roc_auc", "metrics": {"cost": "a:b"}}, "'cost' has another meaning already"),
        ({"metric": "roc_auc", "metrics": {"my-score": "a:b"}}, "is no name in Python"),
    ],
)
def test_a_name_without_sense_is_refused(declare: Callable[..., Experiment], search: dict[str, Any], said: str) -> None:
    candidates = {"one": {"estimator": "sklearn.linear_model.LogisticRegression"}}
    with pytest.raises(ValueError, match=said):
        declare(search={**search, "candidates": candidates})


def test_slices_are_not_judged_by_it(declare: Callable[..., Experiment]) -> None:
    experiment = of(declare)
    with pytest.raises(ValueError, match="slices are not judged by an own metric yet"):
        declare(search=experiment.as_dict()["search"], gates={"slices": {}}, evaluation={"slices": ["port"]})


def test_the_study_is_another_with_another_function_and_the_same_without_own_metrics(
    declare: Callable[..., Experiment],
) -> None:
    one, other = (of(declare, it=f"features:{name}", metric="it") for name in ("one", "other"))
    assert one.study_digest != other.study_digest


def test_a_name_that_nobody_knows_cannot_be_computed() -> None:
    metric = named("profit")
    assert metric.own and metric.greater_is_better and metric.fits(Task.BINARY, outcome())
    with pytest.raises(ValueError, match="its code is not here"):
        metric.prepare(outcome())
