"""Metrics, intervals and comparisons of answers, as pure functions of arrays.

A statistic of drift, too, is a module of this room: two samples in, an effect and its evidence out.
"""
