"""The gates that a maturity or the experiment's `gates` adds: which stand where, and what each says."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.core.gates import Champion, Evidence, Latency, Measured, Newest, Reproduced, gates_before, judge
from slipway.core.spec import Experiment
from slipway.core.statistics.metrics import Outcome
from slipway.types import Stage, Verdict

Declare = Callable[..., Experiment]
ROWS = 1200
PORTS = np.where(np.arange(ROWS) % 3 == 0, "harbour", np.where(np.arange(ROWS) % 3 == 1, "hill", "mill"))
PRODUCTION = {
    "scope": {"goal": "Say it.", "decision": "Do it.", "owner": "us@example.com", "maturity": "production"},
    "sla": {"p99_ms": 50},
    "monitor": {"metric": "roc_auc", "floor": 0.55},
    "evaluation": {"slices": ["port"]},
}


def answers(skill: float | np.ndarray, seed: int, rows: int = ROWS) -> Outcome:
    """One truth for all; scores know it by `skill`, of the whole or of each row, up to noise of their own."""
    truth = (np.random.default_rng(5).random(rows) < 0.4).astype(float)
    raw = skill * (truth - 0.5) + np.random.default_rng(seed).normal(size=rows)
    scores = 1 / (1 + np.exp(-raw))
    return Outcome(truth, (scores > 0.5).astype(float), scores, True)


def evidence(declare: Declare, *, gates: Any = None, skill: Any = 2.0, champion: Any = None, **more: Any) -> Evidence:
    declared = declare(**PRODUCTION, gates={"thresholds": {"roc_auc": 0.5}, **(gates or {})})
    live = None if champion is None else Champion(4, answers(champion, 2), {}, {})
    labels = {"port": pd.Series(PORTS).astype("category")}
    return Evidence(declared, answers(skill, 1), {}, {}, {}, live, labels=labels, **more)


def said(of: Evidence, gate: str) -> Verdict:
    return next(v for v in judge(of, Stage.PRODUCTION) if v.gate == gate)


def test_each_maturity_asks_for_its_own(declare: Declare) -> None:
    always = ("policy", "specified", "thresholds", "beats_baseline", "not_worse_than_champion", "signature")
    assert gates_before(declare(), Stage.PRODUCTION) == always
    ripe = declare(**PRODUCTION, gates={"thresholds": {"roc_auc": 0.5}})
    assert gates_before(ripe, Stage.PRODUCTION) == (*always, "slices", "latency", "approval")
    assert gates_before(ripe, Stage.STAGING) == ("policy", "thresholds", "beats_baseline")
    assert gates_before(ripe, Stage.ARCHIVED) == gates_before(ripe, Stage.NONE) == ()
    report = declare(**PRODUCTION, delivery=["report"], gates={"thresholds": {"roc_auc": 0.5}})
    assert "latency" not in gates_before(report, Stage.PRODUCTION)


def test_what_is_named_is_asked_for_at_any_maturity_and_what_is_left_out_is_told_with_its_reason(
    declare: Declare,
) -> None:
    small = declare(gates={"size": {"megabytes": 5}, "approval": {"number": 2}})
    assert gates_before(small, Stage.PRODUCTION)[-2:] == ("size", "approval")
    without = evidence(declare, gates={"without": {"latency": "asked once a day", "approval": "a trial run"}})
    assert gates_before(without.experiment, Stage.PRODUCTION)[-1] == "slices"
    assert said(without, "latency") == Verdict("latency", True, "left out: asked once a day")


@pytest.mark.parametrize(
    ("gates", "complaint"),
    [
        ({"without": {"thresholds": "why not"}}, "'thresholds' cannot be left out"),
        ({"without": {"latency": "no"}, "latency": {"p99_ms": 5}}, "'latency' is asked for and left out"),
        ({"own": ["features:slices"]}, "'slices' is the name of another gate"),
        ({"own": ["a:mine", "b:mine"]}, "'mine' is the name of another gate"),
        ({"latency": {}}, "no latency is promised"),
        ({"slices": {}}, "name columns in evaluation.slices"),
        ({"freshness": {"max_age_days": 3}}, "data.time, which is not given"),
        ({"approval": {"number": 0}}, "greater than or equal to 1"),
    ],
)
def test_gates_that_make_no_sense_are_refused(declare: Declare, gates: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        declare(gates=gates)


def test_a_slice_that_got_clearly_worse_is_named_although_the_whole_got_better(declare: Declare) -> None:
    uneven = np.where(PORTS == "hill", 0.0, 4.0)
    worse = evidence(declare, skill=uneven, champion=1.5)
    assert said(worse, "not_worse_than_champion").passed
    verdict = said(worse, "slices")
    assert not verdict.passed and "port hill: worse by" in verdict.reason and "mill" not in verdict.reason
    assert said(evidence(declare, skill=uneven, champion=1.5, gates={"slices": {"margin": 0.9}}), "slices").passed


def test_no_slice_may_be_below_the_declared_bound(declare: Declare) -> None:
    uneven = np.where(PORTS == "mill", 0.0, 4.0)
    verdict = said(evidence(declare, skill=uneven, gates={"slices": {"worst": 0.8}}), "slices")
    assert not verdict.passed and "port mill: roc_auc" in verdict.reason and "0.8 is the bound" in verdict.reason
    assert said(evidence(declare, skill=4.0, gates={"slices": {"worst": 0.8}}), "slices").passed


def test_of_equal_models_slices_are_seldom_called_worse(declare: Declare) -> None:
    """40 pairs, three slices each: all of a pair's slices together are to err in 5 % at most, two pairs of 40."""
    of = evidence(declare, champion=2.0)
    refused = 0
    for seed in range(100, 180, 2):
        pair = replace(of, challenger=answers(2.0, seed), champion=Champion(4, answers(2.0, seed + 1), {}, {}))
        refused += not said(pair, "slices").passed
    assert refused <= 6  # more would happen once in a hundred times


def test_the_newest_rows_count_where_they_are_enough(declare: Declare) -> None:
    of = evidence(declare, skill=2.0, champion=2.0, gates={"not_worse_than_champion": {"margin": 0.05}})
    assert said(of, "not_worse_than_champion").passed
    rotten = Newest("2026-11-01", answers(-1.0, 3, 400), answers(2.0, 4, 400))
    verdict = said(replace(of, newest=rotten), "not_worse_than_champion")
    assert not verdict.passed and "on the newest 400 rows, since 2026-11-01, worse by" in verdict.reason
    assert verdict.numbers["newest_high"] < 0 < verdict.numbers["low"] + 0.05
    few = Newest("2026-11-01", answers(-1.0, 3, 40), answers(2.0, 4, 40))
    assert said(replace(of, newest=few), "not_worse_than_champion").passed


def test_newest_rows_on_which_the_metric_is_not_defined_say_so_and_refuse_nothing(declare: Declare) -> None:
    of = evidence(declare, skill=2.0, champion=2.0, gates={"not_worse_than_champion": {"margin": 0.05}})
    one_class = [replace(answers(2.0, seed, 400), truth=np.zeros(400)) for seed in (3, 4)]
    verdict = said(replace(of, newest=Newest("2026-11-01", *one_class)), "not_worse_than_champion")
    assert verdict.passed and "nan" not in verdict.reason and "newest_low" not in verdict.numbers
    assert verdict.reason.endswith(
        "; on the newest 400 rows, since 2026-11-01, roc_auc is not defined: they lack a class"
    )


def test_rows_that_the_champion_was_trained_on_do_not_count(declare: Declare) -> None:
    knows = np.arange(ROWS) < 600
    champion = answers(2.0, 2)
    assert champion.scores is not None
    learned = replace(champion, scores=np.where(knows, champion.truth, champion.scores))
    of = evidence(declare, champion=2.0, gates={"not_worse_than_champion": {"margin": 0.05}})
    flattered = replace(of, champion=Champion(4, learned, {}, {}))
    assert not said(flattered, "not_worse_than_champion").passed
    fair = said(replace(of, champion=Champion(4, learned, {}, {}, unseen=~knows)), "not_worse_than_champion")
    assert fair.passed and "on 600 test rows of 1,200, those it was not trained on" in fair.reason


@given(p99=st.floats(1, 200), bound=st.floats(1, 200))
def test_latency_is_held_to_the_promise(declare: Declare, p99: float, bound: float) -> None:
    measured = Measured(latency=Latency(p99 / 2, p99, 500))
    of = evidence(declare, gates={"latency": {"p99_ms": bound}}, measured=measured)
    assert said(of, "latency").passed == (p99 <= bound)
    assert said(evidence(declare, measured=measured), "latency").passed == (p99 <= 50)  # that of the sla


def test_what_was_measured_decides_and_what_was_not_does_not_pass(declare: Declare) -> None:
    asked = {"size": {"megabytes": 2}, "reproducible": {}, "calibration": {"error": 0.5}}
    good = Measured(Latency(1, 2, 500), 1_999_999, Reproduced(90, 0, 0.0))
    of = evidence(declare, gates=asked, measured=good)
    gates = ("size", "reproducible", "latency", "calibration")
    assert [said(of, gate).passed for gate in gates] == [True] * 4
    bad = Measured(Latency(1, 51, 500), 2_000_001, Reproduced(90, 3, 0.25))
    assert [said(replace(of, measured=bad), gate).passed for gate in gates[:3]] == [False] * 3
    why = said(replace(of, measured=Measured(problems={"latency": "the port was taken"})), "latency")
    assert (why.passed, why.reason) == (False, "was not measured: the port was taken")
    near = evidence(declare, gates={"reproducible": {"difference": 0.3}}, measured=bad)
    assert said(near, "reproducible").passed


def test_scores_that_are_no_probabilities_are_not_calibrated(declare: Declare) -> None:
    of = evidence(declare, gates={"calibration": {"error": 0.2}})
    assert not said(replace(of, challenger=replace(of.challenger, probabilistic=False)), "calibration").passed
    overconfident = replace(of.challenger, scores=np.round(answers(0.0, 9).scores))  # type: ignore[arg-type]
    verdict = said(replace(of, challenger=overconfident), "calibration")
    assert not verdict.passed and verdict.numbers["error"] > 0.3


def test_the_experiments_own_gates_are_told_before_production(declare: Declare) -> None:
    own = Measured(own=(Verdict("quiet_mornings", False, "too loud"),))
    of = evidence(declare, gates={"own": ["gates:quiet_mornings"]}, measured=own)
    assert said(of, "quiet_mornings").reason == "too loud"
    assert "quiet_mornings" not in {v.gate for v in judge(of, Stage.STAGING)}
