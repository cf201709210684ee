"""A fitted pipeline → a plan of flat arrays, evaluated natively. No input, no output, no platform.

`compile_model` walks a fitted scikit-learn model and drafts a program: load columns, look up categories, scale, impute, bin.
It runs over rows of float64 registers (`_draft`, `_program`, `_operations`, `_kernels`), and the estimator's head answers from
the registers (`_head`). Each family of transformers and estimators is a file of `_transformers` and `_estimators`, listed by
type in their catalogues; what is not listed is refused by name. `verify` compares a plan with its model, row by row.
"""

from slipway.compile._left import LeftToOriginal
from slipway.compile._plan import Compiled, compile_model
from slipway.compile._verify import Agreement, verify
from slipway.errors import NotCompilable

__all__ = ["Agreement", "Compiled", "LeftToOriginal", "NotCompilable", "compile_model", "verify"]
