"""Fitted transformers → operations; one file a family. `TRANSFORMERS` is the catalogue of them."""

from slipway.compile._transformers._catalogue import TRANSFORMERS, transform

__all__ = ["TRANSFORMERS", "transform"]
