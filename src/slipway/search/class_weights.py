"""The keys of a mapping of class weights, as the classes of the target are spelled.

In YAML a class is `1`, `"1"` or `true`, and JSON, which a run keeps its declaration in, has no keys but texts: without this,
a winner that weighs classes by their number could not be fitted again from its record. HistGradientBoostingClassifier looks
classes up by their code (scikit-learn 1.9), which is another class where the classes are 1 and 2.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline

from slipway.core.casts import to_bool, to_text, to_whole
from slipway.core.spec import ColumnType, Data
from slipway.errors import CodeInvalid

_KEY, _OF_POSITIVE = "class_weight", "scale_pos_weight"
_CASTS = {ColumnType.INT: to_whole, ColumnType.BOOL: to_bool}


def with_class_weights(params: Mapping[str, Any], data: Data) -> dict[str, Any]:
    """Return the parameters with the keys of each `class_weight` mapping as the classes of the target are."""
    return {key: _keyed(value, data) if _weighs(key, value) else value for key, value in params.items()}


def code_class_weights(model: Any, target: pd.Series) -> None:
    """Give an unfitted model's HistGradientBoostingClassifier its class weights by the code of each class of the target."""
    estimator = model.estimator if isinstance(model, FixedThresholdClassifier) else model
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    if isinstance(estimator, HistGradientBoostingClassifier) and isinstance(estimator.class_weight, Mapping):
        classes = np.unique(target).tolist()
        by_class = estimator.class_weight
        estimator.set_params(class_weight={code: by_class[c] for code, c in enumerate(classes) if c in by_class})


def require_positive_weighed(names: Iterable[str], data: Data, target: pd.Series) -> None:
    """Raise CodeInvalid for a `scale_pos_weight` where the positive class is not the last of the target's in order.

    names: the parameters of the candidate. The boosting libraries take the last class for the positive one, so the weight would
    go to the class that was to count less.
    """
    if _OF_POSITIVE in names and data.positive is not None and target.min() == data.positive:
        raise CodeInvalid(
            f"{_OF_POSITIVE} weighs {target.max()!r}, the last class in order, and data.positive is {data.positive!r}; weigh "
            "rows by data.weight, or classes by class_weight where the estimator takes it"
        )


def _weighs(key: str, value: object) -> bool:
    return key.rpartition("__")[2] == _KEY and isinstance(value, Mapping)


def _keyed(weights: Mapping[Any, Any], data: Data) -> dict[Any, Any]:
    cast = _CASTS.get(data.columns[data.target].type, to_text)
    keys = cast(pd.Series(list(weights), dtype=object))
    if keys.isna().any():  # no class is spelled so: the estimator says which classes there are
        return dict(weights)
    keyed: dict[Any, Any] = dict(zip(keys.tolist(), weights.values(), strict=True))
    # scikit-learn looks up a class with the text "0" under the number 0 (compute_class_weight, 1.9).
    return keyed | {int(key): weight for key, weight in keyed.items() if isinstance(key, str) and _is_whole(key)}


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal()
