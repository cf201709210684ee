"""A fitted pipeline → a plan of flat arrays (`slipway.plans`). No input, no output, no platform.

`compile_model` walks a fitted scikit-learn model and drafts a program: load columns, look up categories, scale, impute, bin
(`_draft`); the estimator's head answers from what that computes. Each family of transformers and estimators is a file of
`_transformers` and `_estimators`, listed by type in their catalogues; what is not listed is refused by name. `verify` compares
a plan with its model, row by row.
"""

from slipway.compile._model import compile_model
from slipway.compile._verify import Agreement, verify
from slipway.errors import NotCompilable
from slipway.plans import Compiled, LeftToOriginal

__all__ = ["Agreement", "Compiled", "LeftToOriginal", "NotCompilable", "compile_model", "verify"]
