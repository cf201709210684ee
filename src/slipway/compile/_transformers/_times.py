"""Compilers of the arithmetic of times: numpy's casts between units, and differences of what the casts give."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.preprocessing import FunctionTransformer

from slipway.compile._draft import Draft, Feature, Features, Raw, Register, Time
from slipway.plans import operations as op

_SECONDS = {"s": 1, "m": 60, "h": 3600, "D": 86_400, "W": 604_800}
_MONTHS = {"M": 1, "Y": 12}

# Sums of whole numbers below 2^34 with weights of this sum are below 2^53, so every order of summing gives the same number.
_MOST_WEIGHT = 2**19


def _cast(draft: Draft, model: FunctionTransformer, features: Features) -> Features:
    """Compile np.asarray with a dtype: of times to another unit, or of times to float64."""
    if set(model.kw_args or {}) != {"dtype"}:
        raise draft.no("np.asarray with other arguments than dtype")
    kind = np.dtype(model.kw_args["dtype"])
    if kind == np.float64:
        return Features(tuple(_as_number(draft, feature) for feature in features.items))
    unit, count = np.datetime_data(kind) if kind.kind == "M" else ("", 0)
    if count != 1 or unit not in {**_SECONDS, **_MONTHS}:
        raise draft.no(f"np.asarray to {kind}")
    return Features(tuple(_in_unit(draft, feature, unit) for feature in features.items))


def _as_number(draft: Draft, feature: Feature) -> Register:
    if not isinstance(feature, Time):
        raise draft.no("np.asarray of something else than times")
    draft.whole.add(feature.register)
    return Register(feature.register)


def _in_unit(draft: Draft, feature: Feature, unit: str) -> Time:
    if isinstance(feature, Raw) and not feature.replaced:
        feature = Time(draft.time(feature), "s")
    if not isinstance(feature, Time):
        raise draft.no("np.asarray of something else than times")
    register, known = feature.register, feature.unit
    if known == unit:
        return feature
    if known == "M" and unit == "D":
        return Time(draft.emit(op.FIRST_DAY, register), unit)
    if known not in _SECONDS or (unit in _SECONDS and _SECONDS[unit] < _SECONDS[known]) or known == "W":
        raise draft.no(f"np.asarray of times from datetime64[{known}] to datetime64[{unit}]")
    if unit in _SECONDS:
        return Time(_periods(draft, register, _SECONDS[unit] // _SECONDS[known]), unit)
    months = draft.emit(op.MONTHS, _periods(draft, register, _SECONDS["D"] // _SECONDS[known]))
    return Time(_periods(draft, months, _MONTHS[unit]), unit)


def _periods(draft: Draft, register: int, length: int) -> int:
    return register if length == 1 else draft.emit(op.PERIODS, register, draft.constants([length]))


def _dot(draft: Draft, model: FunctionTransformer, features: Features) -> Features:
    """Compile np.dot of times as numbers with whole weights: whole numbers alone give the same sum in every order."""
    weights = (model.kw_args or {}).get("b")
    if set(model.kw_args or {}) != {"b"} or not isinstance(weights, np.ndarray) or weights.ndim != 2:
        raise draft.no("np.dot with something else than a matrix b")
    registers = draft.all_numbers(features)
    whole = draft.whole.issuperset(registers) and np.array_equal(weights, np.rint(weights))
    if not whole or np.abs(weights).sum(axis=0).max(initial=0.0) > _MOST_WEIGHT:
        raise draft.no("np.dot of something else than times with whole weights")
    first = draft.pack(registers)
    sums = [draft.emit(op.WEIGHTED, first, draft.constants(column), len(registers)) for column in weights.T]
    return Features(tuple(map(Register, sums)))


OF_TIMES: dict[Any, Callable[[Draft, FunctionTransformer, Features], Features]] = {np.asarray: _cast, np.dot: _dot}
