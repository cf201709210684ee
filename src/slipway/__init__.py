"""Slipway: from an experiment to a live REST endpoint on MLflow, and healthy there."""

__version__ = "0.1.0"
