"""A plan: a fitted model as flat arrays, evaluated natively, without scikit-learn and pandas.

`slipway.compile` makes plans of fitted models. They are evaluated, written down and read again without it: `operations`,
`program` and `kernels` compute registers of encoded rows (`columns`), `forests` and `answers` answer from the registers
(`head`), and `stored` writes a plan as bytes that hold no code.
"""

from slipway.plans.compiled import Compiled
from slipway.plans.kernels import warm
from slipway.plans.program import LeftToOriginal
from slipway.plans.stored import NotStorable, opened, stored

__all__ = ["Compiled", "LeftToOriginal", "NotStorable", "opened", "stored", "warm"]
