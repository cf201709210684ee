"""Gradient boosting, and histogram gradient boosting with its own categories and missing values."""

from typing import Any

import numpy as np
from sklearn import ensemble
from sklearn._loss.link import HalfLogitLink, IdentityLink, LogitLink, LogLink, MultinomialLogit
from sklearn.dummy import DummyClassifier, DummyRegressor

from slipway.compile._draft import Draft, Features
from slipway.compile._estimators._trees import add_tree, rounded
from slipway.compile._forest import Forest
from slipway.compile._transformers._categories import ordinal
from slipway.plans.answers import Best, FirstSum, Through, Turned
from slipway.plans.forests import ValueForest
from slipway.plans.head import Answer, Function, Head, half_logistic, logistic, softmax
from slipway.plans.kernels._walks import SET_WORDS


def _gradient(draft: Draft, model: Any, features: Features) -> ValueForest:
    if not (isinstance(model.init_, str) or type(model.init_) in (DummyClassifier, DummyRegressor)):
        raise draft.no(f"init={type(model.init_).__name__}")
    forest = Forest(rounded(draft, features, nan=False))
    for stage in model.estimators_:
        for k, fitted in enumerate(stage):
            add_tree(forest, fitted.tree_, model.learning_rate * fitted.tree_.value[:, 0, 0], k)
    # What the sums begin with does not depend on the row.
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32))
    return forest.values(start[0].astype(np.float64))


def _gradient_classifier(draft: Draft, model: Any, features: Features) -> Head:
    walk, classes = _gradient(draft, model, features), model.classes_
    scores: Answer = FirstSum(walk) if len(walk.start) == 1 else Turned(walk, copied=True)
    link = _PROBABILITIES.get(type(model._loss.link))
    if link is None:
        raise draft.no(f"a link of type {type(model._loss.link).__name__}")
    return Head(Best(scores, classes, zero=True), Through(link, scores), scores, classes)


def _gradient_regressor(draft: Draft, model: Any, features: Features) -> Head:
    return Head(FirstSum(_gradient(draft, model, features)))


def _histogram(draft: Draft, model: Any, features: Features) -> ValueForest:
    registers, words = _histogram_features(draft, model, features), SET_WORDS
    known, column_of = model._bin_mapper.make_known_categories_bitsets()
    forest = Forest(registers)
    for stage in model._predictors:
        for k, predictor in enumerate(stage):
            nodes = predictor.nodes
            categorical = (nodes["is_categorical"] != 0) & (nodes["is_leaf"] == 0)
            sets = np.zeros((int(categorical.sum()), 2, words), dtype=np.uint32)
            sets[:, 0] = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][categorical]]
            if len(sets):
                sets[:, 1] = known[column_of[nodes["feature_idx"][categorical]]]
            threshold = nodes["num_threshold"].copy()
            threshold[categorical] = np.arange(len(sets))
            forest.add(
                feature=nodes["feature_idx"],
                threshold=threshold,
                left=nodes["left"].astype(np.int64),
                right=nodes["right"].astype(np.int64),
                missing_left=nodes["missing_go_to_left"] != 0,
                leaf=nodes["is_leaf"] != 0,
                value=nodes["value"],
                output=k,
                categorical=categorical,
                sets=sets,
            )
    if model._baseline_prediction.dtype != np.float64:
        raise draft.no(f"a baseline of type {model._baseline_prediction.dtype}")
    return forest.values(model._baseline_prediction.reshape(-1))


def _histogram_features(draft: Draft, model: Any, features: Features) -> list[int]:
    """Return the registers in the order in which the trees count the features: first those with categories."""
    if features.sparse:
        raise draft.no("a sparse matrix")
    if model.is_categorical_ is None:
        return draft.all_numbers(features)
    encoder = model._preprocessor.named_transformers_["encoder"]
    by_category = np.flatnonzero(model.is_categorical_).tolist()
    codes = ordinal(draft, encoder, features.take(by_category)) if by_category else Features(())
    numbers = features.take(np.flatnonzero(~model.is_categorical_).tolist())
    return draft.all_numbers(codes) + draft.all_numbers(numbers)


def _histogram_classifier(draft: Draft, model: Any, features: Features) -> Head:
    walk, classes = _histogram(draft, model, features), model.classes_
    if model.n_trees_per_iteration_ > 1:
        # In the memory order that scikit-learn has, on which the order of a sum depends.
        several = Turned(walk, copied=False)
        return Head(Best(several, classes), Through(softmax, several), several, classes)
    scores = FirstSum(walk)
    return Head(Best(scores, classes), Through(logistic, scores), scores, classes)


def _histogram_regressor(draft: Draft, model: Any, features: Features) -> Head:
    scores, link = FirstSum(_histogram(draft, model, features)), type(model._loss.link)
    if link is IdentityLink:
        return Head(scores)
    if link is LogLink:
        return Head(Through(np.exp, scores))
    raise draft.no(f"a link of type {link.__name__}")


_PROBABILITIES: dict[type, Function] = {
    LogitLink: logistic,
    HalfLogitLink: half_logistic,
    MultinomialLogit: softmax,
}

BOOSTING: dict[type, Any] = {
    ensemble.GradientBoostingClassifier: _gradient_classifier,
    ensemble.GradientBoostingRegressor: _gradient_regressor,
    ensemble.HistGradientBoostingClassifier: _histogram_classifier,
    ensemble.HistGradientBoostingRegressor: _histogram_regressor,
}
