"""CalibratedClassifierCV: the scores of one or several classifiers, each through a curve, and their mean."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.calibration import CalibratedClassifierCV

from slipway.compile._draft import Draft, Features
from slipway.compile._head import Answer, Head
from slipway.compile._left import LeftToOriginal
from slipway.compile._program import Registers

Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def calibrated(estimate: Callable[[Draft, Any, Features], Head]) -> dict[type, Any]:
    """Return the compiler of calibrated classifiers; `estimate` compiles what they hold."""

    def classifier(draft: Draft, model: CalibratedClassifierCV, features: Features) -> Head:
        parts = []
        for i, part in enumerate(model.calibrated_classifiers_):
            with draft.inside(f"fold {i}"):
                parts.append(_part(draft, part, estimate(draft, part.estimator, features)))
        classes = model.classes_

        def predict_proba(registers: Registers) -> NDArray[np.float64]:
            total = np.zeros((len(registers), len(classes)))
            for part in parts:
                total += part(registers)
            return total / len(parts)

        return Head(lambda registers: classes[predict_proba(registers).argmax(axis=1)], predict_proba, None, classes)

    return {CalibratedClassifierCV: classifier}


def _part(draft: Draft, part: Any, inner: Head) -> Answer:
    """Compile one classifier and its curves, as `_CalibratedClassifier.predict_proba`."""
    if part.method not in ("sigmoid", "isotonic"):
        raise draft.no(f"method='{part.method}'")
    assert inner.classes is not None
    curves = [_CURVES[part.method](calibrator) for calibrator in part.calibrators]
    targets, several = np.searchsorted(part.classes, inner.classes), len(part.classes) > 2
    score = inner.decision_function or inner.predict_proba
    if score is None or len(inner.classes) != len(part.classes):
        raise draft.no("a classifier without scores, or that has not seen all classes")
    by_probability = inner.decision_function is None

    def predict_proba(registers: Registers) -> NDArray[np.float64]:
        scores = score(registers)
        if not several:
            scores = (scores[:, 1] if by_probability else scores).reshape(-1, 1)
        out = np.zeros((len(registers), len(part.classes)))
        for target, values, curve in zip(targets, scores.T, curves, strict=False):
            out[:, target if several else target + 1] = curve(values)
        if several:
            total = out.sum(axis=1)[:, np.newaxis]
            out = np.divide(out, total, out=np.full_like(out, 1 / len(part.classes)), where=total != 0)
        else:
            out[:, 0] = 1.0 - out[:, 1]
        out[(out > 1.0) & (out <= 1.0 + 1e-5)] = 1.0
        return out

    return predict_proba


def _sigmoid(calibrator: Any) -> Curve:
    slope, offset = calibrator.a_, calibrator.b_
    return lambda scores: expit(-(slope * scores + offset))


def _isotonic(calibrator: Any) -> Curve:
    """Interpolate by the function of numpy that the calibrator's own interpolation comes down to."""
    x, y = calibrator.X_thresholds_, calibrator.y_thresholds_
    low, high = calibrator.X_min_, calibrator.X_max_

    def curve(scores: NDArray[np.float64]) -> NDArray[np.float64]:
        if not np.isfinite(scores).all():
            row = int(np.flatnonzero(~np.isfinite(scores))[0])
            raise LeftToOriginal(row, "a score that is not finite, which isotonic calibration does not take")
        return np.repeat(y, len(scores)) if len(y) == 1 else np.interp(np.clip(scores, low, high), x, y)

    return curve


_CURVES: dict[str, Callable[[Any], Curve]] = {"sigmoid": _sigmoid, "isotonic": _isotonic}
