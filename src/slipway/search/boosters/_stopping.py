"""Early stopping: trees are added until the loss of the validation rows falls no more, and the best number of trees is kept.

The loss is that of the objective. The score of such a trial on the same rows is a little too good, since one number was chosen
on them; it is the same choice that a search makes of every other number.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from slipway.search.boosters._libraries import MOST_TREES

PATIENCE = 30
"""The number of trees without a better loss, after which no more are added."""

Rows = tuple[Any, Any]
"""Features and target."""
Fitted = Mapping[str, Any]
"""The parameters that were found."""

# What CatBoost derives from the number of trees that it is asked for, with other names. A second fit, which is asked for fewer
# trees, has to be given these too.
_CHOSEN_BY_CATBOOST = {"learning_rate": ("eta",), "leaf_estimation_iterations": ()}


def _lightgbm(model: Any, train: Rows, held_out: Rows, weighted: Mapping[str, Any]) -> Fitted:
    from lightgbm import early_stopping

    model.set_params(n_estimators=MOST_TREES)
    with warnings.catch_warnings():
        # LightGBM 4.7 deprecates eval_set for eval_X and eval_y, whose labels its classifier does not encode.
        warnings.filterwarnings("ignore", "The argument 'eval_set' is deprecated")
        model.fit(*train, eval_set=[held_out], callbacks=[early_stopping(PATIENCE, verbose=False)], **weighted)
    return {"n_estimators": model.best_iteration_}


def _xgboost(model: Any, train: Rows, held_out: Rows, weighted: Mapping[str, Any]) -> Fitted:
    model.set_params(n_estimators=MOST_TREES, early_stopping_rounds=PATIENCE)
    model.fit(*train, eval_set=[held_out], verbose=False, **weighted)
    return {"n_estimators": model.best_iteration + 1}


def _catboost(model: Any, train: Rows, held_out: Rows, weighted: Mapping[str, Any]) -> Fitted:
    given = set(model.get_params())
    model.set_params(iterations=MOST_TREES)
    model.fit(*train, eval_set=held_out, early_stopping_rounds=PATIENCE, **weighted)
    chosen = model.get_all_params()
    names = [name for name, others in _CHOSEN_BY_CATBOOST.items() if not given & {name, *others} and name in chosen]
    return {"iterations": model.tree_count_, **{name: chosen[name] for name in names}}


def _histogram(model: Any, train: Rows, held_out: Rows, weighted: Mapping[str, Any]) -> Fitted:
    rows, truth = held_out
    model.set_params(early_stopping=True, max_iter=MOST_TREES, n_iter_no_change=PATIENCE, scoring="loss")
    model.fit(*train, X_val=rows, y_val=truth, **weighted)
    # The first score is that of no tree. scikit-learn keeps the trees after the best, which would be scored too.
    best = max(1, int(model.validation_score_.argmax()))
    del model._predictors[best:]
    return {"max_iter": best}


FITS: dict[str, Callable[[Any, Rows, Rows, Mapping[str, Any]], Fitted]] = {
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "catboost": _catboost,
    "sklearn": _histogram,
}
"""By the name of the library: fits a model and returns the parameters for the same number of trees."""
