"""Scoring tables in bounded memory."""

from slipway.batch.answering import Answering
from slipway.batch.columns import conform
from slipway.batch.files import ScoredFile, chunks, require_sink, score_file, with_answers

__all__ = ["Answering", "ScoredFile", "chunks", "conform", "require_sink", "score_file", "with_answers"]
