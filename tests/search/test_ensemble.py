"""The ensemble of a search: which answers are kept, when it is taken, and the model that several members make."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier, VotingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression

from slipway.compile import compile_model, verify
from slipway.core.ensembles import outcome_of
from slipway.core.spec import ENSEMBLE, Experiment
from slipway.core.trials import Answers, Trial
from slipway.registry.trust import stored_and_loaded
from slipway.search import KeptAnswers, Question, find_ensemble, vote
from slipway.search.question import under_resamples

ROWS = 900


def trial(number, score, megabytes=1):
    answers = Answers((np.zeros(int(megabytes * 2**18), dtype=np.float32),))
    return Trial(number, "one", score, answers=answers)


def test_the_answers_of_the_best_trials_are_kept_within_the_memory():
    kept = KeptAnswers("roc_auc", most_bytes=3 * 2**20)
    for number, score in enumerate([0.5, 0.9, 0.7, 0.8], start=1):
        assert not kept.take(trial(number, score)).answers.scores
    assert [each.number for each in kept.best_first()] == [2, 4, 3]
    assert kept.of(1) is None
    assert kept.of(2) is not None


def test_failed_trials_and_those_on_fewer_rows_are_not_kept():
    kept = KeptAnswers("roc_auc")
    kept.take(replace(trial(1, 0.9), share=0.3))
    kept.take(replace(trial(2, None), error="no"))
    kept.take(Trial(3, "one", 0.9))
    assert kept.best_first() == []


@pytest.fixture
def question(tmp_path):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"x": rng.normal(size=ROWS), "y": rng.normal(size=ROWS)})
    experiment = Experiment.model_validate(
        {
            "name": "made_up",
            "scope": {"goal": "to be tested"},
            "task": "regression",
            "data": {
                "source": {"csv": "x.csv"},
                "target": "y",
                "columns": {"x": {"type": "float"}, "y": {"type": "float"}},
            },
            "split": {"method": "random"},
            "search": {
                "metric": "rmse",
                "effort": "normal",
                "ensemble": "auto",
                "candidates": {"one": {"estimator": "sklearn.linear_model.Ridge"}},
            },
        }
    )
    half = np.arange(ROWS)
    folds = [(half[:300], half[300:600]), (half[:300], half[600:])]
    return Question(tmp_path, experiment, (), rows, folds)


def made(question, number, answers):
    """A trial that gave these answers."""
    outcomes = [outcome_of(question.experiment.task, t, a) for t, a in zip(question.truths(), answers, strict=True)]
    resamples = under_resamples(question, outcomes)
    score = float(np.mean([np.sqrt(np.mean((o.truth - o.predicted) ** 2)) for o in outcomes]))
    kept = Answers(tuple(np.float32(each) for each in answers))
    return Trial(number, "one", score, {"alpha": number}, resamples=resamples, answers=kept, size_bytes=10)


def found(question, *trials):
    kept = KeptAnswers("rmse")
    return find_ensemble(question, [kept.take(each) for each in trials], kept)


def test_trials_with_errors_of_their_own_answer_together(question):
    rng = np.random.default_rng(1)
    trials = [made(question, n, [t + rng.normal(size=len(t)) for t in question.truths()]) for n in (4, 7, 9)]
    together = found(question, *trials)
    assert together is not None
    assert together.candidate == ENSEMBLE
    assert together.candidates == ("one",)
    assert {member.trial for member in together.members} == {4, 7, 9}
    assert sum(member.weight for member in together.members) == pytest.approx(1)
    assert together.score < min(each.score for each in trials)
    assert together.size_bytes == 30
    assert together.title.startswith("ensemble of 3 (trials ")


def test_within_the_noise_the_best_trial_stays_alone(question):
    rng = np.random.default_rng(1)
    common = [t + rng.normal(size=len(t)) for t in question.truths()]
    near = [made(question, n, [c + rng.normal(scale=0.02, size=len(c)) for c in common]) for n in (1, 2, 3)]
    assert found(question, *near) is None


def test_whoever_wants_none_gets_none(question):
    rng = np.random.default_rng(1)
    trials = [made(question, n, [t + rng.normal(size=len(t)) for t in question.truths()]) for n in (4, 7)]
    assert found(question, *trials) is not None
    for change in ({"ensemble": "never"}, {"prefer": "fastest"}):
        search = question.experiment.search.model_copy(update=change)
        asked = replace(question, experiment=question.experiment.model_copy(update={"search": search}))
        assert found(asked, *trials) is None


def rows_and_target(classes):
    rng = np.random.default_rng(2)
    rows = pd.DataFrame(rng.normal(size=(300, 3)), columns=["a", "b", "c"])
    return rows, np.array(classes)[(rows["a"] + rng.normal(size=300) > 0).astype(int)]


def test_members_fitted_apart_vote_as_if_scikit_learn_had_fitted_them():
    rows, labels = rows_and_target(["no", "yes"])
    members = {"line": LogisticRegression(), "trees": ExtraTreesClassifier(5, max_depth=3, random_state=0)}
    ours = vote({name: model.fit(rows, labels) for name, model in members.items()}, [0.25, 0.75], rows.columns, labels)
    theirs = VotingClassifier(list(members.items()), voting="soft", weights=[0.25, 0.75]).fit(rows, labels)
    np.testing.assert_array_equal(ours.predict_proba(rows), theirs.predict_proba(rows))
    assert ours.predict(rows).tolist() == theirs.predict(rows).tolist()
    loaded = stored_and_loaded(ours, ())
    np.testing.assert_array_equal(loaded.predict_proba(rows), theirs.predict_proba(rows))
    compiled = compile_model(loaded)
    assert verify(loaded, compiled, rows.iloc[:30]).equal


def test_regressors_answer_their_weighted_mean():
    rows, _ = rows_and_target([0, 1])
    values = rows["a"].to_numpy() * 2
    members = {"line": LinearRegression(), "short": LinearRegression(fit_intercept=False)}
    ours = vote({name: model.fit(rows, values) for name, model in members.items()}, [0.5, 0.5], rows.columns, None)
    theirs = VotingRegressor(list(members.items()), weights=[0.5, 0.5]).fit(rows, values)
    np.testing.assert_array_equal(ours.predict(rows), theirs.predict(rows))
