"""The catalogue of estimators, with the function that compiles each."""

from collections.abc import Callable
from typing import Any

from slipway.compile._draft import Draft, Features
from slipway.compile._estimators._boosting import BOOSTING
from slipway.compile._estimators._calibrated import calibrated
from slipway.compile._estimators._dummy import DUMMY
from slipway.compile._estimators._linear import LINEAR
from slipway.compile._estimators._trees import TREES
from slipway.compile._estimators._voting import voting
from slipway.compile._estimators._wrappers import wrappers
from slipway.plans.head import Head

Compiler = Callable[[Draft, Any, Features], Head]


def estimate(draft: Draft, estimator: Any, features: Features) -> Head:
    """Add a fitted estimator, or a pipeline that ends in one, to the draft and return its head. Raises NotCompilable."""
    compiler = ESTIMATORS.get(type(estimator))
    if compiler is None:
        raise draft.no(f"there is no plan for a {type(estimator).__module__}.{type(estimator).__name__}")
    outputs = getattr(estimator, "n_outputs_", 1)
    if outputs != 1 or isinstance(getattr(estimator, "classes_", None), list):
        raise draft.no("more than one output")
    return compiler(draft, estimator, features)


ESTIMATORS: dict[type, Compiler] = {
    **LINEAR,
    **TREES,
    **BOOSTING,
    **DUMMY,
    **wrappers(estimate),
    **calibrated(estimate),
    **voting(estimate),
}
"""By exact type: a subclass may do anything."""
