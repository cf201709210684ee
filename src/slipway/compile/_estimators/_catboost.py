"""CatBoost: symmetric trees over numbers, from the model's own JSON.

Categories that CatBoost counts by itself are hashes of texts and running means, which a plan does not have; they are left to
the model.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from slipway.compile._draft import Draft, Features
from slipway.compile._estimators._trees import as_float32
from slipway.compile._forest import Forest
from slipway.plans.answers import Best, FirstSum, Moved, Through, Turned
from slipway.plans.head import Answer, Function, Head, logistic
from slipway.plans.links import fast_exp, fast_softmax

_IDENTITY = ("RMSE", "MAE", "Quantile", "MAPE", "Huber", "LogCosh", "Expectile")
_EXP = ("Poisson", "Tweedie")


def _scores(draft: Draft, model: Any, features: Features) -> tuple[Answer, str]:
    """Return the scores and the name of the loss."""
    if features.sparse:
        raise draft.no("a sparse matrix")
    whole = _as_json(model)
    if "oblivious_trees" not in whole:
        raise draft.no("trees that are not symmetric (grow_policy)")
    columns = whole["features_info"].get("float_features", [])
    registers = as_float32(draft, features)
    forest = Forest([registers[each["flat_feature_index"]] for each in columns])
    to_the_right = [each["nan_value_treatment"] == "AsTrue" for each in columns]
    scale, bias = whole["scale_and_bias"]
    for tree in whole["oblivious_trees"]:
        _add(draft, forest, tree, to_the_right, len(bias))
    walk = forest.values(np.zeros(len(bias)))
    moved = Moved(
        FirstSum(walk) if len(bias) == 1 else Turned(walk, copied=True), float(scale), np.array(bias, dtype=np.float64)
    )
    return moved, whole["model_info"]["params"]["loss_function"]["type"]


def _as_json(model: Any) -> Mapping[str, Any]:
    """Return the model as JSON, which CatBoost writes to files alone."""
    with tempfile.TemporaryDirectory(prefix="slipway-catboost-") as folder:
        path = Path(folder, "model.json")
        model.save_model(str(path), format="json")
        whole: Mapping[str, Any] = json.loads(path.read_text())
    return whole


def _add(draft: Draft, forest: Forest, tree: Mapping[str, Any], to_the_right: list[bool], outputs: int) -> None:
    """Add a symmetric tree: all nodes of a level split alike, and the first split is the lowest bit of a leaf's number."""
    splits = list(reversed(tree["splits"] or []))
    if any(split["split_type"] != "FloatFeature" for split in splits):
        raise draft.no("categories or texts that CatBoost encodes by itself")
    inner = 2 ** len(splits) - 1
    nodes = np.arange(2 * inner + 1)
    level = np.floor(np.log2(nodes[:inner] + 1)).astype(int)
    at = np.array([split["float_feature_index"] for split in splits], dtype=np.int64)[level]
    values = np.array(tree["leaf_values"], dtype=np.float64).reshape(-1, outputs)
    for k in range(outputs):
        forest.add(
            feature=_padded(at, len(nodes)),
            threshold=_padded(np.array([split["border"] for split in splits], dtype=np.float32)[level], len(nodes)),
            left=2 * nodes + 1,
            right=2 * nodes + 2,
            missing_left=_padded(~np.array(to_the_right, dtype=bool)[at], len(nodes)),
            leaf=nodes >= inner,
            value=np.concatenate([np.zeros(inner), values[:, k]]),
            output=k,
        )


def _padded(of_splits: Any, length: int) -> Any:
    return np.concatenate([of_splits, np.zeros(length - len(of_splits), of_splits.dtype)])


def member(draft: Draft, model: Any, features: Features) -> Head:
    """Compile a classifier whose classes are numbers, as it stands in a vote of one."""
    scores, loss = _scores(draft, model, features)
    links: dict[str, Function] = {"Logloss": logistic, "CrossEntropy": logistic, "MultiClass": fast_softmax}
    if loss not in links:
        raise draft.no(f"loss_function={loss}")
    probabilities = Through(links[loss], scores)
    return Head(Best(scores, model.classes_), probabilities, None, model.classes_)


def _classifier(draft: Draft, model: Any, features: Features) -> Head:
    """Compile a classifier on its own, which answers several classes as a column and truth values as texts."""
    if len(model.classes_) != 2 or not all(type(each) in (int, str) for each in model.classes_.tolist()):
        raise draft.no("more than two classes, or labels that are neither numbers nor texts")
    return member(draft, model, features)


def _regressor(draft: Draft, model: Any, features: Features) -> Head:
    scores, loss = _scores(draft, model, features)
    if loss not in (*_IDENTITY, *_EXP):
        raise draft.no(f"loss_function={loss}")
    return Head(Through(fast_exp, scores) if loss in _EXP else scores)


CATBOOST: dict[str, Any] = {
    "catboost.core.CatBoostClassifier": _classifier,
    "catboost.core.CatBoostRegressor": _regressor,
}
