from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.core.gates import (
    Champion,
    Evidence,
    Newest,
    beats_baseline,
    judge,
    not_worse_than_champion,
    thresholds,
)
from slipway.core.release.judgement import overridable
from slipway.core.spec import Experiment
from slipway.core.statistics.metrics import Outcome
from slipway.types import Stage, Verdict

Declare = Callable[..., Experiment]
FIELDS = {"minutes": ("double", True), "port": ("string", False)}
OUTPUTS = {"": ("long", True)}
ROWS = 150
skills = st.floats(-1.0, 3.0)


def answer(skill: float, seed: int) -> Outcome:
    """An outcome of the same truth for all; scores know it by `skill`, up to noise of their own."""
    truth = (np.random.default_rng(99).random(ROWS) < 0.4).astype(float)
    raw = skill * (truth - 0.5) + np.random.default_rng(seed).normal(size=ROWS)
    scores = 1 / (1 + np.exp(-raw))
    return Outcome(truth, (scores > 0.5).astype(float), scores, True)


def prior() -> Outcome:
    truth = answer(0, 0).truth
    return Outcome(truth, np.zeros(ROWS), np.full(ROWS, 0.4), True)


def evidence(declare: Declare, *, skill: float = 2.0, champion: float | None = None, gates: Any = None) -> Evidence:
    scope = {"goal": "Say it.", "owner": "us@example.com"}
    return Evidence(
        declare(scope=scope, gates=gates or {"thresholds": {"roc_auc": 0.6}}),
        answer(skill, 1),
        FIELDS,
        OUTPUTS,
        {"prior": prior()},
        None if champion is None else Champion(4, answer(champion, 2), FIELDS, OUTPUTS),
    )


def verdict(of: Evidence, gate: str, stage: Stage = Stage.PRODUCTION) -> Verdict:
    return next(v for v in judge(of, stage) if v.gate == gate)


def has_number(text: str) -> bool:
    return any(sign.isdigit() for sign in text)


def test_before_staging_stand_the_numbers_before_production_also_scope_champion_and_signature(declare: Declare) -> None:
    named = {stage: [v.gate for v in judge(evidence(declare), stage)] for stage in Stage}
    assert named == {
        Stage.NONE: [],
        Stage.ARCHIVED: [],
        Stage.STAGING: ["thresholds", "beats_baseline"],
        Stage.PRODUCTION: ["specified", "thresholds", "beats_baseline", "not_worse_than_champion", "signature"],
    }


def test_a_good_model_passes_every_gate(declare: Declare) -> None:
    verdicts = judge(evidence(declare, champion=1.0), Stage.PRODUCTION)
    assert [v.gate for v in verdicts if not v.passed] == []
    assert all(v.reason for v in verdicts)


def test_the_same_evidence_gives_the_same_verdicts(declare: Declare) -> None:
    of = evidence(declare, champion=1.9)
    assert judge(of, Stage.PRODUCTION) == judge(of, Stage.PRODUCTION)


@settings(max_examples=10)  # each takes 400 resamples
@given(skill=skills, champion=skills, threshold=st.floats(0.3, 0.95), margin=st.floats(0, 0.3))
def test_a_failed_verdict_has_a_reason_that_names_numbers(
    declare: Declare, skill: float, champion: float, threshold: float, margin: float
) -> None:
    gates = {"thresholds": {"roc_auc": threshold}, "beats_baseline": {"margin": margin}}
    failed = [
        v
        for v in judge(evidence(declare, skill=skill, champion=champion, gates=gates), Stage.PRODUCTION)
        if not v.passed
    ]
    for v in failed:
        assert has_number(v.reason) and v.numbers and f"on {ROWS} test rows" in v.reason
        assert "roc_auc" in v.reason


@pytest.mark.parametrize(("metric", "greater"), [("roc_auc", True), ("accuracy", True), ("log_loss", False)])
@given(bounds=st.lists(st.floats(0, 1), min_size=2, max_size=4))
def test_a_stricter_threshold_never_lets_more_through(
    declare: Declare, metric: str, greater: bool, bounds: list[float]
) -> None:
    of = evidence(declare)
    strict = [declare(gates={"thresholds": {metric: bound}}) for bound in sorted(bounds, reverse=not greater)]
    passed = [thresholds(replace(of, experiment=experiment), {}).passed for experiment in strict]
    assert passed == sorted(passed, reverse=True)


@settings(max_examples=10)  # each takes 400 resamples
@given(skill=skills, margins=st.lists(st.floats(0, 0.5), min_size=2, max_size=4))
def test_a_wider_margin_over_the_baseline_never_lets_more_through(
    declare: Declare, skill: float, margins: list[float]
) -> None:
    of = evidence(declare, skill=skill)
    wider = [declare(gates={"beats_baseline": {"margin": margin}}) for margin in sorted(margins)]
    differences = of.differences()
    passed = [beats_baseline(replace(of, experiment=experiment), differences).passed for experiment in wider]
    assert passed == sorted(passed, reverse=True)


@settings(max_examples=10)  # each takes 400 resamples
@given(skill=skills, champion=skills, margins=st.lists(st.floats(0, 0.5), min_size=2, max_size=4))
def test_a_wider_margin_below_the_champion_never_lets_less_through(
    declare: Declare, skill: float, champion: float, margins: list[float]
) -> None:
    of = evidence(declare, skill=skill, champion=champion)
    wider = [declare(gates={"not_worse_than_champion": {"margin": margin}}) for margin in sorted(margins)]
    differences = of.differences()
    passed = [not_worse_than_champion(replace(of, experiment=experiment), differences).passed for experiment in wider]
    assert passed == sorted(passed)


def test_a_threshold_on_the_very_value_holds_on_both_sides(declare: Declare) -> None:
    of = evidence(declare)
    values = verdict(
        replace(of, experiment=declare(gates={"thresholds": {"accuracy": 0, "log_loss": 9}})), "thresholds"
    ).numbers
    exact = {name: values[name] for name in ("accuracy", "log_loss")}
    assert verdict(replace(of, experiment=declare(gates={"thresholds": exact})), "thresholds").passed
    for name, by in (("accuracy", 1e-9), ("log_loss", -1e-9)):
        missed = verdict(
            replace(of, experiment=declare(gates={"thresholds": {**exact, name: exact[name] + by}})), "thresholds"
        )
        assert not missed.passed
        assert f"{name} {exact[name]:.4f} is not at {'least' if by > 0 else 'most'}" in missed.reason


def test_a_threshold_on_what_cannot_be_measured_does_not_hold(declare: Declare) -> None:
    labels = replace(answer(2, 1), scores=None, probabilistic=False)
    of = replace(evidence(declare, champion=1.0), challenger=labels)
    assert "roc_auc nan is not at least 0.6" in verdict(of, "thresholds").reason
    assert [v.gate for v in judge(of, Stage.PRODUCTION) if v.passed] == ["specified", "signature"]


def test_the_baseline_is_not_beaten_by_chance_nor_by_a_copy_of_it(declare: Declare) -> None:
    copied = replace(evidence(declare), challenger=prior())
    assert "no different" in verdict(copied, "beats_baseline").reason
    assert not verdict(copied, "beats_baseline").passed
    assert not verdict(evidence(declare, skill=0.15), "beats_baseline").passed


def test_every_baseline_has_to_be_beaten_and_the_one_that_is_not_is_named(declare: Declare) -> None:
    of = evidence(declare)
    strong = replace(of, baselines={**of.baselines, "carrier_rule": answer(4, 3)})
    said = verdict(strong, "beats_baseline")
    assert verdict(of, "beats_baseline").passed and not said.passed
    assert "worse" in said.reason and "'carrier_rule'" in said.reason and "'prior'" not in said.reason


def test_without_a_comparable_baseline_nothing_is_beaten(declare: Declare) -> None:
    labels = {"rule": replace(prior(), scores=None, probabilistic=False)}
    said = verdict(replace(evidence(declare), baselines=labels), "beats_baseline")
    assert (said.passed, said.reason) == (False, "no baseline can be compared by roc_auc")


def test_an_error_is_better_when_it_is_smaller(declare: Declare) -> None:
    search = {**declare().as_dict()["search"], "metric": "log_loss"}
    of = evidence(declare, skill=3.0, champion=0.2)
    of = replace(of, experiment=declare(search=search, gates={"thresholds": {"log_loss": 0.9}}))
    said = verdict(of, "not_worse_than_champion")
    assert said.passed and said.numbers["difference"] > 0 and "log_loss is better by" in said.reason


def test_a_worse_model_is_refused_with_the_champions_number_and_the_interval(declare: Declare) -> None:
    said = verdict(evidence(declare, skill=0.5, champion=3.0), "not_worse_than_champion")
    low, high = said.numbers["low"], said.numbers["high"]
    assert not said.passed and low <= said.numbers["difference"] <= high < 0
    assert "than version 4 in Production" in said.reason
    assert f"{low:+.4f} to {high:+.4f}" in said.reason


def not_trained_on(of: Evidence, count: int) -> Evidence:
    assert of.champion
    return replace(of, champion=replace(of.champion, unseen=np.arange(ROWS) < count))


@pytest.mark.parametrize(
    ("split", "rule"),
    [
        ({"method": "group", "group": "port"}, ", nor on others of the same port"),
        ({"method": "time"}, ", nor on later ones"),
        ({"method": "random"}, ""),
    ],
)
def test_where_too_few_rows_are_left_that_the_champion_does_not_know_the_verdict_says_so_and_may_be_overridden(
    declare: Declare, split: dict[str, str], rule: str
) -> None:
    worse = evidence(declare, skill=0.5, champion=3.0)
    data = worse.experiment.as_dict()["data"]
    columns = data["columns"] | {"when": {"type": "datetime"}}
    worse = replace(worse, experiment=declare(split=split, data={**data, "time": "when", "columns": columns}))
    said = verdict(not_trained_on(worse, 12), "not_worse_than_champion")
    assert f"on all 150 test rows, as of 12 alone it is known that it was not trained on them{rule}" in said.reason
    assert not said.passed and overridable(said) and said.reason.endswith(" with `slipway approve`")
    enough = verdict(not_trained_on(worse, 100), "not_worse_than_champion")
    assert f"on 100 test rows of 150, those it was not trained on{rule})" in enough.reason
    assert not enough.passed and not overridable(enough) and "approve" not in enough.reason
    assert not overridable(verdict(worse, "not_worse_than_champion"))
    better = evidence(declare, skill=3.0, champion=0.5)
    assert not overridable(verdict(not_trained_on(better, 12), "not_worse_than_champion"))


def test_what_is_clearly_worse_on_rows_that_nobody_knew_cannot_be_overridden(declare: Declare) -> None:
    of = not_trained_on(evidence(declare, skill=0.5, champion=3.0), 12)
    of = replace(of, newest=Newest("2026-01-01", answer(0.2, 5), answer(3.0, 6)))
    said = verdict(of, "not_worse_than_champion")
    assert not overridable(said) and "approve" not in said.reason


@pytest.mark.parametrize(
    ("metric", "positives", "enough"),
    [("roc_auc", 0, False), ("roc_auc", 9, False), ("roc_auc", 10, True), ("log_loss", 0, True)],
)
def test_rows_that_the_champion_does_not_know_are_too_few_where_too_few_are_of_one_class(
    declare: Declare, metric: str, positives: int, enough: bool
) -> None:
    of = evidence(declare, skill=0.5, champion=3.0)
    search = of.experiment.as_dict()["search"] | {"metric": metric}
    of = replace(of, experiment=declare(search=search))
    truth = of.challenger.truth
    unseen = np.zeros(ROWS, dtype=bool)
    unseen[np.flatnonzero(truth == 1)[:positives]] = True
    unseen[np.flatnonzero(truth == 0)[: 60 - positives]] = True
    assert of.champion and unseen.sum() == 60
    said = verdict(replace(of, champion=replace(of.champion, unseen=unseen)), "not_worse_than_champion")
    assert not said.passed and overridable(said) is not enough and "nan" not in said.reason
    few = "as of 60 alone it is known that it was not trained on them, and too few of these are of one class"
    assert ("on 60 test rows of 150" if enough else few) in said.reason


def test_slices_beside_a_champion_that_knows_most_rows_can_be_overridden_but_never_the_declared_bound(
    declare: Declare,
) -> None:
    labels = {"port": pd.Series(["A", "B"] * (ROWS // 2))}
    for gates, may in (({"slices": {}}, True), ({"slices": {"worst": 0.99}}, False)):
        of = evidence(declare, skill=0.1, champion=3.0)
        experiment = declare(gates=gates, evaluation={"slices": ["port"]}, scope=of.experiment.as_dict()["scope"])
        of = replace(of, experiment=experiment, labels=labels)
        said = verdict(not_trained_on(of, 12), "slices")
        assert not said.passed and overridable(said) is may is ("`slipway approve`" in said.reason)


def test_where_no_slice_has_rows_enough_that_is_said_and_not_that_production_is_empty(declare: Declare) -> None:
    labels = {"port": pd.Series(["A", "B", "C"] * (ROWS // 3))}
    of = evidence(declare, skill=0.1, champion=3.0)
    scope = of.experiment.as_dict()["scope"]
    experiment = declare(gates={"slices": {}}, evaluation={"slices": ["port"]}, scope=scope)
    of = not_trained_on(replace(of, experiment=experiment, labels=labels), 60)
    said = verdict(of, "slices").reason
    assert "no slice of port could be compared: each has fewer than 30 rows, or one class only (on 60 test rows" in said
    assert of.champion
    lost = replace(of, champion=replace(of.champion, outcome=None))
    assert verdict(lost, "slices").reason.startswith("version 4 in Production could not be compared and no bound")
    empty = replace(of, champion=None)
    assert verdict(empty, "slices").reason.startswith("nothing is in Production yet and no bound")


def test_while_production_is_empty_the_version_that_was_there_last_is_the_champion(declare: Declare) -> None:
    of = evidence(declare, skill=0.5, champion=3.0)
    assert of.champion
    of = replace(of, champion=replace(of.champion, live=False))
    assert "than version 4, which was in Production last" in verdict(of, "not_worse_than_champion").reason
    callers = "everything that callers of version 4, which was in Production last, send is accepted"
    assert verdict(of, "signature").reason == callers
    of = replace(of, champion=Champion(4, None, FIELDS, OUTPUTS, "why", live=False))
    assert "last, could not be compared: why" in verdict(of, "not_worse_than_champion").reason


def test_where_nothing_is_in_production_there_is_nobody_to_be_worse_than(declare: Declare) -> None:
    assert verdict(evidence(declare), "not_worse_than_champion").passed
    assert verdict(evidence(declare), "signature").passed


def test_a_champion_that_cannot_be_scored_is_a_refusal_that_says_why(declare: Declare) -> None:
    of = replace(evidence(declare), champion=Champion(4, None, FIELDS, OUTPUTS, "its columns are others"))
    said = verdict(of, "not_worse_than_champion")
    assert (said.passed, said.reason) == (
        False,
        "version 4 in Production could not be compared: its columns are others",
    )


@pytest.mark.parametrize(
    ("scope", "gates", "missing"),
    [
        ({"goal": "Say it."}, {"thresholds": {"roc_auc": 0.6}}, "scope.owner"),
        ({"goal": "Say it.", "owner": "us"}, {}, "gates.thresholds.roc_auc"),
        ({"goal": "Say it.", "owner": "us"}, {"thresholds": {"accuracy": 0.6}}, "gates.thresholds.roc_auc"),
    ],
)
def test_a_problem_without_a_specification_is_not_released(
    declare: Declare, scope: Any, gates: Any, missing: str
) -> None:
    said = verdict(replace(evidence(declare), experiment=declare(scope=scope, gates=gates)), "specified")
    assert not said.passed and missing in said.reason


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({**FIELDS, "gate": ("string", True)}, "'gate' (string) is now required and was not sent before"),
        ({**FIELDS, "port": ("string", True)}, "'port' could be left out before and is now required"),
        ({**FIELDS, "minutes": ("long", True)}, "'minutes' changes from double to long"),
        ({**FIELDS, "minutes": ("string", True)}, "'minutes' changes from double to string"),
    ],
)
def test_a_signature_that_would_break_callers_is_refused(declare: Declare, inputs: Any, said: str) -> None:
    refused = verdict(replace(evidence(declare, champion=1.0), inputs=inputs), "signature")
    assert not refused.passed
    assert refused.reason == f"callers of version 4 would break: {said}"


@pytest.mark.parametrize(
    "inputs",
    [FIELDS, {"minutes": ("double", True)}, {**FIELDS, "gate": ("string", False)}, {"minutes": ("double", False)}, {}],
)
def test_a_signature_that_asks_for_no_more_than_before_is_accepted(declare: Declare, inputs: Any) -> None:
    assert verdict(replace(evidence(declare, champion=1.0), inputs=inputs), "signature").passed


def test_an_answer_of_another_type_breaks_callers(declare: Declare) -> None:
    said = verdict(replace(evidence(declare, champion=1.0), outputs={"": ("string", True)}), "signature")
    assert not said.passed and "the answer's type changes from long to string" in said.reason


def test_between_equally_good_models_the_gates_err_as_seldom_as_their_intervals_say(declare: Declare) -> None:
    """50 pairs of the same skill: an interval that takes chance for a difference is rare, and on both sides alike."""
    experiment = declare(gates={"not_worse_than_champion": {"margin": 0.2}})
    better = worse = not_worse = 0
    for seed in range(100, 200, 2):
        champion = Champion(4, answer(1.0, seed + 1), FIELDS, OUTPUTS)
        of = Evidence(experiment, answer(1.0, seed), FIELDS, OUTPUTS, {}, champion, seed)
        difference = of.differences()["champion"]
        better += beats_baseline(of, {"baseline:equal": difference}).passed
        worse += difference.high < 0
        not_worse += not_worse_than_champion(of, {"champion": difference}).passed
    # 1.25 of 50 are expected on each side; more than 6 would happen once in five thousand times.
    assert better <= 6 and worse <= 6 and better + worse >= 1
    assert not_worse >= 47  # the margin is wider than what 150 rows leave open
