"""Candidates that would be refused after a search are refused before it, such as behave as LightGBM and XGBoost do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from slipway.core.spec import Experiment
from slipway.errors import CodeInvalid, UntrustedModel
from slipway.search import Question
from slipway.workflows.training.rehearsal import few_rows, rehearse

LOGISTIC = {"estimator": "sklearn.linear_model.LogisticRegression", "space": {"C": {"log_uniform": [0.1, 10]}}}
BOOSTING = {"estimator": "sklearn.ensemble.HistGradientBoostingClassifier", "params": {"max_iter": 3}}

LIBRARY = """
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

FITS = []


class Booster:
    def __init__(self, share):
        self.share = share


class Boosted(ClassifierMixin, BaseEstimator):
    def __init__(self, leaves=3, takes="all"):
        self.leaves, self.takes = leaves, takes

    def fit(self, X, y):
        FITS.append((self.leaves, len(y)))
        self.classes_ = np.unique(y)
        if self.takes == "numbers" and list(self.classes_) != list(range(len(self.classes_))):
            raise ValueError(f"Invalid classes. Expected: [0 1], got {self.classes_}")
        if self.takes == "many" and len(y) <= 300:
            raise ValueError("too few rows")
        if self.takes == "library":
            import made_up_gpu
        if self.leaves == 2:
            raise ValueError("leaves of 2 cannot be")
        self.booster_ = Booster(0.5) if self.takes == "all" else None
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])
"""
BOOSTED = {"estimator": "made_up_library.Boosted"}
OWN_TYPES = ("made_up_library.Boosted",)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A library that is installed, as far as Python sees; returns its module."""
    (tmp_path / "made_up_library.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "made_up_library", raising=False)
    return __import__("made_up_library")


@pytest.fixture
def question(declare: Callable[..., Experiment], tmp_path: Path) -> Callable[..., Question]:
    """Return a function that asks about rows of two ports, one of them rare, and of the classes given."""

    def ask(classes: tuple[Any, Any] = ("no", "yes"), rows: int = 1000, **candidates: Any) -> Question:
        search = {"metric": "roc_auc", "candidates": candidates}
        minutes = np.random.default_rng(1).normal(size=rows)
        late = np.where(np.arange(rows) < 4, classes[1], classes[0])
        frame = pd.DataFrame({"late": late, "minutes": minutes, "port": ["A", "B"] * (rows // 2)})
        folds = [(np.arange(rows // 2), np.arange(rows // 2, rows))]
        return Question(tmp_path, declare(search=search), classes, frame, folds)

    return ask


def test_candidates_that_can_be_fitted_stored_and_loaded_pass(question: Callable[..., Question]) -> None:
    rehearse(question(logistic=LOGISTIC, boosting=BOOSTING), ())


@pytest.mark.parametrize(
    "estimator", ["lightgbm.LGBMClassifier", "xgboost.XGBClassifier", "catboost.CatBoostClassifier"]
)
def test_a_booster_passes_with_texts_for_labels_and_nothing_else_declared(
    question: Callable[..., Question], estimator: str
) -> None:
    rehearse(question(boosted={"estimator": estimator, "monotone": {"minutes": -1}}), ())


def test_what_a_library_finds_wrong_is_found_before_a_search(question: Callable[..., Question]) -> None:
    wrong = {"estimator": "lightgbm.LGBMClassifier", "params": {"objective": "binry"}}
    with pytest.raises(CodeInvalid, match=r"candidate 'boosted' cannot be fitted; nothing was trained: .*binry"):
        rehearse(question(boosted=wrong), ())


def test_a_type_that_is_not_trusted_is_told_for_every_candidate_with_what_is_trusted_and_what_to_do(
    question: Callable[..., Question], library: Any
) -> None:
    asked = question(logistic=LOGISTIC, boosted=BOOSTED, more={"estimator": "made_up_library.Boosted"})
    with pytest.raises(UntrustedModel) as told:
        rehearse(asked, ("made_up_library.Boosted", "features.Ratio"))
    said = str(told.value)
    for name in ("boosted", "more"):
        assert f"candidate '{name}': the pipeline holds types that are not trusted: made_up_library.Booster" in said
    assert "logistic" not in said
    assert "trusted are the types of scikit-learn, numpy and scipy" in said
    assert "made_up_library.Boosted, features.Ratio" in said and "search.trusted_types" in said
    assert "nothing was trained" in said
    rehearse(asked, ("made_up_library.Boosted", "made_up_library.Booster"))


def test_few_rows_are_enough_and_every_class_is_among_them(question: Callable[..., Question], library: Any) -> None:
    asked = question(rows=5000, boosted={**BOOSTED, "params": {"takes": "any"}})
    few = few_rows(asked)
    assert len(few) <= 300 and set(few["late"]) == {"no", "yes"} and few.index.is_monotonic_increasing
    rehearse(asked, OWN_TYPES)
    assert [(3, len(few))] == library.FITS


def test_a_candidate_that_cannot_take_the_classes_is_told_so_before_the_search(
    question: Callable[..., Question], library: Any
) -> None:
    candidate = {**BOOSTED, "params": {"takes": "numbers"}}
    with pytest.raises(CodeInvalid) as told:
        rehearse(question(logistic=LOGISTIC, boosted=candidate), OWN_TYPES)
    said = str(told.value)
    assert said.startswith("candidate 'boosted' cannot be fitted; nothing was trained: ValueError: Invalid classes.")
    assert "it takes the classes as 0, 1, and not as no, yes" in said
    rehearse(question(classes=(0, 1), boosted=candidate), OWN_TYPES)


def test_a_candidate_of_which_some_points_cannot_be_fitted_passes_since_a_search_bears_failed_trials(
    question: Callable[..., Question], library: Any
) -> None:
    space = {"leaves": {"int": [2, 9]}}
    rehearse(question(boosted={**BOOSTED, "params": {"takes": "any"}, "space": space}), OWN_TYPES)
    assert [leaves for leaves, _ in library.FITS] == [2, 4]
    with pytest.raises(CodeInvalid, match=r"'boosted' cannot be fitted.* ValueError: leaves of 2 cannot be; mend"):
        rehearse(question(boosted={**BOOSTED, "params": {"leaves": 2}}), OWN_TYPES)


def test_a_candidate_that_needs_more_rows_gets_them_all(question: Callable[..., Question], library: Any) -> None:
    rehearse(question(boosted={**BOOSTED, "params": {"takes": "many"}}), OWN_TYPES)
    assert library.FITS[-1] == (3, 1000)


def test_a_library_that_is_missing_only_when_it_fits_is_named(question: Callable[..., Question], library: Any) -> None:
    with pytest.raises(CodeInvalid, match=r"candidate 'boosted' cannot be fitted.*`pip install made_up_gpu`"):
        rehearse(question(boosted={**BOOSTED, "params": {"takes": "library"}}), OWN_TYPES)


def test_a_regression_is_rehearsed_on_rows_of_any_target(declare: Callable[..., Experiment], tmp_path: Path) -> None:
    ridge = {"ridge": {"estimator": "sklearn.linear_model.Ridge"}}
    experiment = declare(task="regression", search={"metric": "rmse", "candidates": ridge})
    frame = pd.DataFrame({"late": np.arange(900), "minutes": np.arange(900.0), "port": ["A"] * 900})
    asked = Question(tmp_path, experiment, (), frame, [])
    assert len(few_rows(asked)) == 300
    rehearse(asked, ())
