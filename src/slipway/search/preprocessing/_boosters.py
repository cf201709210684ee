"""Libraries of gradient boosting that take categories as codes, and are told which columns these are when they are fitted."""

from sklearn.base import BaseEstimator

_MODULES = ("lightgbm.sklearn", "xgboost.sklearn")


def takes_codes(estimator: BaseEstimator) -> bool:
    """Return whether an estimator is of such a library; CatBoost is not: its own categories are texts."""
    return type(estimator).__module__ in _MODULES
