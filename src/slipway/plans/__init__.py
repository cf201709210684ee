"""A plan: a fitted model as flat arrays, evaluated natively, without scikit-learn and pandas.

`slipway.compile` makes plans of fitted models. They are evaluated, written down and read again without it: `operations`,
`program`, `terms` and `kernels` compute registers of encoded rows (`columns`, `texts`), `forests` and `answers` answer from the
registers (`head`), and `stored` writes a plan as bytes that hold no code.
"""

from slipway.plans.compiled import Compiled
from slipway.plans.kernels import warm
from slipway.plans.program import LeftToOriginal
from slipway.plans.stored import NotStorable, opened, stored
from slipway.plans.texts import Encoded

__all__ = ["Compiled", "Encoded", "LeftToOriginal", "NotStorable", "opened", "stored", "warm"]
