"""Figures that are drawn beside: the same pictures by a process, by a thread, and after the process died."""

import multiprocessing
from multiprocessing.process import BaseProcess

import pytest

from slipway.core.trials import Trial
from slipway.reports.drawing import Drawing
from slipway.reports.plots import history_figure, importance_figure, png

TRIALS = [Trial(number, "logistic", 0.5 + number / 10) for number in range(1, 4)]
IMPORTANCE = (["minutes", "port"], [0.2, 0.1], [0.01, 0.02])


def beside() -> BaseProcess:
    (process,) = [each for each in multiprocessing.active_children() if each.name == "drawing"]
    return process


def test_a_process_beside_draws_what_is_ordered_and_a_dead_one_costs_no_figure() -> None:
    with Drawing(beside=True) as drawing:
        process = beside()
        drawing.order("search_history", "history_figure", TRIALS, "roc_auc")
        history = drawing.pictures()
        assert process.is_alive()
        process.kill()
        process.join()
        drawing.order("permutation_importance", "importance_figure", *IMPORTANCE, metric="roc_auc")
        both = drawing.pictures()
    assert history == {"search_history": png(history_figure(TRIALS, "roc_auc"))}
    assert both == {**history, "permutation_importance": png(importance_figure(*IMPORTANCE, metric="roc_auc"))}


def test_a_figure_that_cannot_be_drawn_says_why() -> None:
    with Drawing(beside=False) as drawing:
        drawing.order("search_history", "history_figure", TRIALS, "roc_auc")
        drawing.order("search_history", "history_figure", [None], "roc_auc")
        with pytest.raises(AttributeError, match="NoneType"):
            drawing.pictures()
