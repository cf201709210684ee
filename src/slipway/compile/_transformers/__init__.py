"""Compilers of fitted transformers to operations, one file a family; `TRANSFORMERS` is the catalogue."""

from slipway.compile._transformers._catalogue import TRANSFORMERS, transform

__all__ = ["TRANSFORMERS", "transform"]
