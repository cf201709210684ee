"""The compiler, which turns a fitted pipeline into a plan of flat arrays (`slipway.plans`), without input or output.

`compile_model` walks a fitted scikit-learn model and drafts a program (`_draft`) that loads columns, looks up categories,
scales, imputes and bins; the head of the plan answers from the registers of the program. Each family of transformers and
estimators is a file of `_transformers` and `_estimators`, listed by type in their catalogues; a type that is not listed is
refused by name. `verify` compares a plan with its model, row by row.
"""

from slipway.compile._model import compile_model
from slipway.compile._verify import Agreement, verify
from slipway.errors import NotCompilable
from slipway.plans import Compiled, LeftToOriginal

__all__ = ["Agreement", "Compiled", "LeftToOriginal", "NotCompilable", "compile_model", "verify"]
