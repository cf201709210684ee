"""Scoring files in bounded memory."""

from slipway.batch.columns import conform
from slipway.batch.files import score_file

__all__ = ["conform", "score_file"]
