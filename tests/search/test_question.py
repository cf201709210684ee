from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from slipway.core.spec import Experiment
from slipway.core.trials import Trial
from slipway.errors import SearchFailed
from slipway.search import Budget, Question, best_of
from slipway.search import search as study
from slipway.search.executors import Serial

TREE = {"estimator": "sklearn.tree.DecisionTreeClassifier", "space": {"max_depth": {"int": [1, 40]}}}
# Its parameter has no such value: every trial of it fails when it is fitted.
BROKEN = {
    "estimator": "sklearn.tree.DecisionTreeClassifier",
    "params": {"criterion": "magic"},
    "space": {"max_depth": {"int": [1, 900]}},
}


@pytest.fixture
def question(declare: Callable[..., Experiment]) -> Callable[..., Question]:
    """Return a function that asks about 120 rows, whose minutes tell the late ones, with the candidates given."""

    def ask(candidates: dict[str, Any], seed: int = 5, metric: str = "roc_auc", **rows: Any) -> Question:
        rng = np.random.default_rng(1)
        minutes = rng.normal(size=120)
        late = (minutes + rng.normal(scale=0.7, size=120) > 0).astype(int)
        frame = pd.DataFrame({"late": late, "minutes": minutes, "port": ["A", "B"] * 60}).assign(**rows)
        experiment = declare(search={"metric": metric, "seed": seed, "candidates": candidates})
        return Question(Path(), experiment, (0, 1), frame, [(np.arange(80), np.arange(80, 120))])

    return ask


def search(question: Question, budget: Budget, on_trial: Callable[[Trial], None]) -> list[Trial]:
    return study(question.experiment, Serial(question), budget, on_trial)


def said(trials: list[Trial]) -> list[tuple[Any, ...]]:
    return [(t.number, t.candidate, dict(t.params), t.score, dict(t.metrics), t.error) for t in trials]


def test_a_search_tries_as_often_as_it_may_and_tells_each_trial_as_it_ends(question: Callable[..., Question]) -> None:
    told: list[Trial] = []
    trials = search(question({"tree": TREE}), Budget(6, 60), told.append)
    assert told == trials
    assert [trial.number for trial in trials] == [1, 2, 3, 4, 5, 6]
    for trial in trials:
        assert trial.score == trial.metrics["roc_auc"] > 0.5
        assert 0 < trial.duration_s < 30 and not trial.failed and not trial.error
        assert type(trial.params["max_depth"]) is int and 1 <= trial.params["max_depth"] <= 40


def test_the_same_seed_gives_the_same_trials_and_another_seed_others(question: Callable[..., Question]) -> None:
    forest = {
        "estimator": "sklearn.ensemble.ExtraTreesClassifier",
        "params": {"n_estimators": 3},
        "space": {"max_features": {"uniform": [0.2, 1]}},
    }
    once, again = (search(question({"tree": TREE, "forest": forest}), Budget(5, 60), lambda _: None) for _ in range(2))
    assert said(once) == said(again)
    other = search(question({"tree": TREE, "forest": forest}, seed=6), Budget(5, 60), lambda _: None)
    assert said(other) != said(once)


def test_a_failed_trial_is_recorded_with_its_error_and_the_search_goes_on(question: Callable[..., Question]) -> None:
    trials = search(question({"tree": TREE, "broken": BROKEN}), Budget(10, 60), lambda _: None)
    failed = [trial for trial in trials if trial.failed]
    assert len(trials) == 10 and 0 < len(failed) < 10
    for trial in failed:
        assert (trial.candidate, trial.score) == ("broken", None)
        assert "InvalidParameterError" in trial.error and "'criterion'" in trial.error
    assert best_of(trials, "roc_auc").candidate == "tree"


def test_a_search_in_which_every_trial_fails_says_why_once_for_each_reason(question: Callable[..., Question]) -> None:
    told: list[Trial] = []
    with pytest.raises(SearchFailed, match=r"all 24 trials failed:\n  broken: InvalidParameterError.*") as raised:
        search(
            question({"broken": BROKEN}), Budget(24, 60), told.append
        )  # 20 are drawn at random, then TPE has to learn
    assert len(told) == 24
    assert str(raised.value).count("broken:") == 1


def test_a_metric_that_cannot_be_computed_is_a_failure_and_not_a_score(question: Callable[..., Question]) -> None:
    asked = question({"perceptron": {"estimator": "sklearn.linear_model.Perceptron"}}, metric="log_loss")
    with pytest.raises(SearchFailed, match="log_loss could not be computed"):
        search(asked, Budget(1, 60), lambda _: None)


def test_non_finite_values_that_reach_an_estimator_are_a_failed_trial(question: Callable[..., Question]) -> None:
    linear = {"estimator": "sklearn.linear_model.LogisticRegression"}
    with pytest.raises(SearchFailed, match="infinity"):
        search(question({"linear": linear}, minutes=np.inf), Budget(2, 60), lambda _: None)


def test_what_an_estimator_warns_of_is_kept_with_its_trial(question: Callable[..., Question]) -> None:
    hasty = {"estimator": "sklearn.linear_model.LogisticRegression", "params": {"max_iter": 1}}
    (trial,) = search(question({"hasty": hasty}), Budget(1, 60), lambda _: None)
    assert not trial.failed and any(text.startswith("ConvergenceWarning: ") for text in trial.warnings)


@pytest.mark.parametrize(("metric", "best"), [("roc_auc", 2), ("log_loss", 3)])
def test_the_best_trial_is_the_one_with_the_best_score_and_of_equals_the_earlier(metric: str, best: int) -> None:
    scores = [None, 0.9, 0.1, 0.9, 0.1]
    assert best_of([Trial(i, "it", score) for i, score in enumerate(scores, start=1)], metric).number == best
