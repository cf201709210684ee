"""The compilation of a fitted model to a plan."""

from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from slipway.compile._draft import Draft, Features, Raw
from slipway.compile._estimators import estimate
from slipway.errors import NotCompilable
from slipway.plans.columns import RowEncoder
from slipway.plans.compiled import Compiled


def compile_model(model: Any) -> Compiled:
    """Make a plan of a fitted scikit-learn model. Raises NotCompilable, naming the step and why.

    The first plan compiles the native code, which is kept for the next process; see `slipway.plans.kernels`.
    """
    try:
        check_is_fitted(model)
    except (NotFittedError, TypeError) as error:
        raise NotCompilable(type(model).__name__, str(error)) from None
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        raise NotCompilable(type(model).__name__, "it was not fitted on a table with named columns")
    draft = Draft(tuple(map(str, names)))
    try:
        head = estimate(draft, model, Features(tuple(map(Raw, range(len(names))))))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # Much is read from attributes that scikit-learn keeps for itself and other versions may not have.
        raise NotCompilable(draft.where, f"it does not look as expected: {type(error).__name__}: {error}") from error
    encoder = RowEncoder(draft.names, tuple(draft.number_columns()), tuple(draft.texts), tuple(draft.terms))
    classes = None if head.classes is None else tuple(head.classes.tolist())
    compiled = Compiled(draft.names, classes, encoder, draft.program(), head)
    compiled.predict(compiled.encode([]))  # the native code is loaded now, and not by the first request
    return compiled
