"""Fitted estimators → what answers from registers; one file a family. `ESTIMATORS` is the catalogue of them."""

from slipway.compile._estimators._catalogue import ESTIMATORS, estimate

__all__ = ["ESTIMATORS", "estimate"]
