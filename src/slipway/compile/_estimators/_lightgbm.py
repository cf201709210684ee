"""LightGBM: the trees from the model's own text, in which every number is written exactly."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.compile._draft import Draft, Features, Register
from slipway.compile._forest import Forest
from slipway.plans import operations as op
from slipway.plans.answers import Best, FirstSum, Through, Turned
from slipway.plans.forests import ValueForest
from slipway.plans.head import Answer, Function, Head, logistic
from slipway.plans.kernels._walks import SET_WORDS
from slipway.plans.links import exp_of_each, softmax_in_order

# The bits of `decision_type`: a split by category, missing values to the left, and what counts as missing.
_CATEGORICAL, _MISSING_LEFT = 1, 2
_MISSING_NONE, _MISSING_ZERO, _MISSING_NAN = 0, 1, 2
_EXACT_IN_FLOAT32 = 2.0**24
_IDENTITY = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
_EXP = ("poisson", "gamma", "tweedie")


def _forest(draft: Draft, model: Any, features: Features) -> tuple[ValueForest, str]:
    """Return the trees, up to the best iteration where the fit was stopped early, and the objective."""
    if features.sparse:
        raise draft.no("a sparse matrix")
    head, *trees = _blocks(model.booster_.model_to_string())
    if "average_output" in head:
        raise draft.no("boosting_type=rf, whose answer is a mean")
    forest, outputs = Forest(_registers(draft, features)), int(head["num_tree_per_iteration"])
    for i, tree in enumerate(trees):
        _add(draft, forest, tree, i % outputs)
    return forest.values(np.zeros(outputs)), head["objective"]


def _registers(draft: Draft, features: Features) -> list[int]:
    """Return the registers of the features.

    LightGBM rounds a table of whole numbers alone to float32. A plan does not know whether a column is whole, so large numbers
    are left to the model where no step before has made floats of the table.
    """
    registers = draft.all_numbers(features)
    if not any(isinstance(feature, Register) for feature in features.items):
        at = draft.constants([_EXACT_IN_FLOAT32])
        for register in registers:
            draft.check(op.AT_MOST, register, "a number that LightGBM may round to float32", at)
    return registers


def _blocks(text: str) -> Iterator[dict[str, str]]:
    """Yield the keys of the model, then those of each tree."""
    for block in text.partition("\nend of trees")[0].split("\nTree="):
        yield {key: value for key, _, value in (line.partition("=") for line in block.splitlines())}


def _add(draft: Draft, forest: Forest, tree: dict[str, str], output: int) -> None:
    if tree.get("is_linear", "0") != "0":
        raise draft.no("linear_tree=True")
    values = _numbers(tree["leaf_value"])  # a tree without a split has a leaf, and no other key
    splits, leaves = len(values) - 1, len(values)
    decision, threshold = _numbers(tree.get("decision_type", ""), int), _numbers(tree.get("threshold", ""))
    categorical, missing = decision & _CATEGORICAL != 0, decision >> 2 & 3
    if (missing[~categorical] == _MISSING_ZERO).any():
        raise draft.no("zero_as_missing=True")
    # Without missing values among the training rows a missing value is taken for zero.
    left_if_missing = np.where(missing == _MISSING_NONE, threshold >= 0, decision & _MISSING_LEFT != 0)
    children = {side: _numbers(tree.get(f"{side}_child", ""), int) for side in ("left", "right")}
    forest.add(
        feature=_and_leaves(_numbers(tree.get("split_feature", ""), int), leaves),
        threshold=_and_leaves(threshold, leaves),
        **{side: _and_leaves(_positions(each, splits), leaves) for side, each in children.items()},
        missing_left=_and_leaves(left_if_missing & ~categorical, leaves),
        leaf=np.arange(splits + leaves) >= splits,
        value=np.concatenate([np.zeros(splits), values]),
        output=output,
        categorical=_and_leaves(categorical, leaves),
        sets=_sets(draft, tree) if categorical.any() else None,
    )


def _positions(children: NDArray[np.int64], splits: int) -> NDArray[np.int64]:
    """Return the nodes of children; leaves come after the splits, and are counted from -1 down by LightGBM."""
    return np.where(children < 0, splits + ~children, children)


def _and_leaves(of_splits: NDArray[Any], leaves: int) -> NDArray[Any]:
    return np.concatenate([of_splits, np.zeros(leaves, of_splits.dtype)])


def _sets(draft: Draft, tree: dict[str, str]) -> NDArray[np.uint32]:
    """Return the sets of the splits by category: whatever is not in the set that goes left goes right."""
    at, words = _numbers(tree["cat_boundaries"], int), _numbers(tree["cat_threshold"], int).astype(np.uint32)
    sets = np.zeros((len(at) - 1, 2, SET_WORDS), dtype=np.uint32)
    for i, (start, end) in enumerate(pairwise(at)):
        if end - start > SET_WORDS:
            raise draft.no(f"more than {32 * SET_WORDS} categories of a column")
        sets[i, 0, : end - start] = words[start:end]
    sets[:, 1] = np.uint32(0xFFFFFFFF)
    return sets


def _numbers(text: str, kind: type = float) -> NDArray[Any]:
    return np.array([kind(each) for each in text.split()], dtype=kind)


def _classifier(draft: Draft, model: Any, features: Features) -> Head:
    walk, objective = _forest(draft, model, features)
    name, *details = objective.split()
    scores: Answer
    link: Function
    if name == "binary" and "sigmoid:1" in details:
        scores, link = FirstSum(walk), logistic
    elif name == "multiclass":
        scores, link = Turned(walk, copied=True), softmax_in_order
    else:
        raise draft.no(f"the objective '{objective}'")
    probabilities = Through(link, scores)
    margins = scores if hasattr(model, "decision_function") else None  # from LightGBM 4.7 on
    return Head(Best(probabilities, model.classes_), probabilities, margins, model.classes_)


def _regressor(draft: Draft, model: Any, features: Features) -> Head:
    walk, objective = _forest(draft, model, features)
    name, *details = objective.split()
    if "sqrt" in details or name not in (*_IDENTITY, *_EXP):
        raise draft.no(f"the objective '{objective}'")
    return Head(Through(exp_of_each, FirstSum(walk)) if name in _EXP else FirstSum(walk))


LIGHTGBM: dict[str, Any] = {
    "lightgbm.sklearn.LGBMClassifier": _classifier,
    "lightgbm.sklearn.LGBMRegressor": _regressor,
}
