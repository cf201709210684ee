"""What a declaration demands, a declaration held to a policy, and each demand that is weaker than it was."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.conftest import SMALL

from slipway.core.release.policy import demands_of, stricter, weakened, weakenings
from slipway.core.spec import Experiment, ReleasePolicy
from slipway.core.spec._yaml import read_policy, write_policy
from slipway.errors import SpecInvalid

Declare = Callable[..., Experiment]
SCOPE = {"goal": "Say it.", "decision": "Do it.", "owner": "us@example.com"}
ASKED: dict[str, Any] = {
    "thresholds": {"roc_auc": 0.7},
    "not_worse_than_champion": {"margin": 0.01},
    "approval": {"number": 1, "approvers": ["ben", "cleo"]},
    "own": ["gates:few_alarms"],
}


def said(declared: Experiment, floor: ReleasePolicy) -> list[str]:
    return [str(each) for each in weakenings(declared, floor)]


def test_each_demand_that_is_weaker_than_it_was_is_named_with_both_values(declare: Declare) -> None:
    was = demands_of(
        declare(
            scope={**SCOPE, "maturity": "mvp"},
            gates=ASKED,
            sla={"p99_ms": 50},
            evaluation={"slices": ["port"], "sensitive": ["minutes"]},
            baseline={"rule": "rules:late"},
        )
    )
    now = declare(gates={"thresholds": {"roc_auc": 0.01}, "not_worse_than_champion": {"margin": 9}})
    assert said(now, was) == [
        "scope.maturity mvp → poc",
        "baseline.rule rules:late → not asked for",
        "evaluation.sensitive minutes → not asked for",
        "evaluation.slices port → not asked for",
        "gates.thresholds.roc_auc 0.7 → 0.01",
        "gates.not_worse_than_champion.margin 0.01 → 9",
        "gates.approval number 1 → not asked for",
        "gates.own gates:few_alarms → not asked for",
    ]


RIPE: dict[str, Any] = {
    "scope": {**SCOPE, "maturity": "production"},
    "sla": {"p99_ms": 50},
    "evaluation": {"slices": ["port"]},
    "gates": {"thresholds": {"roc_auc": 0.7}},
}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, []),
        ({"sla": {"p99_ms": 500}}, ["gates.latency.p99_ms 50 → 500"]),
        ({"delivery": ["batch"]}, ["gates.latency p99_ms 50 → not asked for"]),
        (
            {"gates": {"thresholds": {"roc_auc": 0.7}, "without": {"approval": "no time", "latency": "asleep"}}},
            ["gates.latency p99_ms 50 → left out: asleep", "gates.approval number 1 → left out: no time"],
        ),
        ({"gates": {"thresholds": {"roc_auc": 0.7, "log_loss": 9}}}, []),
        ({"gates": {"thresholds": {"roc_auc": 0.7}, "approval": {"number": 2}}}, []),
    ],
)
def test_the_gates_of_a_maturity_are_demands_too(declare: Declare, changed: dict[str, Any], words: list[str]) -> None:
    assert said(declare(**{**RIPE, **changed}), demands_of(declare(**RIPE))) == words


def test_the_direction_of_a_metric_is_known(declare: Declare) -> None:
    floor = ReleasePolicy.model_validate({"gates": {"thresholds": {"log_loss": 0.5}}})
    assert said(declare(gates={"thresholds": {"log_loss": 0.6}}), floor) == ["gates.thresholds.log_loss 0.5 → 0.6"]
    assert said(declare(gates={"thresholds": {"log_loss": 0.4}}), floor) == []


def test_another_split_or_metric_is_named_and_a_stricter_split_is_not(declare: Declare) -> None:
    by_port = declare(split={"method": "group", "group": "port"})
    assert said(declare(), demands_of(by_port)) == ["split.method group → not asked for"]
    assert said(by_port, demands_of(declare())) == []
    other = declare(search={**SMALL["search"], "metric": "log_loss"})  # type: ignore[dict-item]
    assert said(other, demands_of(declare())) == ["search.metric roc_auc → log_loss"]


def test_a_policy_is_read_with_the_line_of_each_mistake_and_written_as_it_is_read(declare: Declare) -> None:
    text = "maturity: mvp\ngates:\n  threshold: {roc_auc: 0.7}\n  latency: {}\npromoter: [ana]\nmetric: roc_acu\n"
    with pytest.raises(SpecInvalid) as found:
        read_policy(text)
    problems = {(problem.line, problem.key) for problem in found.value.problems}
    assert {(3, "gates.threshold"), (5, "promoter")} <= problems
    assert "did you mean 'thresholds'" in str(found.value)
    with pytest.raises(SpecInvalid, match="did you mean 'roc_auc'"):
        read_policy("metric: roc_acu\n")
    with pytest.raises(SpecInvalid, match="2 approvals are asked for, and 1 may approve"):
        read_policy("change: {approvals: 2, approvers: [ana]}\n")
    policy = read_policy(
        text.replace("threshold:", "thresholds:").replace("promoter:", "promoters:").replace("acu", "auc")
    )
    assert policy.gates.latency is not None and policy.promoters == ["ana"]
    for each in (policy, demands_of(declare(**RIPE)), ReleasePolicy()):
        assert read_policy(write_policy(each)) == each
        assert read_policy("# a comment\n" + write_policy(each)).digest == each.digest


def test_a_declaration_cannot_be_held_to_what_its_data_lacks(declare: Declare) -> None:
    policy = ReleasePolicy.model_validate(
        {
            "metric": "mae",
            "split": "time",
            "evaluation": {"slices": ["branch", "late"]},
            "gates": {"thresholds": {"mae": 3}, "freshness": {"max_age_days": 3}, "slices": {}, "latency": {}},
        }
    )
    held = stricter(declare(), policy)
    assert said(held, policy) == [
        "search.metric mae → roc_auc",
        "split.method time → not asked for",
        "evaluation.slices branch → not asked for",
        "evaluation.slices late → not asked for",
        "gates.thresholds.mae 3 → not asked for",
        "gates.slices margin 0 → not asked for",
        "gates.latency asked for → not asked for",
        "gates.freshness max_age_days 3 → not asked for",
    ]


def test_an_own_gate_of_the_policy_is_not_taken_the_place_of(declare: Declare) -> None:
    policy = ReleasePolicy.model_validate({"gates": {"own": ["gates:few_alarms"]}})
    held = stricter(declare(gates={"own": ["mine:few_alarms", "mine:other"]}), policy)
    assert held.gates.own == ["gates:few_alarms", "mine:other"]


def test_a_policy_that_loosens_who_may_is_weaker(declare: Declare) -> None:
    was = ReleasePolicy.model_validate({"change": {"approvals": 1, "approvers": ["ana"]}, "promoters": ["pia"]})
    now = ReleasePolicy.model_validate({"promoters": ["pia", "eve"]})
    assert list(map(str, weakened(now, was))) == [
        "change.approvals 1 → 0",
        "change.approvers ana → anybody",
        "promoters pia → pia, eve",
    ]
    assert weakened(was, now) == ()


# Every demand that a declaration of this data can be held to.
NUMBERS = st.sampled_from([0.1, 0.2, 0.5, 0.9])
WHO = st.lists(st.sampled_from(["ana", "ben", "cleo"]), unique=True, max_size=3)


def section(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(fields)


OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "thresholds": st.dictionaries(st.sampled_from(["roc_auc", "log_loss", "accuracy"]), NUMBERS),
    "beats_baseline": section(margin=NUMBERS),
    "not_worse_than_champion": section(margin=NUMBERS),
    "slices": section(margin=NUMBERS, worst=st.none() | NUMBERS),
    "calibration": section(error=NUMBERS),
    "latency": section(p99_ms=st.none() | NUMBERS),
    "size": section(megabytes=NUMBERS),
    "reproducible": section(difference=NUMBERS),
    "freshness": section(max_age_days=NUMBERS),
    "approval": section(number=st.integers(1, 3), approvers=WHO),
    "own": st.lists(st.sampled_from(["gates:a", "gates:b", "other:a"]), unique_by=lambda ref: ref[-1], max_size=2),
}


@st.composite
def gates(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, Any]:
    made = draw(st.fixed_dictionaries({}, optional=OPTIONAL))
    left = draw(st.lists(st.sampled_from(["slices", "latency", "approval"]), unique=True))
    return {**made, "without": {gate: "a reason" for gate in left if gate not in made}}


MATURITY = st.sampled_from(["poc", "mvp", "production"])
PORTS = st.lists(st.sampled_from(["port", "minutes"]), unique=True)
POLICIES = st.builds(
    lambda **values: ReleasePolicy.model_validate(values),
    maturity=MATURITY,
    metric=st.sampled_from([None, "roc_auc", "log_loss"]),
    evaluation=section(slices=PORTS, sensitive=PORTS),
    gates=gates(),
)


@st.composite
def declarations(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Experiment:
    known = {"type": "datetime", "known": "the clock"}
    values: dict[str, Any] = {
        **SMALL,
        "data": {**SMALL["data"], "time": "at", "columns": {**SMALL["data"]["columns"], "at": known}},  # type: ignore[dict-item]
        "scope": {**SCOPE, "maturity": draw(MATURITY)},
        "sla": {"p99_ms": draw(NUMBERS)},
        "evaluation": {"slices": ["port"], "sensitive": draw(PORTS)},
        "delivery": draw(st.sampled_from([["service"], ["batch"]])),
    }
    of_gates = draw(gates())
    of_gates["thresholds"] = {"roc_auc": 0.5, **of_gates.get("thresholds", {})}
    return Experiment.model_validate({**values, "gates": of_gates})


def without_names(policy: ReleasePolicy) -> ReleasePolicy:
    """Return a policy without names of approvers: those of the policy count in place of those of a declaration."""
    if policy.gates.approval is None:
        return policy
    anybody = policy.gates.approval.model_copy(update={"approvers": []})
    return policy.model_copy(update={"gates": policy.gates.model_copy(update={"approval": anybody})})


@given(declarations(), POLICIES)
def test_held_to_a_policy_a_declaration_undercuts_neither_the_policy_nor_itself(
    declared: Experiment, policy: ReleasePolicy
) -> None:
    held = stricter(declared, policy)
    assert weakenings(held, policy) == ()
    own = without_names(demands_of(declared))
    clashing = {ref.partition(":")[2] for ref in policy.gates.own}
    kept = [ref for ref in own.gates.own if ref.partition(":")[2] not in clashing]
    own = own.model_copy(update={"metric": None, "gates": own.gates.model_copy(update={"own": kept})})
    if policy.metric in (None, declared.search.metric):
        assert weakenings(held, own) == ()


@given(declarations(), POLICIES)
def test_held_to_a_policy_twice_is_held_to_it_once(declared: Experiment, policy: ReleasePolicy) -> None:
    held = stricter(declared, policy)
    assert stricter(held, policy) == held


@given(declarations(), POLICIES, st.sets(st.sampled_from(sorted(set(OPTIONAL) - {"own"}))), st.booleans())
def test_a_stricter_policy_never_makes_a_weaker_declaration(
    declared: Experiment, policy: ReleasePolicy, dropped: set[str], lower: bool
) -> None:
    """Names of approvers are left aside: those of a policy count in place of those of a declaration."""
    values = policy.as_dict()
    values["gates"] = {gate: each for gate, each in values.get("gates", {}).items() if gate not in dropped}
    other = ReleasePolicy.model_validate({**values, "maturity": "poc"} if lower else values)
    assume(weakened(policy, other) == ())  # a gate that stands without being named may be stricter so
    assert weakenings(stricter(declared, policy), without_names(demands_of(stricter(declared, other)))) == ()


@given(POLICIES)
def test_no_policy_is_weaker_than_itself(policy: ReleasePolicy) -> None:
    assert weakened(policy, policy) == ()


def test_own_metrics_and_an_own_split_are_demands_as_any_other(declare: Declare) -> None:
    search = {**declare().as_dict()["search"], "metric": "profit", "metrics": {"profit": "features:profit"}}
    split = {"method": "own", "function": "features:folds"}
    strict, weak = (declare(search=search, split=split, gates={"thresholds": {"profit": bound}}) for bound in (9, 5))
    floor = demands_of(strict)
    assert said(weak, floor) == ["gates.thresholds.profit 9 → 5"]
    assert stricter(weak, floor).gates.thresholds == {"profit": 9}
    assert said(declare(search=search, gates={"thresholds": {"profit": 9}}), floor) == [
        "split.method own → not asked for"
    ]
    assert ReleasePolicy.model_validate(floor.as_dict()) == floor
    with pytest.raises(ValueError, match="'profti' is not a metric; did you mean 'profit'"):
        ReleasePolicy.model_validate({"own_metrics": ["profit"], "gates": {"thresholds": {"profti": 1}}})
