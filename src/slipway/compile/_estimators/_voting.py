"""VotingClassifier of one member, which Slipway puts around a classifier that knows its classes by number only."""

from collections.abc import Callable
from typing import Any

from sklearn.ensemble import VotingClassifier

from slipway.compile._draft import Draft, Features
from slipway.compile._estimators import _catboost
from slipway.plans.answers import Best
from slipway.plans.head import Head

# By the full name of the type: members that are asked for probabilities alone.
_MEMBERS = {"catboost.core.CatBoostClassifier": _catboost.member}


def qualified(estimator: Any) -> str:
    """Return the full name of an estimator's type."""
    return f"{type(estimator).__module__}.{type(estimator).__qualname__}"


def voting(estimate: Callable[[Draft, Any, Features], Head]) -> dict[type, Any]:
    """Return the compiler of a vote of one; `estimate` compiles the member."""

    def one(draft: Draft, model: VotingClassifier, features: Features) -> Head:
        if model.voting != "soft" or len(model.estimators_) != 1:
            raise draft.no("a vote of several, or without probabilities")
        (member,) = model.estimators_
        inner = _MEMBERS.get(qualified(member), estimate)(draft, member, features)
        codes = [] if inner.classes is None else inner.classes.tolist()
        if inner.predict_proba is None or codes != list(range(len(model.classes_))):
            raise draft.no("a member without probabilities, or that has not seen all classes")
        return Head(Best(inner.predict_proba, model.classes_), inner.predict_proba, None, model.classes_)

    return {VotingClassifier: one}
