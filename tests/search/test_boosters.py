"""LightGBM, XGBoost, CatBoost and histogram boosting as candidates: nothing has to be written but their name."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier
from sklearn.ensemble import VotingClassifier
from threadpoolctl import threadpool_limits

from slipway.core.spec import Experiment
from slipway.errors import CodeInvalid
from slipway.search import Budget, Question, build_pipeline, check_candidate, fit, search
from slipway.search.boosters import few_trees, fit_booster, stops_early
from slipway.search.candidates import decided
from slipway.search.executors import Serial
from slipway.search.proposals import Proposal
from slipway.search.question import run_trial

LIGHT, EXTREME, CAT = "lightgbm.LGBMClassifier", "xgboost.XGBClassifier", "catboost.CatBoostClassifier"
HISTOGRAM = "sklearn.ensemble.HistGradientBoostingClassifier"
ALL = [LIGHT, EXTREME, CAT, HISTOGRAM]
OF_REGRESSION = {each: each.replace("Classifier", "Regressor") for each in ALL}
TREES = {LIGHT: "n_estimators", EXTREME: "n_estimators", CAT: "iterations", HISTOGRAM: "max_iter"}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in a worker process: threads of few rows wait for each other longer than they work."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def question(declare: Callable[..., Experiment]) -> Callable[..., Question]:
    """Return a function that asks one candidate, named `it`, about 300 rows of a number with gaps, a flag and a category."""

    def ask(
        estimator: str,
        task: str = "binary",
        labels: Any = None,
        folds: int = 1,
        halving: Any = None,
        positive: Any = None,
        **candidate: Any,
    ) -> Question:
        rng = np.random.default_rng(1)
        minutes, port = rng.normal(size=300), rng.choice(list("ABCD"), 300)
        score = minutes + (port == "B") * 1.5 + rng.normal(scale=0.7, size=300)
        late = score if task == "regression" else np.digitize(score, [0] if task == "binary" else [-0.5, 1])
        late = late if labels is None else np.array(labels)[late]
        minutes[::9] = np.nan
        frame = pd.DataFrame({"late": late, "minutes": minutes, "port": port, "early": rng.random(300) < 0.5})
        columns = {
            "late": {"type": "float" if task == "regression" else "category" if labels else "int"},
            "minutes": {"type": "float", "nulls": 0.2},
            "port": {"type": "category"},
            "early": {"type": "bool"},
        }
        data = {"source": {"csv": "rows.csv"}, "target": "late", "positive": positive, "columns": columns}
        metric = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}[task]
        searched = {"metric": metric, "seed": 5, "candidates": {"it": {"estimator": estimator, **candidate}}}
        experiment = declare(task=task, data=data, search={**searched, "halving": halving})
        classes = () if task == "regression" else tuple(sorted(set(late.tolist())))
        cuts = [np.arange(300)[i::3] for i in range(folds)]
        return Question(Path(), experiment, classes, frame, [(np.setdiff1d(np.arange(300), c), c) for c in cuts])

    return ask


def fitted(question: Question, **params: Any) -> Any:
    pipeline = build_pipeline(Path(), question.experiment, "it", params)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return fit(question.experiment, "it", pipeline, question.rows)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("estimator", ALL)
def test_a_classifier_answers_the_labels_that_it_was_given(
    question: Callable[..., Question], estimator: str, task: str
) -> None:
    asked = question(estimator, task, ["on time", "late", "very late"], params={TREES[estimator]: 5})
    model, rows = fitted(asked), asked.rows.drop(columns="late")
    assert model.classes_.tolist() == list(asked.classes)
    answers = model.predict(rows)
    assert answers.shape == (300,) and set(answers) <= set(asked.classes)
    best = np.array(asked.classes)[model.predict_proba(rows).argmax(axis=1)]
    assert (answers == best).all() and (answers == asked.rows["late"]).mean() > 0.6


@pytest.mark.parametrize("labels", [[False, True], [-1, 1], ["no", "yes"]])
@pytest.mark.parametrize("estimator", [EXTREME, CAT])
def test_labels_of_any_kind_come_back_as_they_are(
    question: Callable[..., Question], estimator: str, labels: list[Any]
) -> None:
    asked = question(estimator, "binary", params={TREES[estimator]: 2})
    asked.rows["late"] = np.array(labels)[asked.rows["late"]]
    answers = fitted(asked).predict(asked.rows)
    assert answers.dtype == asked.rows["late"].to_numpy().dtype and set(answers) == set(labels)


@pytest.mark.parametrize("estimator", ALL)
def test_a_fit_prints_nothing_and_writes_nothing(
    question: Callable[..., Question],
    estimator: str,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = question(estimator)
    assert not run_trial(asked, Proposal(1, "it", {})).error
    assert capfd.readouterr() == ("", "") and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("estimator", ALL)
def test_what_is_declared_is_not_overridden(question: Callable[..., Question], estimator: str) -> None:
    assert not stops_early(question(estimator, params={TREES[estimator]: 7}).experiment.search.candidates["it"])
    varied = question(estimator, space={TREES[estimator]: {"int": [2, 9]}})
    assert not stops_early(varied.experiment.search.candidates["it"])
    assert run_trial(varied, Proposal(1, "it", {TREES[estimator]: 3})).params == {TREES[estimator]: 3}


def test_defaults_give_way_to_other_names_of_the_same_parameter(question: Callable[..., Question]) -> None:
    asked = question(CAT, params={"logging_level": "Silent", "random_seed": 3, "n_estimators": 4})
    member = fitted(asked)[-1].estimators_[0]
    assert isinstance(member, CatBoostClassifier)
    assert member.get_params() == {
        "allow_writing_files": False,
        "logging_level": "Silent",
        "n_estimators": 4,
        "random_seed": 3,
        "thread_count": 1,
    }


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("estimator", ALL)
def test_a_trial_finds_its_number_of_trees_and_a_second_fit_with_it_answers_the_same(
    question: Callable[..., Question], estimator: str, task: str
) -> None:
    labels = None if task == "regression" else ["a", "b", "c"]
    estimator = OF_REGRESSION[estimator] if task == "regression" else estimator
    asked = question(estimator, task, labels)
    trial = run_trial(asked, Proposal(1, "it", {}))
    assert not trial.error and not trial.warnings
    trees = next(value for key, value in trial.params.items() if key in TREES.values())
    assert 1 <= trees < 300
    train, validation = next(asked.parts(1.0))
    pipeline = fit(asked.experiment, "it", build_pipeline(Path(), asked.experiment, "it", trial.params), train)
    again = run_trial(question(estimator, task, labels, params=trial.params), Proposal(1, "it", {}))
    assert again.metrics == pytest.approx(trial.metrics, rel=1e-9) and again.params == {}
    assert len(pipeline.predict(validation)) == 100


def test_folds_agree_on_the_median_number_of_trees(question: Callable[..., Question]) -> None:
    each = [
        run_trial(Question(Path(), asked.experiment, asked.classes, asked.rows, [fold]), Proposal(1, "it", {}))
        for asked in [question(LIGHT, folds=3)]
        for fold in asked.folds
    ]
    together = run_trial(question(LIGHT, folds=3), Proposal(1, "it", {}))
    assert together.params == {"n_estimators": sorted(trial.params["n_estimators"] for trial in each)[1]}


def test_a_class_that_only_validation_rows_have_is_left_out_of_the_stopping(question: Callable[..., Question]) -> None:
    asked = question(EXTREME, "multiclass", ["a", "b", "c"])
    train = np.flatnonzero(asked.rows["late"] != "c")[:150]
    cut = Question(Path(), asked.experiment, asked.classes, asked.rows, [(train, np.arange(300))])
    assert "n_estimators" in run_trial(cut, Proposal(1, "it", {})).params


def test_a_search_tries_no_parameters_twice_though_trials_find_others(question: Callable[..., Question]) -> None:
    asked = question(LIGHT, space={"num_leaves": {"choice": [3, 5]}})
    trials = search(asked.experiment, Serial(asked), Budget(9, 60), lambda _: None)
    assert sorted(trial.params["num_leaves"] for trial in trials) == [3, 5]
    assert all(trial.params["n_estimators"] for trial in trials)


def test_halving_finds_the_number_again_on_more_rows(question: Callable[..., Question]) -> None:
    asked = question(LIGHT, space={"num_leaves": {"int": [3, 30]}}, halving={})
    trials = search(asked.experiment, Serial(asked), Budget(6, 60), lambda _: None)
    whole = next(trial for trial in trials if trial.complete)
    drawn = {"num_leaves": whole.params["num_leaves"]}
    assert whole.rungs and run_trial(asked, Proposal(1, "it", drawn)).params == whole.params


@pytest.mark.parametrize("estimator", ALL)
def test_answers_are_monotone_where_that_is_declared(question: Callable[..., Question], estimator: str) -> None:
    asked = question(estimator, params={TREES[estimator]: 30}, monotone={"minutes": -1})  # against what the rows say
    rows = pd.DataFrame({"minutes": np.linspace(-3, 3, 50), "port": "B", "early": True})
    scores = fitted(asked).predict_proba(rows)[:, 1]
    assert (np.diff(scores) <= 0).all()


def test_monotone_columns_go_by_the_positive_class(question: Callable[..., Question]) -> None:
    asked = question(LIGHT, "binary", ["b", "a"], positive="a", params={"n_estimators": 30}, monotone={"minutes": -1})
    model, rows = fitted(asked), pd.DataFrame({"minutes": np.linspace(-3, 3, 50), "port": "B", "early": True})
    scores = model.predict_proba(rows)[:, model.classes_.tolist().index("a")]
    assert (np.diff(scores) <= 0).all()


def test_monotone_columns_are_numbers_of_an_estimator_that_has_constraints(question: Callable[..., Question]) -> None:
    with pytest.raises(ValueError, match="'port' is not a feature that is a number; there is: minutes, early"):
        question(LIGHT, monotone={"port": 1})
    forest = question("sklearn.ensemble.RandomForestClassifier", monotone={"minutes": 1})
    with pytest.raises(CodeInvalid, match="candidate 'it': RandomForestClassifier has no monotone constraints"):
        check_candidate(Path(), forest.experiment, "it")


@pytest.mark.parametrize(
    ("estimator", "params", "said"),
    [
        (LIGHT, {"num_leafs": 3}, "no parameter 'num_leafs'; did you mean 'num_leaves'"),
        (CAT, {"dept": 3}, "no parameter 'dept'; did you mean 'depth'"),
        (
            EXTREME,
            {"early_stopping_rounds": 5},
            "'early_stopping_rounds' needs validation rows, .* say n_estimators, each trial",
        ),
        ("catboost.CatBostClassifier", {}, "did you mean 'CatBoostClassifier'"),
    ],
)
def test_a_name_that_a_library_would_not_miss_is_refused(
    question: Callable[..., Question], estimator: str, params: dict[str, Any], said: str
) -> None:
    with pytest.raises(CodeInvalid, match=said):
        check_candidate(Path(), question(estimator, params=params).experiment, "it")


def test_a_library_that_is_missing_is_asked_for_by_its_extra(
    question: Callable[..., Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "xgboost", None)
    with pytest.raises(CodeInvalid, match=r"`pip install 'slipway\[xgboost\]'`"):
        check_candidate(Path(), question(EXTREME).experiment, "it")


def test_a_rehearsal_fits_few_trees(question: Callable[..., Question]) -> None:
    candidate = question(CAT).experiment.search.candidates["it"]
    assert few_trees(candidate) == {"iterations": 20}
    assert few_trees(candidate.model_copy(update={"params": {"num_trees": 50}})) == {}


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("estimator", ALL)
def test_weights_of_training_rows_count(question: Callable[..., Question], estimator: str, stopped: bool) -> None:
    asked = question(estimator, "binary", ["no", "yes"])
    rows, truth = asked.rows.drop(columns="late"), asked.rows["late"]
    held_out = (rows[200:], truth[200:]) if stopped else None
    shares = []
    for weight in (1.0, 20.0):
        pipeline = build_pipeline(Path(), asked.experiment, "it", few_trees(asked.experiment.search.candidates["it"]))
        weights = np.where(truth[:200] == "yes", weight, 1.0)
        fit_booster(pipeline, {}, rows[:200], truth[:200], held_out=held_out, weights=weights)
        shares.append((pipeline.predict(rows) == "yes").mean())
    assert shares[1] > shares[0]


@pytest.mark.parametrize("estimator", ALL)
def test_a_model_with_a_threshold_knows_its_categories_and_directions(
    question: Callable[..., Question], estimator: str
) -> None:
    asked = question(estimator, "binary", ["no", "yes"], params={TREES[estimator]: 9}, monotone={"minutes": -1})
    plain = fitted(asked)
    model = decided(build_pipeline(Path(), asked.experiment, "it", {}), 0.2, "yes")
    model, rows = fit(asked.experiment, "it", model, asked.rows), asked.rows.drop(columns="late")
    np.testing.assert_array_equal(model.predict_proba(rows), plain.predict_proba(rows))


def test_only_classifiers_that_know_numbers_stand_in_a_vote(question: Callable[..., Question]) -> None:
    last = {each: build_pipeline(Path(), question(each).experiment, "it", {})[-1] for each in ALL}
    assert {each for each in ALL if isinstance(last[each], VotingClassifier)} == {EXTREME, CAT}


MADE = """
def made(rows):
    return rows.assign(twice=rows["minutes"] * 2)
"""


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("estimator", [*ALL, *OF_REGRESSION.values()])
def test_times_texts_and_an_own_function_before_them_leave_codes_and_directions_in_their_places(
    declare: Callable[..., Experiment], tmp_path: Path, estimator: str, own: bool
) -> None:
    (tmp_path / "columns.py").write_text(MADE)
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"minutes": rng.normal(size=200), "port": rng.choice(list("ABCD"), 200)})
    rows["note"] = pd.Series(rng.choice(["a good ship", "fog", ""], 200), dtype="str")
    rows["at"] = pd.date_range("2013-01-01", periods=200, freq="h").astype("datetime64[us]")
    score = rows["minutes"] + (rows["port"] == "B") + rng.normal(size=200)
    regression = estimator in OF_REGRESSION.values()
    rows["late"] = score if regression else (score > 0).astype(int)
    kinds = {"minutes": "float", "port": "category", "note": "text", "at": "datetime"}
    columns = {name: {"type": kind} for name, kind in {"late": "float" if regression else "int", **kinds}.items()}
    few = {TREES[estimator.replace("Regressor", "Classifier")]: 8}
    before = {"before": "columns:made"} if own else {}
    it = {"estimator": estimator, "params": few, "monotone": {"minutes": 1}, **before}
    data = {"source": {"csv": "rows.csv"}, "target": "late", "columns": columns}
    task, metric = ("regression", "rmse") if regression else ("binary", "roc_auc")
    experiment = declare(task=task, data=data, search={"metric": metric, "candidates": {"it": it}})
    model = fit(experiment, "it", build_pipeline(tmp_path, experiment, "it", {}), rows)
    answer = model.predict if regression else lambda asked: model.predict_proba(asked)[:, 1]
    low, high = (answer(rows.assign(minutes=minutes)) for minutes in (-9.0, 9.0))
    assert (high >= low).all() and (high > low).any()
