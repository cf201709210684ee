"""Estimators whose answer is a function of weighted sums."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse
from sklearn import linear_model, svm
from sklearn._loss.link import IdentityLink, LogLink

from slipway.compile._draft import Draft, Features
from slipway.plans import operations as op
from slipway.plans.answers import Best, SparseSums, Sums, Through
from slipway.plans.head import Answer, Function, Head, logistic, modified_huber, one_against_rest, softmax

# Where a sum overflows on the way, what comes of it depends on the order, which is BLAS's own affair.
_SUMMABLE = 1e150


def _scores(draft: Draft, model: Any, features: Features) -> Answer:
    """Return the decision function: the weighted sums and intercepts; of one sum, a flat array.

    Dense features take the same product of numpy as scikit-learn; sparse ones are added one after the other, as there.
    """
    registers = draft.all_numbers(features)
    weights = model.coef_.toarray() if sparse.issparse(model.coef_) else model.coef_
    if weights.dtype != np.float64:
        raise draft.no(f"coefficients of type {weights.dtype}")
    if features.sparse:
        draft.check_finite(registers)
        rows = np.ascontiguousarray(np.atleast_2d(weights))
        return SparseSums(np.array(registers, dtype=np.int64), rows, weights.ndim == 1, model.intercept_)
    largest = draft.constants([_SUMMABLE])
    for register in registers:
        draft.check(
            op.SUMMABLE, register, "a value that is missing, infinite, or so large that sums may overflow", largest
        )
    first = draft.pack(registers)
    return Sums(first, first + len(registers), weights, model.intercept_)


def _regressor(draft: Draft, model: Any, features: Features) -> Head:
    if np.ndim(model.coef_) != 1 and type(model) is not svm.LinearSVR:
        raise draft.no("more than one output")
    return Head(_scores(draft, model, features))


def _glm(draft: Draft, model: Any, features: Features) -> Head:
    link = _LINKS.get(type(model._base_loss.link))
    if link is None:
        raise draft.no(f"a link of type {type(model._base_loss.link).__name__}")
    return Head(link(_scores(draft, model, features)))


_LINKS: dict[type, Callable[[Answer], Answer]] = {
    IdentityLink: lambda scores: scores,
    LogLink: partial(Through, np.exp),
}


def _classifier(draft: Draft, model: Any, features: Features, probabilities: Function | None = None) -> Head:
    if model.classes_.ndim != 1 or (
        hasattr(model, "_label_binarizer") and model._label_binarizer.y_type_[:10] == "multilabel"
    ):
        raise draft.no("more than one output")
    scores, classes = _scores(draft, model, features), model.classes_
    proba = None if probabilities is None else Through(probabilities, scores)
    return Head(Best(scores, classes), proba, scores, classes)


def _logistic_regression(draft: Draft, model: Any, features: Features) -> Head:
    return _classifier(draft, model, features, logistic if len(model.classes_) <= 2 else softmax)


def _sgd_classifier(draft: Draft, model: linear_model.SGDClassifier, features: Features) -> Head:
    several = len(model.classes_) > 2
    if model.loss == "log_loss":
        return _classifier(draft, model, features, one_against_rest if several else logistic)
    if model.loss == "modified_huber":
        return _classifier(draft, model, features, modified_huber)
    return _classifier(draft, model, features)


_REGRESSORS = (
    linear_model.ARDRegression,
    linear_model.BayesianRidge,
    linear_model.ElasticNet,
    linear_model.ElasticNetCV,
    linear_model.HuberRegressor,
    linear_model.Lars,
    linear_model.Lasso,
    linear_model.LassoCV,
    linear_model.LassoLars,
    linear_model.LassoLarsCV,
    linear_model.LassoLarsIC,
    linear_model.LinearRegression,
    linear_model.OrthogonalMatchingPursuit,
    linear_model.PassiveAggressiveRegressor,
    linear_model.QuantileRegressor,
    linear_model.Ridge,
    linear_model.RidgeCV,
    linear_model.SGDRegressor,
    linear_model.TheilSenRegressor,
    svm.LinearSVR,
)
_CLASSIFIERS = (
    linear_model.PassiveAggressiveClassifier,
    linear_model.Perceptron,
    linear_model.RidgeClassifier,
    linear_model.RidgeClassifierCV,
    svm.LinearSVC,
)
_GLMS = (linear_model.GammaRegressor, linear_model.PoissonRegressor, linear_model.TweedieRegressor)

LINEAR: dict[type, Any] = {
    **dict.fromkeys(_REGRESSORS, _regressor),
    **dict.fromkeys(_CLASSIFIERS, partial(_classifier)),
    **dict.fromkeys(_GLMS, _glm),
    linear_model.LogisticRegression: _logistic_regression,
    linear_model.LogisticRegressionCV: _logistic_regression,
    linear_model.SGDClassifier: _sgd_classifier,
}
