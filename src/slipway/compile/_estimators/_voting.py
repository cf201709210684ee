"""The compilers of VotingClassifier and VotingRegressor: the members share the columns, codes and registers of one draft."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import VotingClassifier, VotingRegressor

from slipway.compile._draft import Draft, Features
from slipway.compile._estimators import _catboost
from slipway.plans.answers import Best
from slipway.plans.head import Head
from slipway.plans.votes import MeanProbabilities, MeanValues

Estimate = Callable[[Draft, Any, Features], Head]

# By the full name of the type: members that are asked for probabilities alone.
_MEMBERS = {"catboost.core.CatBoostClassifier": _catboost.member}


def qualified(estimator: Any) -> str:
    """Return the full name of an estimator's type."""
    return f"{type(estimator).__module__}.{type(estimator).__qualname__}"


def voting(estimate: Estimate) -> dict[type, Estimate]:
    """Return the compilers of voting models; `estimate` compiles the members."""

    def members(draft: Draft, model: Any, features: Features) -> list[Head]:
        heads = []
        for i, member in enumerate(model.estimators_):
            with draft.inside(f"member {i}"):
                compiler = _MEMBERS.get(qualified(member), estimate)
                heads.append(compiler(draft, member, _inputs(model, member, features)))
        return heads

    def classifier(draft: Draft, model: VotingClassifier, features: Features) -> Head:
        if model.voting != "soft":
            raise draft.no(f"voting='{model.voting}'")
        heads = members(draft, model, features)
        answers = [head.predict_proba for head in heads]
        if None in answers or any(_classes(head) != len(model.classes_) for head in heads):
            raise draft.no("a member without probabilities, or that has not seen all classes")
        probabilities = MeanProbabilities(tuple(answer for answer in answers if answer), _weights(model))
        return Head(Best(probabilities, model.classes_), probabilities, None, model.classes_)

    def regressor(draft: Draft, model: VotingRegressor, features: Features) -> Head:
        answers = tuple(head.predict for head in members(draft, model, features))
        return Head(MeanValues(answers, _weights(model)))

    return {VotingClassifier: classifier, VotingRegressor: regressor}


def _classes(head: Head) -> int:
    return 0 if head.classes is None else len(head.classes)


def _inputs(model: Any, member: Any, features: Features) -> Features:
    """Return the features of a member: those that it was fitted on, where members take columns by their names."""
    names = getattr(member, "feature_names_in_", None)
    known = getattr(model, "feature_names_in_", None)
    if names is None or known is None:
        return features
    at = {name: i for i, name in enumerate(known)}
    return features.take([at[name] for name in names])


def _weights(model: Any) -> NDArray[Any] | None:
    weights = model._weights_not_none
    return None if weights is None else np.asarray(weights)
