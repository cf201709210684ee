"""Pipelines with LightGBM, XGBoost and CatBoost, as Slipway builds them, of many losses and kinds of trees, for `matrix.py`."""

from collections.abc import Callable
from typing import Any

from catboost import CatBoostClassifier, CatBoostRegressor
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import FixedThresholdClassifier
from tests.compile.pipelines import codes, usual
from xgboost import XGBClassifier, XGBRegressor


def light(**more: Any) -> Any:
    model = LGBMClassifier(n_estimators=20, verbose=-1, n_jobs=1, random_state=0, categorical_column=[0, 1, 2], **more)
    return usual(model, codes(), "passthrough")


def light_regressor(**more: Any) -> Any:
    model = LGBMRegressor(n_estimators=20, verbose=-1, n_jobs=1, random_state=0, categorical_column=[0, 1, 2], **more)
    return usual(model, codes(), "passthrough")


def extreme(**more: Any) -> Any:
    member = XGBClassifier(n_estimators=20, n_jobs=1, random_state=0, **_BY_CATEGORY, **more)
    return usual(VotingClassifier([("model", member)], voting="soft"), codes(), "passthrough")


def extreme_regressor(**more: Any) -> Any:
    return usual(
        XGBRegressor(n_estimators=20, n_jobs=1, random_state=0, **_BY_CATEGORY, **more), codes(), "passthrough"
    )


def cat(**more: Any) -> Any:
    member = CatBoostClassifier(iterations=20, random_state=0, **_SILENT, **more)
    return usual(VotingClassifier([("model", member)], voting="soft"), numbers="passthrough")


def cat_regressor(**more: Any) -> Any:
    return usual(CatBoostRegressor(iterations=20, random_state=0, **_SILENT, **more), numbers="passthrough")


def calibrated(model: Any, method: str) -> Any:
    return CalibratedClassifierCV(model, method=method, cv=3, ensemble=False)


_SILENT = {"verbose": 0, "allow_writing_files": False, "thread_count": 1}
_BY_CATEGORY = {"enable_categorical": True, "feature_types": ["c"] * 3 + ["q"] * 9}

BOOSTERS: dict[str, tuple[str, Callable[[], Any]]] = {
    "lightgbm": ("yes_no", light),
    "lightgbm of three": ("three", light),
    "lightgbm dart": ("three", lambda: light(boosting_type="dart")),
    "lightgbm of stumps": ("binary", lambda: light(min_child_samples=500)),
    "lightgbm without gaps": (
        "binary",
        lambda: usual(LGBMClassifier(n_estimators=20, verbose=-1, n_jobs=1)),
    ),
    "lightgbm regressor": ("regression", light_regressor),
    "lightgbm quantile": ("regression", lambda: light_regressor(objective="quantile", alpha=0.8)),
    "lightgbm poisson": ("counts", lambda: light_regressor(objective="poisson")),
    "lightgbm tweedie": ("counts", lambda: light_regressor(objective="tweedie")),
    "xgboost": ("yes_no", extreme),
    "xgboost of three": ("three", extreme),
    "xgboost, one category against the rest": ("binary", lambda: extreme(max_cat_to_onehot=100)),
    "xgboost of forests": ("three", lambda: extreme(num_parallel_tree=3, subsample=0.5)),
    "xgboost alone": (
        "binary",
        lambda: usual(XGBClassifier(n_estimators=20, n_jobs=1), numbers="passthrough"),
    ),
    "xgboost regressor": ("regression", extreme_regressor),
    "xgboost absolute error": ("regression", lambda: extreme_regressor(objective="reg:absoluteerror")),
    "xgboost quantile": (
        "regression",
        lambda: extreme_regressor(objective="reg:quantileerror", quantile_alpha=0.8),
    ),
    "xgboost poisson": ("counts", lambda: extreme_regressor(objective="count:poisson")),
    "xgboost gamma": ("counts", lambda: extreme_regressor(objective="reg:gamma")),
    "xgboost tweedie": ("counts", lambda: extreme_regressor(objective="reg:tweedie")),
    "lightgbm, sigmoid": ("yes_no", lambda: calibrated(light(), "sigmoid")),
    "lightgbm of three, isotonic": ("three", lambda: calibrated(light(), "isotonic")),
    "xgboost, sigmoid": ("yes_no", lambda: calibrated(extreme(), "sigmoid")),
    "xgboost, threshold": (
        "yes_no",
        lambda: FixedThresholdClassifier(extreme(), threshold=0.3, response_method="predict_proba"),
    ),
    "catboost": ("yes_no", cat),
    "catboost of three": ("three", cat),
    "catboost, missing values largest": ("binary", lambda: cat(nan_mode="Max", depth=3)),
    "catboost alone": (
        "yes_no",
        lambda: usual(CatBoostClassifier(iterations=20, **_SILENT)),
    ),
    "catboost regressor": ("regression", cat_regressor),
    "catboost quantile": ("regression", lambda: cat_regressor(loss_function="Quantile:alpha=0.8")),
    "catboost poisson": ("counts", lambda: cat_regressor(loss_function="Poisson")),
    "catboost tweedie": ("counts", lambda: cat_regressor(loss_function="Tweedie:variance_power=1.5")),
}
