"""XGBoost: the trees from the model's own JSON. It compares, adds up and answers in float32, and so does the plan."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.compile._draft import Draft, Features, Register
from slipway.compile._estimators._trees import as_float32
from slipway.compile._forest import Forest
from slipway.plans.answers import Best, FirstSum, Through, Turned
from slipway.plans.forests import ValueForest
from slipway.plans.head import Answer, Function, Head
from slipway.plans.kernels._walks import SET_WORDS
from slipway.plans.links import exp32, logistic32, softmax32

_CATEGORIES = 32 * SET_WORDS
_IDENTITY = (
    *("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror", "reg:quantileerror"),
    "reg:squaredlogerror",
)
_EXP = ("count:poisson", "reg:gamma", "reg:tweedie")


def _forest(draft: Draft, model: Any, features: Features) -> tuple[ValueForest, str]:
    """Return the trees up to the best iteration, if the fit was stopped early, and the objective."""
    if features.sparse:
        raise draft.no("a sparse matrix")
    if not np.isnan(model.missing):
        raise draft.no(f"missing={model.missing}")
    learner = json.loads(bytes(model.get_booster().save_raw("json")))["learner"]
    booster, objective = learner["gradient_booster"], str(learner["objective"]["name"])
    if booster["name"] != "gbtree" or int(learner["learner_model_param"]["num_target"]) != 1:
        raise draft.no(f"booster={booster['name']}, or more than one target")
    _, end = model._get_iteration_range(None)
    trees = booster["model"]["trees"]
    end = booster["model"]["iteration_indptr"][end] if end else len(trees)
    forest = Forest(_registers(draft, features, learner["feature_types"]))
    for tree, output in zip(trees[:end], booster["model"]["tree_info"], strict=False):
        _add(draft, forest, tree, output)
    return forest.values(_start(learner["learner_model_param"], objective)), objective


def _registers(draft: Draft, features: Features, kinds: list[str]) -> list[int]:
    """Return the registers of the features; a column of categories has to hold the codes of an encoder."""
    for feature, kind in zip(features.items, kinds, strict=False):
        if kind == "c" and not isinstance(feature, Register):
            raise draft.no("categories that no encoder gave their codes")
    return as_float32(draft, features)


def _add(draft: Draft, forest: Forest, tree: Mapping[str, Any], output: int) -> None:
    if int(tree["tree_param"]["size_leaf_vector"]) > 1:
        raise draft.no("multi_strategy=multi_output_tree")
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    conditions = np.array(tree["split_conditions"], dtype=np.float32)
    leaf, categorical = left == -1, np.array(tree["split_type"]) == 1
    # What is below a condition goes left: of float32, what is at most the number before it.
    threshold = np.nextafter(conditions, np.float32(-np.inf)).astype(np.float64)
    split = categorical & ~leaf
    threshold[split] = np.arange(split.sum())
    forest.add(
        feature=np.array(tree["split_indices"]),
        threshold=threshold,
        left=left,
        right=right,
        missing_left=np.array(tree["default_left"]) == 1,
        leaf=leaf,
        value=conditions.astype(np.float64),
        output=output,
        categorical=split,
        sets=_sets(draft, tree) if split.any() else None,
    )


def _sets(draft: Draft, tree: Mapping[str, Any]) -> NDArray[np.uint32]:
    """Return the sets of the splits by category: XGBoost names the categories that go right, all others go left."""
    nodes, sizes = np.array(tree["categories_nodes"]), tree["categories_sizes"]
    if not (np.diff(nodes) > 0).all():
        raise draft.no("splits by category in another order than the nodes")
    sets = np.full((len(nodes), 2, SET_WORDS), 0xFFFFFFFF, dtype=np.uint32)
    for i, (start, size) in enumerate(zip(tree["categories_segments"], sizes, strict=True)):
        right = np.array(tree["categories"][start : start + size], dtype=np.int64)
        if size and right.max() >= _CATEGORIES:
            raise draft.no(f"more than {_CATEGORIES} categories of a column")
        np.bitwise_and.at(sets[i, 0], right >> 5, ~(np.uint32(1) << (right & 31).astype(np.uint32)))
    return sets


def _start(params: Mapping[str, Any], objective: str) -> NDArray[np.float32]:
    """Return what the sums begin with: the base score before the link of the objective."""
    base = np.array(json.loads(params["base_score"]), dtype=np.float32).reshape(-1)
    if objective == "binary:logistic":
        base = -np.log(np.float32(1) / base - np.float32(1))
    elif objective in _EXP:
        base = np.log(base)
    outputs = max(1, int(params["num_class"]))
    return np.ascontiguousarray(np.broadcast_to(base, outputs) if len(base) == 1 else base, dtype=np.float32)


def _classifier(draft: Draft, model: Any, features: Features) -> Head:
    walk, objective = _forest(draft, model, features)
    scores: Answer
    link: Function
    if objective == "binary:logistic":
        scores, link = FirstSum(walk), logistic32
    elif objective == "multi:softprob":
        scores, link = Turned(walk, copied=True), softmax32
    else:
        raise draft.no(f"the objective '{objective}'")
    probabilities = Through(link, scores)
    return Head(Best(probabilities, model.classes_), probabilities, None, model.classes_)


def _regressor(draft: Draft, model: Any, features: Features) -> Head:
    walk, objective = _forest(draft, model, features)
    if objective in _IDENTITY:
        return Head(FirstSum(walk))
    if objective in _EXP:
        return Head(Through(exp32, FirstSum(walk)))
    raise draft.no(f"the objective '{objective}'")


XGBOOST: dict[str, Any] = {
    "xgboost.sklearn.XGBClassifier": _classifier,
    "xgboost.sklearn.XGBRegressor": _regressor,
}
