"""Scalers: the same arithmetic in the same order as scikit-learn's, so that the last bit is the same."""

from typing import Any

import numpy as np
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from slipway.compile._draft import Draft, Features, Register
from slipway.plans import operations as op


def _standard(draft: Draft, model: StandardScaler, features: Features) -> Features:
    center = model.mean_ if model.with_mean else None
    return _shift_and_divide(draft, features, center, model.scale_ if model.with_std else None)


def _robust(draft: Draft, model: RobustScaler, features: Features) -> Features:
    center = model.center_ if model.with_centering else None
    return _shift_and_divide(draft, features, center, model.scale_ if model.with_scaling else None)


def _max_abs(draft: Draft, model: MaxAbsScaler, features: Features) -> Features:
    if model.clip and features.sparse:
        raise draft.no("clip of a sparse matrix")
    scaled = _shift_and_divide(draft, features, None, model.scale_)
    return _clipped(draft, scaled, (-1.0, 1.0)) if model.clip else scaled


def _min_max(draft: Draft, model: MinMaxScaler, features: Features) -> Features:
    registers = draft.all_numbers(features)
    draft.check_finite(registers, nan=True)
    scaled = []
    for register, scale, least in zip(registers, model.scale_, model.min_, strict=True):
        product = draft.emit(op.MULTIPLY, register, draft.constants([scale]))
        scaled.append(Register(draft.emit(op.ADD, product, draft.constants([least]))))
    out = Features(tuple(scaled))
    return _clipped(draft, out, model.feature_range) if model.clip else out


def _shift_and_divide(draft: Draft, features: Features, center: Any, scale: Any) -> Features:
    registers = draft.all_numbers(features)
    draft.check_finite(registers, nan=True)
    if center is not None:
        registers = [
            draft.emit(op.SUBTRACT, register, draft.constants([value]))
            for register, value in zip(registers, center, strict=True)
        ]
    if scale is not None:
        # A sparse matrix is multiplied by the inverse instead.
        code, factors = (op.MULTIPLY, 1.0 / np.asarray(scale)) if features.sparse else (op.DIVIDE, scale)
        registers = [
            draft.emit(code, register, draft.constants([factor]))
            for register, factor in zip(registers, factors, strict=True)
        ]
    return Features(tuple(map(Register, registers)), features.sparse)


def _clipped(draft: Draft, features: Features, limits: tuple[float, float]) -> Features:
    at = draft.constants(limits)
    return Features(tuple(Register(draft.emit(op.CLIP, register, at)) for register in draft.all_numbers(features)))


SCALING = {StandardScaler: _standard, RobustScaler: _robust, MaxAbsScaler: _max_abs, MinMaxScaler: _min_max}
