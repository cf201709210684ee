"""The version of this package, apart from `slipway` itself, whose lazy names lead to everything else."""

__version__ = "0.1.0"
