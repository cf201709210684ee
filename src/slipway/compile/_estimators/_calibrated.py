"""The compiler of CalibratedClassifierCV: scores of one or several classifiers, each through a curve, and the mean of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV

from slipway.compile._draft import Draft, Features
from slipway.plans.answers import Best
from slipway.plans.curves import Calibrated, Isotonic, Mean, Sigmoid
from slipway.plans.head import Head


def calibrated(estimate: Callable[[Draft, Any, Features], Head]) -> dict[type, Any]:
    """Return the compiler of calibrated classifiers; `estimate` compiles the classifiers within."""

    def classifier(draft: Draft, model: CalibratedClassifierCV, features: Features) -> Head:
        parts = []
        for i, part in enumerate(model.calibrated_classifiers_):
            with draft.inside(f"fold {i}"):
                parts.append(_part(draft, part, estimate(draft, part.estimator, features)))
        probabilities = Mean(tuple(parts), len(model.classes_))
        return Head(Best(probabilities, model.classes_), probabilities, None, model.classes_)

    return {CalibratedClassifierCV: classifier}


def _part(draft: Draft, part: Any, inner: Head) -> Calibrated:
    """Compile one classifier and its curves."""
    if part.method not in ("sigmoid", "isotonic"):
        raise draft.no(f"method='{part.method}'")
    assert inner.classes is not None
    curves = tuple(_CURVES[part.method](calibrator) for calibrator in part.calibrators)
    targets, several = np.searchsorted(part.classes, inner.classes), len(part.classes) > 2
    score = inner.decision_function or inner.predict_proba
    if score is None or len(inner.classes) != len(part.classes):
        raise draft.no("a classifier without scores, or that has not seen all classes")
    if any(getattr(curve, "x", np.zeros(1)).dtype == np.float32 for curve in curves):
        # scikit-learn then interpolates in float32, by other steps.
        raise draft.no("an isotonic curve over scores in float32")
    by_probability = inner.decision_function is None
    return Calibrated(score, by_probability, several, len(part.classes), tuple(targets.tolist()), curves)


def _sigmoid(calibrator: Any) -> Sigmoid:
    return Sigmoid(calibrator.a_, calibrator.b_)


def _isotonic(calibrator: Any) -> Isotonic:
    return Isotonic(calibrator.X_thresholds_, calibrator.y_thresholds_, calibrator.X_min_, calibrator.X_max_)


_CURVES: dict[str, Callable[[Any], Sigmoid | Isotonic]] = {"sigmoid": _sigmoid, "isotonic": _isotonic}
