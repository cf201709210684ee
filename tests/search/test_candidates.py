from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

from slipway.core.spec import Experiment
from slipway.errors import CodeInvalid
from slipway.search import build_pipeline, check_candidate

FOREST = "sklearn.ensemble.RandomForestClassifier"


@pytest.fixture
def one(declare: Callable[..., Experiment]) -> Callable[..., Experiment]:
    """Return a function that makes an experiment of one candidate, named `it`."""

    def make(seed: int = 0, **candidate: Any) -> Experiment:
        return declare(search={"metric": "roc_auc", "seed": seed, "candidates": {"it": candidate}})

    return make


def test_a_pipeline_has_the_fixed_parameters_those_of_the_trial_and_the_seed(
    one: Callable[..., Experiment], tmp_path: Path
) -> None:
    experiment = one(seed=7, estimator=FOREST, params={"max_depth": 3}, space={"n_estimators": {"int": [5, 9]}})
    estimator = build_pipeline(tmp_path, experiment, "it", {"n_estimators": 6})[-1]
    assert isinstance(estimator, RandomForestClassifier)
    assert (estimator.max_depth, estimator.n_estimators, estimator.random_state) == (3, 6, 7)


def test_a_random_state_that_is_given_is_kept(one: Callable[..., Experiment], tmp_path: Path) -> None:
    experiment = one(seed=7, estimator=FOREST, params={"random_state": 1})
    assert build_pipeline(tmp_path, experiment, "it", {})[-1].random_state == 1


def test_a_pipeline_is_new_each_time_and_not_fitted(one: Callable[..., Experiment], tmp_path: Path) -> None:
    experiment = one(estimator=FOREST)
    first, second = (build_pipeline(tmp_path, experiment, "it", {}) for _ in range(2))
    assert first is not second and first[-1] is not second[-1]
    assert not hasattr(first[-1], "estimators_")


@pytest.mark.parametrize(
    ("candidate", "said"),
    [
        ({"estimator": "sklearn.ensemble.RandomForestClasifier"}, "did you mean 'RandomForestClassifier'"),
        (
            {"estimator": "sklearn.ensembel.RandomForestClassifier"},
            "no module 'sklearn.ensembel'; did you mean 'ensemble'",
        ),
        (
            {"estimator": "xgboots.XGBClassifier"},
            "candidate 'it': xgboots.XGBClassifier: there is no module 'xgboots'.* `pip install xgboots`",
        ),
        ({"estimator": "sklearn.metrics.roc_auc_score"}, "there is no class 'roc_auc_score'"),
        ({"estimator": "pathlib.Path"}, "is not a scikit-learn estimator"),
        ({"estimator": "sklearn.base.BaseEstimator"}, "is not a classifier, and the task is binary"),
        ({"estimator": "sklearn.linear_model.Ridge"}, "'it' is not a classifier, and the task is binary"),
        ({"estimator": "sklearn.multiclass.OneVsRestClassifier"}, "cannot be made"),
        ({"estimator": FOREST, "params": {"max_dept": 3}}, "no parameter 'max_dept'; did you mean 'max_depth'"),
        ({"estimator": FOREST, "space": {"n_estimator": {"int": [1, 2]}}}, "did you mean 'n_estimators'"),
        ({"pipeline": "own_pipelines:make"}, "candidate 'it': own_pipelines:make: there is no module 'own_pipelines'"),
    ],
)
def test_a_candidate_that_cannot_be_used_is_told_with_the_nearest_name(
    one: Callable[..., Experiment], tmp_path: Path, candidate: dict[str, Any], said: str
) -> None:
    with pytest.raises(CodeInvalid, match=said):
        check_candidate(tmp_path, one(**candidate), "it")


LIKE_LIGHTGBM = """
from sklearn.base import BaseEstimator, ClassifierMixin


class Booster(ClassifierMixin, BaseEstimator):
    def __init__(self, *, leaves=31, random_state=None, **others):
        self.leaves, self.random_state = leaves, random_state
        self.set_params(**others)

    def get_params(self, deep=True):
        return super().get_params(deep) | getattr(self, "_others", {})

    def set_params(self, **params):
        for key, value in params.items():
            setattr(self, key, value)
        self._others = getattr(self, "_others", {}) | {k: v for k, v in params.items() if k not in self._get_param_names()}
        return self


class Strict(ClassifierMixin, BaseEstimator):
    def __init__(self, leaves=31, **others):
        self.leaves = leaves
"""


def test_an_estimator_that_takes_any_parameter_gets_those_that_it_does_not_name(
    one: Callable[..., Experiment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "like_lightgbm.py").write_text(LIKE_LIGHTGBM)
    monkeypatch.syspath_prepend(tmp_path)
    experiment = one(
        seed=7, estimator="like_lightgbm.Booster", params={"verbose": -1}, space={"bagging": {"uniform": [0.5, 1]}}
    )
    check_candidate(tmp_path, experiment, "it")
    estimator = build_pipeline(tmp_path, experiment, "it", {"bagging": 0.75})[-1]
    assert estimator.get_params() == {"leaves": 31, "random_state": 7, "verbose": -1, "bagging": 0.75}
    with pytest.raises(CodeInvalid, match=r"candidate 'it': like_lightgbm\.Strict cannot be made: .*'verbose'"):
        check_candidate(tmp_path, one(estimator="like_lightgbm.Strict", params={"verbose": -1}), "it")


def test_a_regression_wants_a_regressor(declare: Callable[..., Experiment], tmp_path: Path) -> None:
    search = {"metric": "rmse", "candidates": {"it": {"estimator": FOREST}}}
    with pytest.raises(CodeInvalid, match="'it' is not a regressor, and the task is regression"):
        check_candidate(tmp_path, declare(task="regression", search=search), "it")


def test_a_function_of_the_experiment_makes_its_own_pipeline(one: Callable[..., Experiment], tmp_path: Path) -> None:
    code = (
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.linear_model import LogisticRegression\n"
        "def make(C, penalty='l2'):\n    return make_pipeline(LogisticRegression(C=C))\n"
    )
    (tmp_path / "features.py").write_text(code)
    experiment = one(pipeline="features:make", space={"C": {"uniform": [0.5, 1]}})
    check_candidate(tmp_path, experiment, "it")
    pipeline = build_pipeline(tmp_path, experiment, "it", {"C": 0.75})
    assert isinstance(pipeline, Pipeline) and pipeline[-1].C == 0.75


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def make():\n    raise ValueError('no')\n", r"features:make\(\) failed: ValueError: no"),
        ("def make():\n    return 3\n", "has to return a scikit-learn Pipeline; it returned int"),
        ("def make(C):\n    pass\n", r"features:make\(\) failed: TypeError"),
        ("def maek():\n    pass\n", "did you mean 'maek'"),
        (
            "def make():\n    import no_such_library\n",
            "candidate 'it': .*no_such_library'.* `pip install no_such_library`",
        ),
    ],
)
def test_a_function_that_makes_no_pipeline_is_told_by_its_name(
    one: Callable[..., Experiment], tmp_path: Path, code: str, said: str
) -> None:
    (tmp_path / "features.py").write_text(code)
    with pytest.raises(CodeInvalid, match=said):
        check_candidate(tmp_path, one(pipeline="features:make"), "it")
