"""The compiler of FunctionTransformer, for functions of each number by itself, for one column as a list, and for times."""

import numpy as np
from sklearn.preprocessing import FunctionTransformer

from slipway.compile._draft import Draft, Features, Raw, Register
from slipway.compile._transformers._times import OF_TIMES
from slipway.plans import operations as op

KNOWN: frozenset[np.ufunc] = frozenset(
    {
        np.abs,
        np.arctan,
        np.cbrt,
        np.ceil,
        np.cos,
        np.deg2rad,
        np.exp,
        np.exp2,
        np.expm1,
        np.fabs,
        np.floor,
        np.log,
        np.log10,
        np.log1p,
        np.log2,
        np.negative,
        np.rad2deg,
        np.rint,
        np.sign,
        np.sin,
        np.sqrt,
        np.square,
        np.tan,
        np.tanh,
        np.trunc,
    }
)

# The squares of whole numbers beyond it do not fit into the int64 in which the original computes them.
_LARGEST_ROOT = 3_037_000_499


def _function(draft: Draft, model: FunctionTransformer, features: Features) -> Features:
    if model.validate:
        draft.check_finite(draft.all_numbers(features))
    if model.func is None:
        return features
    if model.func in OF_TIMES:
        return OF_TIMES[model.func](draft, model, features)
    if model.func is np.ravel:
        return _one_column(draft, model, features)
    if not isinstance(model.func, np.ufunc) or model.func not in KNOWN:
        name = getattr(model.func, "__name__", type(model.func).__name__)
        raise draft.no(f"a FunctionTransformer of {name}; known are {', '.join(sorted(f.__name__ for f in KNOWN))}")
    if model.kw_args:
        raise draft.no(f"a FunctionTransformer of {model.func.__name__} with arguments")
    if features.sparse:
        raise draft.no("a FunctionTransformer of a sparse matrix")
    registers = draft.all_numbers(features)
    for feature in features.items:
        draft.refuse_bools(feature)
    if model.func is np.square:
        limit = draft.constants([_LARGEST_ROOT])
        for register in registers:
            draft.check(op.AT_MOST, register, "a value whose square may be beyond int64", limit)
    return Features(tuple(map(Register, draft.apply(model.func, registers))))


def _one_column(draft: Draft, model: FunctionTransformer, features: Features) -> Features:
    if model.kw_args or len(features.items) != 1 or not isinstance(features.items[0], Raw):
        raise draft.no("a FunctionTransformer of ravel, of more than one column of the table")
    return features


FUNCTIONS = {FunctionTransformer: _function}
