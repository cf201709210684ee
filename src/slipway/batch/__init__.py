"""Scoring tables in bounded memory."""

from slipway.batch.columns import conform
from slipway.batch.files import ScoredFile, require_sink, score_file

__all__ = ["ScoredFile", "conform", "require_sink", "score_file"]
