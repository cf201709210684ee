"""What may be declared again about a release, and what was trained."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from slipway.core.release.judgement import eligibility
from slipway.core.release.redeclaration import (
    declared_again,
    read_part,
    release_part,
    released_otherwise,
    trained_otherwise,
)
from slipway.core.release.transitions import Action, Transition
from slipway.core.spec import Experiment
from slipway.errors import UsageError
from slipway.search import planned
from slipway.types import Stage, Verdict

Declare = Callable[..., Experiment]
SCOPE = {"goal": "Say it.", "owner": "us@example.com"}


def test_the_release_part_goes_as_text_and_gives_the_same_declaration(declare: Declare) -> None:
    recorded = declare(scope=SCOPE, gates={"thresholds": {"roc_auc": 0.7}}, sla={"p99_ms": 20})
    part = read_part(release_part(recorded).to_text())
    assert declared_again(recorded, part) == recorded


def test_owner_thresholds_and_sla_change_and_nothing_of_the_training(declare: Declare) -> None:
    recorded = declare(scope=SCOPE)
    today = declare(scope={**SCOPE, "owner": "them@example.com"}, gates={"thresholds": {"roc_auc": 0.7}})
    assert trained_otherwise(recorded, today) == ()
    now = declared_again(recorded, release_part(today))
    assert now == today
    assert [change.what for change in released_otherwise(recorded, now)] == ["scope.owner", "gates.thresholds.roc_auc"]


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"evaluation": {"slices": ["port"]}}, "evaluation.slices"),
        ({"scope": {**SCOPE, "costs": {"false_positive": 1, "false_negative": 3}}}, "scope.costs"),
        ({"split": {"method": "random", "test": 0.3}}, "split.test"),
    ],
)
def test_a_difference_in_what_was_trained_is_named(declare: Declare, changed: dict[str, Any], key: str) -> None:
    others = trained_otherwise(declare(scope=SCOPE), declare(**{"scope": SCOPE, **changed}))
    assert [change.what for change in others if change.what.startswith(key)]


def test_all_that_an_effort_decided_for_the_run_is_as_the_declaration_says_it(declare: Declare) -> None:
    today = declare(scope=SCOPE, split={"method": "random"}, search={"metric": "roc_auc", "effort": "fast"})
    frame = pd.DataFrame({"late": [0, 1] * 100})
    recorded = planned(today, frame)
    assert recorded.split.folds and recorded.search.candidates
    assert trained_otherwise(recorded, today) == ()
    said = {"metric": "roc_auc", "effort": "fast", "trials": 7}
    others = trained_otherwise(recorded, declare(scope=SCOPE, split={"method": "random", "folds": 7}, search=said))
    assert [change.what for change in others] == ["split.folds", "search.trials"]
    better = declare(scope=SCOPE, split={"method": "random"}, search={"metric": "roc_auc", "effort": "best"})
    assert "search.effort" in [change.what for change in trained_otherwise(recorded, better)]


@pytest.mark.parametrize("odd", ["", "[]", "{}", '{"scope": {"goal": ""}}', '{"scope": {"goal": "x"}, "search": {}}'])
def test_another_text_is_refused(odd: str) -> None:
    with pytest.raises(UsageError, match="this is not a redeclaration"):
        read_part(odd)


def test_a_gate_that_the_run_cannot_be_judged_by_is_refused(declare: Declare) -> None:
    recorded = declare(scope=SCOPE)
    part = release_part(recorded)
    with pytest.raises(UsageError, match="the run keeps no code of features:fair"):
        declared_again(
            recorded, part.model_copy(update={"gates": part.gates.model_copy(update={"own": ["features:fair"]})})
        )
    with pytest.raises(UsageError, match="does not fit what was trained: gates: slices are looked at before a release"):
        declared_again(recorded, read_part('{"scope": {"goal": "Say it."}, "gates": {"slices": {}}}'))
    with pytest.raises(UsageError, match="the run has no column nowhere"):
        declared_again(recorded, part.model_copy(update={"known": {"nowhere": "the calendar"}}))


def entry(action: Action, at_ms: int, by: str = "ana", **more: Any) -> Transition:
    facts = {"digest": "d", **more}
    return Transition("small", action, 3, Stage.STAGING, by, at_ms, **facts)


def test_a_redeclaration_makes_the_judgement_stale_and_one_set_back_does_too() -> None:
    judged = entry(Action.JUDGE, 1, evidence="e", verdicts=(Verdict("thresholds", True, "fine"),))
    first, back = entry(Action.REDECLARE, 2, kept="k"), entry(Action.REDECLARE, 4, kept="k")
    again = entry(Action.JUDGE, 3, evidence="f", declared=first.mark, verdicts=judged.verdicts)

    def stands(*entries: Transition) -> bool:
        return eligibility("small", 3, Stage.STAGING, "d", None, entries).holds

    assert stands(judged) and not stands(judged, first) and stands(judged, first, again)
    assert not stands(judged, first, again, back)
    assert "declared again since" in eligibility("small", 3, Stage.STAGING, "d", None, [judged, first]).problems[0]


def test_a_rejection_stands_after_the_version_was_declared_again() -> None:
    judged = entry(Action.JUDGE, 1, evidence="e", verdicts=(Verdict("thresholds", True, "fine"),))
    rejected = entry(Action.REJECT, 2, "rita", evidence="e", comment="no")
    declared = entry(Action.REDECLARE, 3, kept="k")
    again = entry(Action.JUDGE, 4, evidence="f", declared=declared.mark, verdicts=judged.verdicts)
    found = eligibility("small", 3, Stage.STAGING, "d", None, [judged, rejected, declared, again])
    assert not found.holds and found.problems == ("rejected by rita: 'no'",)
