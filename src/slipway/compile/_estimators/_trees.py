"""Decision trees, random forests, extra trees."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import ensemble, tree
from sklearn.utils import get_tags

from slipway.compile._draft import Draft, Features
from slipway.compile._forest import Forest
from slipway.plans import operations as op
from slipway.plans.answers import Best, Divided, FirstSum
from slipway.plans.head import Head


def rounded(draft: Draft, features: Features, *, nan: bool) -> list[int]:
    """Return the registers of the features as float32, which is what trees compare; infinities are refused after rounding."""
    registers = as_float32(draft, features)
    draft.check_finite(registers, nan=nan)
    return registers


def as_float32(draft: Draft, features: Features) -> list[int]:
    """Return the registers of the features as float32, infinities among them."""
    numbers = draft.all_numbers(features)
    return [number if number in draft.zero_or_one else draft.emit(op.FLOAT32, number) for number in numbers]


def add_tree(forest: Forest, fitted: Any, value: NDArray[np.float64], output: int = 0) -> None:
    """Add a fitted `sklearn.tree._tree.Tree`; `value` has an entry for each of its nodes."""
    nodes = fitted.__getstate__()["nodes"]
    forest.add(
        feature=nodes["feature"],
        threshold=nodes["threshold"],
        left=nodes["left_child"],
        right=nodes["right_child"],
        missing_left=nodes["missing_go_to_left"] != 0,
        leaf=nodes["left_child"] == -1,
        value=value,
        output=output,
    )


def _classifier(draft: Draft, model: Any, features: Features) -> Head:
    trees, classes = _trees(model), model.classes_
    forest = Forest(rounded(draft, features, nan=_allows_nan(trees[0], features)))
    values, count = [], 0
    for fitted in trees:
        of_nodes = fitted.tree_.value[:, 0, : len(classes)]
        add_tree(forest, fitted.tree_, np.arange(count, count + len(of_nodes), dtype=np.float64))
        values.append(of_nodes)
        count += len(of_nodes)
    walk, divisor = forest.leaves(np.concatenate(values)), _divisor(model)
    probabilities = walk if divisor is None else Divided(walk, divisor)
    return Head(Best(probabilities, classes), probabilities, None, classes)


def _regressor(draft: Draft, model: Any, features: Features) -> Head:
    trees = _trees(model)
    forest = Forest(rounded(draft, features, nan=_allows_nan(trees[0], features)))
    for fitted in trees:
        add_tree(forest, fitted.tree_, fitted.tree_.value[:, 0, 0])
    return Head(FirstSum(forest.values(np.zeros(1)), _divisor(model)))


def _trees(model: Any) -> list[Any]:
    return list(model.estimators_) if isinstance(model, ensemble.BaseEnsemble) else [model]


def _divisor(model: Any) -> int | None:
    return len(model.estimators_) if isinstance(model, ensemble.BaseEnsemble) else None


def _allows_nan(fitted: Any, features: Features) -> bool:
    return not features.sparse and bool(get_tags(fitted).input_tags.allow_nan)


TREES: dict[type, Any] = {
    tree.DecisionTreeClassifier: _classifier,
    tree.ExtraTreeClassifier: _classifier,
    ensemble.RandomForestClassifier: _classifier,
    ensemble.ExtraTreesClassifier: _classifier,
    tree.DecisionTreeRegressor: _regressor,
    tree.ExtraTreeRegressor: _regressor,
    ensemble.RandomForestRegressor: _regressor,
    ensemble.ExtraTreesRegressor: _regressor,
}
