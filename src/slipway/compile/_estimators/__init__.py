"""Compilers of fitted estimators to answers from registers, one file a family; `ESTIMATORS` is the catalogue."""

from slipway.compile._estimators._catalogue import ESTIMATORS, estimate

__all__ = ["ESTIMATORS", "estimate"]
