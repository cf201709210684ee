"""All that stands between a version and Production is one list in the order of the stages, each with what to do."""

from collections.abc import Callable

from slipway.core.release.policies import Policies, SetPolicy
from slipway.core.release.policy_gate import Floor, Rule
from slipway.core.release.steps import ReleaseStep, release_steps
from slipway.core.release.transitions import ServedBeside
from slipway.core.spec import Experiment, ReleasePolicy

Declare = Callable[..., Experiment]
OWNED = {"goal": "Say which rows are late.", "owner": "team@example.com"}


def told(experiment: Experiment, rule: Rule | None = None) -> dict[str, ReleaseStep]:
    return {step.gate.name: step for step in release_steps(experiment, 4, "ana", rule)}


def test_those_before_staging_come_first_and_what_is_missing_says_what_to_declare(declare: Declare) -> None:
    steps = told(declare(gates={"own": ["gates:fair", "fairness"]}))
    assert list(steps) == [
        "policy", "thresholds", "beats_baseline", "specified", "not_worse_than_champion", "signature", "fair", "fairness",
    ]  # fmt: skip
    assert steps["specified"].todo == (
        "declare scope.owner, as in `owner: team@example.com`, before the training",
        "declare gates.thresholds.roc_auc, as in `roc_auc: 0.7`, before the training",
    )
    assert "no server answers here" in str(steps["policy"])
    assert steps["thresholds"].todo == ()


def test_an_approval_says_who_may_give_it(declare: Declare) -> None:
    for gate, who in (
        ({}, "1 of anybody but ana, the author"),
        ({"number": 2, "approvers": ["bo", "cy"]}, "2 of bo, cy"),
    ):
        step = told(declare(scope=OWNED, gates={"approval": gate}))["approval"]
        assert step.todo == (f"{who}: `slipway approve small 4`, after `slipway gates`",)


def test_a_declaration_that_is_weaker_than_that_in_production_is_told_before_the_training(declare: Declare) -> None:
    live = declare(scope=OWNED, gates={"thresholds": {"roc_auc": 0.9}})
    weaker = declare(scope=OWNED, gates={"thresholds": {"roc_auc": 0.7}})
    rule = Rule("small", floor=Floor(ServedBeside(3, True), live))
    (todo,) = told(weaker, rule)["policy"].todo
    assert "gates.thresholds.roc_auc 0.9 → 0.7" in todo and "train again with these demands" in todo
    step = told(live, rule)["policy"]
    assert step.todo == () and "no demand is weaker" in step.gate.demand


def test_what_the_policy_asks_for_is_in_the_list(declare: Declare) -> None:
    asked = ReleasePolicy.model_validate({"gates": {"size": {"megabytes": 5}, "approval": {"approvers": ["bo"]}}})
    rule = Rule("small", policies=Policies(SetPolicy(asked, "", "bo", 0)))
    steps = told(declare(scope=OWNED, gates={"thresholds": {"roc_auc": 0.7}}), rule)
    assert "megabytes 5" in steps["size"].gate.demand
    assert steps["approval"].todo[0].startswith("1 of bo:")
