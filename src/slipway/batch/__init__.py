"""Scoring files in bounded memory."""

from slipway.batch.columns import conform
from slipway.batch.files import ScoredFile, score_file

__all__ = ["ScoredFile", "conform", "score_file"]
