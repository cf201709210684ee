"""Slipway takes a tabular problem from an experiment to a live REST endpoint on MLflow, and keeps the endpoint healthy."""

__version__ = "0.1.0"
