"""A reviewer overrides a gate whose champion knows nearly all of the rows: by name, with a reason, in the ledger."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from mlflow import MlflowClient

from slipway.core.release.transitions import Action, Transition
from slipway.core.spec import Experiment
from slipway.errors import PromotionRefused, Refusal
from slipway.registry.history import history_of, verified
from slipway.registry.trust import AUTHOR, DIGEST
from slipway.registry.versions import get_version
from slipway.types import Stage, Verdict
from slipway.workflows.board.status import version_status
from slipway.workflows.promotion.registrar import LocalRegistrar
from slipway.workflows.promotion.transition import make, moving, open_ledger, transition_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"),
]
GATE, WHY = "not_worse_than_champion", "it saw the other hours of these days"
TOO_FEW = Verdict(GATE, False, "roc_auc is worse by 0.02", {"unseen": 7.0})


@pytest.fixture
def client(
    store: MlflowClient, tested_run: Callable[..., tuple[str, dict[str, str]]], declare: Callable[..., Experiment]
) -> MlflowClient:
    """A store with version 1 of ana, which keeps the rows that it was tested on."""
    run, evidence = tested_run(declare())
    store.create_registered_model("small")
    store.create_model_version("small", "s3://models/1", run, tags={DIGEST: "digest", AUTHOR: "ana", **evidence})
    return store


def judge(client: MlflowClient, *verdicts: Verdict) -> None:
    ledger = open_ledger(client, "small")
    with moving(client, ledger):
        version = get_version(client, "small", 1)
        ledger.write(
            transition_of(client, "ci", version, Action.JUDGE, Stage.PRODUCTION, "", verdicts, evidence="rows"), {}
        )


def approve(client: MlflowClient, by: str, *overrides: str) -> Transition:
    return LocalRegistrar(client, by).approve("small", 1, Stage.PRODUCTION, WHY, overrides)


def test_an_override_opens_the_stage_and_stands_in_verdict_history_and_board(client: MlflowClient) -> None:
    judge(client, Verdict("thresholds", True, "fine"), TOO_FEW)
    with pytest.raises(PromotionRefused, match="worse by"):
        LocalRegistrar(client, "pia").promote("small", 1, Stage.PRODUCTION, "")
    with pytest.raises(Refusal, match="ana is the author"):
        approve(client, "ana", GATE)
    with pytest.raises(Refusal, match=f"--override {GATE}"):
        approve(client, "rita")
    assert approve(client, "rita", GATE).overrides == (GATE,)
    made = LocalRegistrar(client, "pia").promote("small", 1, Stage.PRODUCTION, "")
    said = {verdict.gate: verdict for verdict in made.verdicts}[GATE]
    assert said.passed and said.reason == f"overridden by rita, '{WHY}': roc_auc is worse by 0.02"
    ledger = open_ledger(client, "small")
    history = str(history_of(client, ledger))
    assert f"version 1 approved for Production, overriding {GATE}, by rita — {WHY}" in history
    assert f"✓ {GATE}: overridden by rita" in history
    (approval,) = version_status(get_version(client, "small", 1), ledger.transitions()).approvals
    assert (approval.by, approval.overrides, approval.comment) == ("rita", (GATE,), WHY)
    assert verified(client, ledger).findings == ()


def test_after_a_refusal_beside_a_champion_an_override_opens_the_stage_without_another_judgement(
    client: MlflowClient,
) -> None:
    version = get_version(client, "small", 1)
    client.create_model_version("small", "s3://models/2", version.run_id, tags=dict(version.tags))
    ledger, live = open_ledger(client, "small"), get_version(client, "small", 2)
    with moving(client, ledger):
        make(client, ledger, transition_of(client, "pia", live, Action.PROMOTE, Stage.PRODUCTION, ""))
        judged = transition_of(client, "ci", version, Action.JUDGE, Stage.PRODUCTION, "", (TOO_FEW,), evidence="rows")
        ledger.write(replace(judged, replaced=2), {})
    for _ in range(2):
        with pytest.raises(PromotionRefused) as refused:
            LocalRegistrar(client, "pia").promote("small", 1, Stage.PRODUCTION, "")
        assert [verdict.gate for verdict in refused.value.verdicts] == [GATE], "the judgement is not stale"
    approve(client, "rita", GATE)
    assert LocalRegistrar(client, "pia").promote("small", 1, Stage.PRODUCTION, "").replaced == 2


def test_no_other_gate_is_overridden(client: MlflowClient) -> None:
    judge(client, Verdict("thresholds", False, "too low", {"unseen": 1.0}), TOO_FEW)
    with pytest.raises(Refusal, match="thresholds cannot be overridden"):
        approve(client, "rita", GATE, "thresholds")
    with pytest.raises(Refusal, match="too low"):
        approve(client, "rita", GATE)
