import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.core.gates import Champion, Evidence
from slipway.core.spec import Experiment
from slipway.core.statistics.comparison import COST, Comparison, OnSameRows, Side, better_by, differing, measured
from slipway.core.statistics.disagreement import disagreement
from slipway.core.statistics.metrics import Outcome
from slipway.core.tasks import Task
from slipway.types import Interval, Stage

Declare = Callable[..., Experiment]
ROWS = 120
PARTS = {"training": "a", "validation": "b", "test": "c"}


def answer(skill: float, seed: int) -> Outcome:
    truth = (np.random.default_rng(99).random(ROWS) < 0.4).astype(float)
    raw = skill * (truth - 0.5) + np.random.default_rng(seed).normal(size=ROWS)
    scores = 1 / (1 + np.exp(-raw))
    return Outcome(truth, (scores > 0.5).astype(float), scores, True)


def side(label: str, **changed: Any) -> Side:
    made = Side(label, "0" * 32, "search", "search", "FINISHED", datetime(2026, 11, 3, tzinfo=UTC), parts=PARTS)
    return replace(made, **{"lineage": {"data_digest": "d"}, **changed})


@given(skills=st.tuples(st.floats(-1, 3), st.floats(-1, 3)))
@settings(max_examples=5)
def test_the_paired_difference_is_the_very_one_that_the_gate_sees(
    declare: Declare, skills: tuple[float, float]
) -> None:
    left, right = answer(skills[0], 1), answer(skills[1], 2)
    gate = Evidence(declare(), right, {}, {}, champion=Champion(1, left, {}, {})).differences()["champion"]
    assert better_by(declare(), left, right)["roc_auc"] == gate


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "f1"])
def test_better_is_better_in_every_metric_and_the_one_searched_for_comes_first(declare: Declare, metric: str) -> None:
    search = {**declare().as_dict()["search"], "metric": metric}
    experiment = declare(search=search)
    found = better_by(experiment, answer(0, 1), answer(3, 2))
    assert all(interval.low > 0 for interval in found.values())
    assert list(found) == list(measured(experiment, answer(0, 1))) and next(iter(found)) == metric
    flipped = better_by(experiment, answer(3, 2), answer(0, 1))
    assert all(flipped[name].value == -interval.value for name, interval in found.items())


def test_where_wrong_answers_have_costs_the_cost_is_compared_too(declare: Declare) -> None:
    costs = {"false_positive": 1, "false_negative": 5}
    experiment = declare(scope={"goal": "Say it.", "costs": costs})
    left, right = answer(0, 1), answer(3, 2)
    values = [measured(experiment, outcome)[COST] for outcome in (left, right)]
    assert better_by(experiment, left, right)[COST].value == pytest.approx(values[0] - values[1])
    assert COST not in measured(declare(), left)


def test_metrics_that_fit_one_of_the_two_only_are_not_compared(declare: Declare) -> None:
    labels = replace(answer(2, 1), scores=None, probabilistic=False)
    assert "roc_auc" not in better_by(declare(), labels, answer(2, 2))
    assert "roc_auc" in measured(declare(), answer(2, 2)) and "accuracy" in better_by(declare(), labels, answer(2, 2))


def test_a_row_whose_classes_a_model_does_not_know_at_all_is_no_warning(declare: Declare) -> None:
    truth = np.array([0.0, 1.0, 0.0, 1.0])
    blind = Outcome(truth, np.full(4, -1.0), np.zeros((4, 2)), True)
    several = declare(task="multiclass", search={**declare().as_dict()["search"], "metric": "accuracy"})
    assert np.isnan(measured(several, blind)["log_loss"])
    assert np.isnan(better_by(several, blind, blind)["log_loss"].value)


@pytest.mark.parametrize(
    ("left", "right", "same", "said"),
    [
        ({}, {}, True, "on the same rows"),
        ({}, {"share": 0.25}, True, "after training on 100% and 25% of the training rows"),
        ({}, {"lineage": {"data_digest": "e"}}, False, "on different data"),
        ({}, {"lineage": {"data_digest": "e"}, "parts": {"test": "z"}}, False, "on different data"),
        ({}, {"parts": {**PARTS, "test": "z"}}, False, "different rows of the same data"),
        ({}, {"lineage": {}}, None, "not known"),
        ({"parts": {}}, {"parts": {}}, None, "not known"),
    ],
)
def test_it_is_said_what_recorded_numbers_may_be_used_for(left: dict, right: dict, same: bool | None, said: str):
    compared = Comparison("ports", side("version 1", **left), side("version 2", **right))
    assert compared.recorded_on_same_rows is same
    assert said in compared.recorded_note


@given(
    left=st.dictionaries(st.sampled_from("abcd"), st.integers(0, 1)),
    right=st.dictionaries(st.sampled_from("abcd"), st.integers(0, 1)),
)
def test_what_differs_is_what_is_not_the_same_in_both(left: dict, right: dict) -> None:
    found = differing(left, right)
    assert len(set(found)) == len(found)
    assert set(left.items()) ^ set(right.items()) == {
        (name, own[name]) for own in (left, right) for name in found if name in own
    }


def test_a_comparison_is_json_that_everybody_reads(declare: Declare) -> None:
    left, right = answer(1, 1), answer(2, 2)
    anew = OnSameRows(
        "version 2",
        "version 1",
        ROWS,
        ROWS,
        Task.BINARY,
        "roc_auc",
        left=measured(declare(), left),
        right={"roc_auc": float("nan")},
        better_by={"roc_auc": Interval(0.1, float("-inf"), 0.2)},
        disagreement=disagreement(Task.BINARY, left, right),
    )
    sides = (side("version 1", stage=Stage.PRODUCTION, version=1), side("version 2", params={"C": "1"}))
    told = Comparison("ports", *sides, on_same_rows=anew).as_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["on_same_rows"]["right"] == {"roc_auc": None}
    assert told["on_same_rows"]["better_by"]["roc_auc"] == {"value": 0.1, "low": None, "high": 0.2}
    assert (told["left"]["stage"], told["right"]["stage"]) == ("Production", None)
    assert told["differs"] == {"params": ["C"], "lineage": []}


@pytest.mark.parametrize(
    ("rows", "trained_on", "which", "doubt"),
    [
        (120, 0, "the 120 test rows of version 2", ""),
        (30, 0, "those 30 of the 120 test rows of version 2 that version 1 was not trained on", ""),
        (
            120,
            120,
            "the 120 test rows of version 2",
            "version 1 was trained on all of these rows, or on neighbours of them, and looks better here",
        ),
        (
            120,
            90,
            "the 120 test rows of version 2",
            "version 1 was trained on 90 of these rows, or on neighbours of them, and looks better here",
        ),
        (120, None, "the 120 test rows of version 2", "not known whether version 1 was trained on some of these rows"),
    ],
)
def test_it_is_said_which_rows_they_are_and_whether_they_flatter_the_older(
    rows: int, trained_on: int | None, which: str, doubt: str
) -> None:
    anew = OnSameRows("version 2", "version 1", ROWS, rows, Task.BINARY, "roc_auc", trained_on)
    assert anew.which == which
    assert (doubt in anew.doubt) if doubt else anew.doubt == ""
