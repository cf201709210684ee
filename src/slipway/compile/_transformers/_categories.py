"""Compilers of OneHotEncoder, OrdinalEncoder and TargetEncoder: the code of a category, then a table of values by code."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from slipway.compile._codes import code
from slipway.compile._draft import Draft, Features, Register
from slipway.plans import operations as op


def ordinal(draft: Draft, model: OrdinalEncoder, features: Features) -> Features:
    """Compile an OrdinalEncoder: codes by frequency and order, or the numbers of the unknown and the missing."""
    _require_wide(draft, model.dtype)
    items = []
    for i, feature in enumerate(features.items):
        register = code(draft, feature, model.categories_[i])
        _refuse_unknown(draft, model, register)
        grouped, _ = _grouped(model, i, model._missing_indices)
        table = grouped.astype(np.float64)
        if i in model._missing_indices:
            table[1 + model._missing_indices[i]] = model.encoded_missing_value
        if model.handle_unknown == "use_encoded_value":
            table[0] = model.unknown_value
        items.append(Register(draft.emit(op.LOOK_UP, register, draft.constants(table))))
    return Features(tuple(items))


def _one_hot(draft: Draft, model: OneHotEncoder, features: Features) -> Features:
    _require_wide(draft, model.dtype)
    items: list[Register] = []
    for i, feature in enumerate(features.items):
        register = code(draft, feature, model.categories_[i])
        _refuse_unknown(draft, model, register)
        positions, width = _positions(model, i), int(model._n_features_outs[i])
        first = draft.emit(op.ONE_HOT, register, draft.constants(positions), width, width=width)
        draft.zero_or_one.update(range(first, first + width))
        items.extend(map(Register, range(first, first + width)))
    return Features(tuple(items), sparse=bool(model.sparse_output))


def _target(draft: Draft, model: TargetEncoder, features: Features) -> Features:
    means = np.atleast_1d(model.target_mean_)
    items = []
    for i, feature in enumerate(features.items):
        register = code(draft, feature, model.categories_[i])
        for k, mean in enumerate(means):
            table = [mean, *model.encodings_[i * len(means) + k]]
            items.append(Register(draft.emit(op.LOOK_UP, register, draft.constants(table))))
    return Features(tuple(items))


def _positions(model: OneHotEncoder, i: int) -> NDArray[np.int64]:
    """Return for each code -1, 0, 1, … the one of the feature's columns that is 1, or -1 for none."""
    positions, known = _grouped(model, i, {})
    if model._drop_idx_after_grouping is not None:
        dropped = model._drop_idx_after_grouping[i]
        if dropped is not None:
            known &= positions != dropped
            positions[positions > dropped] -= 1
    positions[~known] = -1
    return positions


def _grouped(model: Any, i: int, missing: dict[int, int]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return for each code -1, 0, 1, … the code after rare categories are grouped, and whether the category is rare.

    It follows the encoders' own `_map_infrequent_categories`.
    """
    codes = np.array([0, *range(len(model.categories_[i]))])
    known = np.ones(len(codes), dtype=bool)
    known[0] = False
    infrequent = model._infrequent_indices[i] if model._infrequent_enabled else None
    if infrequent is None:
        return codes, known
    codes[0] = infrequent[0]
    if model.handle_unknown in ("infrequent_if_exist", "warn"):
        known[0] = True
    mapped = np.ones(len(codes), dtype=bool)
    if i in missing:
        mapped = codes != missing[i]
    codes[mapped] = model._default_to_infrequent_mappings[i][codes[mapped]]
    return codes, known


def _refuse_unknown(draft: Draft, model: Any, register: int) -> None:
    if model.handle_unknown == "error":
        draft.check(op.KNOWN, register, "an unknown category, which the model does not take")


def _require_wide(draft: Draft, dtype: Any) -> None:
    if np.dtype(dtype).kind == "f" and np.dtype(dtype) != np.float64:
        raise draft.no(f"dtype={np.dtype(dtype)}: what comes after computes in it, and a plan computes in float64")


CATEGORIES: dict[type, Any] = {OneHotEncoder: _one_hot, OrdinalEncoder: ordinal, TargetEncoder: _target}
