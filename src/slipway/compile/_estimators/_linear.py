"""Estimators whose answer is a function of weighted sums."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit
from sklearn import linear_model, svm
from sklearn._loss.link import IdentityLink, LogLink

from slipway.compile import _operations as op
from slipway.compile._draft import Draft, Features
from slipway.compile._head import Answer, Head, logistic, softmax
from slipway.compile._kernels import NATIVE_SUMS, native, sums
from slipway.compile._program import Registers

# Where a sum overflows on the way, what comes of it depends on the order, which is BLAS's own affair.
_SUMMABLE = 1e150

Link = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def _scores(draft: Draft, model: Any, features: Features) -> Answer:
    """Return the decision function: the weighted sums and intercepts; of one sum, a flat array.

    Dense, by the very product of numpy that scikit-learn takes; sparse, one after the other, as in its product.
    """
    registers = draft.all_numbers(features)
    weights = model.coef_.toarray() if sparse.issparse(model.coef_) else model.coef_
    if weights.dtype != np.float64:
        raise draft.no(f"coefficients of type {weights.dtype}")
    transposed, intercept = weights.T if weights.ndim == 2 else weights, model.intercept_
    if features.sparse:
        draft.check_finite(registers)
        indices, rows = np.array(registers, dtype=np.int64), np.ascontiguousarray(np.atleast_2d(weights))
        native_sums = native(sums, NATIVE_SUMS)

        def scores(values: Registers) -> NDArray[Any]:
            out = np.zeros((len(values), len(rows)))
            native_sums(values, indices, rows, out)
            return _flat((out if weights.ndim == 2 else out[:, 0]) + intercept)

        return scores
    largest = draft.constants([_SUMMABLE])
    for register in registers:
        draft.check(
            op.SUMMABLE, register, "a value that is missing, infinite, or so large that sums may overflow", largest
        )
    first = draft.pack(registers)
    last = first + len(registers)
    return lambda values: _flat(values[:, first:last] @ transposed + intercept)


def _flat(scores: NDArray[Any]) -> NDArray[Any]:
    return scores.reshape(-1) if scores.ndim > 1 and scores.shape[1] == 1 else scores


def _regressor(draft: Draft, model: Any, features: Features) -> Head:
    if np.ndim(model.coef_) != 1 and type(model) is not svm.LinearSVR:
        raise draft.no("more than one output")
    return Head(_scores(draft, model, features))


def _glm(draft: Draft, model: Any, features: Features) -> Head:
    link = _LINKS.get(type(model._base_loss.link))
    if link is None:
        raise draft.no(f"a link of type {type(model._base_loss.link).__name__}")
    scores = _scores(draft, model, features)
    return Head(lambda values: link(scores(values)))


_LINKS: dict[type, Link] = {IdentityLink: lambda raw: raw, LogLink: np.exp}


def _classifier(draft: Draft, model: Any, features: Features, probabilities: Link | None = None) -> Head:
    if model.classes_.ndim != 1 or (
        hasattr(model, "_label_binarizer") and model._label_binarizer.y_type_[:10] == "multilabel"
    ):
        raise draft.no("more than one output")
    scores, classes = _scores(draft, model, features), model.classes_

    def predict(values: Registers) -> NDArray[Any]:
        decision = scores(values)
        best = decision > 0 if decision.ndim == 1 else decision.argmax(axis=1)
        labels: NDArray[Any] = classes.take(best)
        return labels

    proba = None if probabilities is None else lambda values: probabilities(scores(values))
    return Head(predict, proba, scores, classes)


def _logistic_regression(draft: Draft, model: Any, features: Features) -> Head:
    return _classifier(draft, model, features, logistic if len(model.classes_) <= 2 else softmax)


def _sgd_classifier(draft: Draft, model: linear_model.SGDClassifier, features: Features) -> Head:
    several = len(model.classes_) > 2
    if model.loss == "log_loss":
        return _classifier(draft, model, features, _one_against_rest if several else logistic)
    if model.loss == "modified_huber":
        return _classifier(draft, model, features, _modified_huber)
    return _classifier(draft, model, features)


def _one_against_rest(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return _normalised(expit(scores))


def _modified_huber(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    probabilities = (np.clip(scores, -1, 1) + 1.0) / 2.0
    if scores.ndim == 1:
        return np.stack([1.0 - probabilities, probabilities], axis=1)
    return _normalised(probabilities)


def _normalised(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide by the sum over classes; where all are zero, all are alike."""
    total: NDArray[np.float64] = probabilities.sum(axis=1)
    nothing = total == 0
    probabilities[nothing, :] = 1
    total[nothing] = probabilities.shape[1]
    return np.divide(probabilities, total.reshape((-1, 1)))


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
