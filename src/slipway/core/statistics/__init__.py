"""Metrics, intervals and comparisons of answers, as pure functions of arrays."""
