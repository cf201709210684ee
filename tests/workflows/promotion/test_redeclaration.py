"""A version is declared again: the ledger keeps it, verdicts and approvals expire, and nobody loosens a gate alone."""

from collections.abc import Callable

import pytest
from mlflow import MlflowClient
from tests.helpers.releases import ASKED, PROOF, WHY, Releases, on_policy

from slipway.core.release.redeclaration import release_part
from slipway.core.release.transitions import Action
from slipway.core.spec import Experiment
from slipway.errors import PromotionRefused, Refusal
from slipway.registry.history import history_of, verified
from slipway.registry.ledger import EVIDENCE
from slipway.types import Stage
from slipway.workflows.promotion.transition import open_ledger

pytestmark = [
    pytest.mark.slow,  # the file, more than each of its tests
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"),
]


@pytest.fixture
def text(declare: Callable[..., Experiment]) -> Callable[..., str]:
    """Return a function that gives the text of a release part by sections of experiment.yaml."""
    return lambda **declared: release_part(declare(**{"scope": PROOF, **declared})).to_text()


def test_approvals_of_before_no_longer_count_and_the_new_declaration_is_judged(
    releases: Releases, text: Callable[..., str], store: MlflowClient
) -> None:
    number = releases.version(gates=ASKED)
    releases.judge(number)
    releases.approve(number, "rita")
    entry = releases.by("edi").redeclare("small", number, text(gates={**ASKED, "thresholds": {"roc_auc": 0.9}}), WHY)
    assert entry.action is Action.REDECLARE and "gates.thresholds.roc_auc: 0.7 → 0.9" in entry.verdicts[0].reason
    with pytest.raises(PromotionRefused, match="declared again since"):
        releases.promote(number)
    judged = releases.judge(number)
    assert judged.declared == entry.mark
    with pytest.raises(PromotionRefused, match="nobody has approved this evidence"):
        releases.promote(number)
    with pytest.raises(Refusal, match="edi declared version 1 again: somebody else has to approve it"):
        releases.approve(number, "edi")
    releases.approve(number, "rita")
    assert releases.promote(number).declared == entry.mark
    ledger = open_ledger(store, "small")
    assert verified(store, ledger).findings == ()
    assert "version 1 declared again" in str(history_of(store, ledger, 100))


def test_a_version_declared_weaker_than_the_champion_does_not_pass_the_gate_policy(
    releases: Releases, text: Callable[..., str]
) -> None:
    releases.live(releases.version(gates=ASKED))
    number = releases.version(gates=ASKED)
    releases.by("ana").redeclare("small", number, text(gates={"thresholds": {"roc_auc": 0.1}}), WHY)
    verdict = on_policy(releases.judge(number))
    assert not verdict.passed and "roc_auc 0.7 → 0.1" in verdict.reason and "gates.approval" in verdict.reason
    with pytest.raises(Refusal, match="ana is the author of version 2"):
        releases.approve(number, "ana", "policy")


def test_a_champion_declared_weaker_in_production_holds_the_next_version_all_the_same(
    releases: Releases, text: Callable[..., str]
) -> None:
    champion = releases.version(gates=ASKED)
    releases.live(champion)
    weak = {"thresholds": {"roc_auc": 0.1}}
    releases.by("ana").redeclare("small", champion, text(gates=weak), WHY)
    assert not on_policy(releases.judge(releases.version(gates=weak))).passed
    strict = {**ASKED, "thresholds": {"roc_auc": 0.9}}
    releases.by("ana").redeclare("small", champion, text(gates=strict), WHY)
    assert "roc_auc 0.9 → 0.7" in on_policy(releases.judge(releases.version(gates=ASKED))).reason


def test_a_verdict_that_was_gathered_before_the_version_was_declared_again_moves_nothing(
    releases: Releases, text: Callable[..., str], store: MlflowClient
) -> None:
    number = releases.version()
    gathered = releases.gathered(number, Stage.STAGING)
    releases.by("edi").redeclare("small", number, text(gates={"thresholds": {"roc_auc": 0.9}}), WHY)
    registrar = releases.by("pia").with_gathered(gathered)
    with pytest.raises(PromotionRefused, match="declared again since"):
        registrar.promote("small", number, Stage.STAGING, "", gathered.bundle)


def test_what_is_declared_so_already_or_without_a_reason_is_not_written(
    releases: Releases, text: Callable[..., str], store: MlflowClient
) -> None:
    number = releases.version(gates=ASKED)
    with pytest.raises(Refusal, match="version 1 is declared so already; nothing was written"):
        releases.by("edi").redeclare("small", number, text(gates=ASKED), WHY)
    with pytest.raises(Refusal, match="with a reason: give it a comment"):
        releases.by("edi").redeclare("small", number, text(), " \u200b")
    assert open_ledger(store, "small").entries() == []


def test_a_file_that_was_changed_since_counts_for_nothing(
    releases: Releases, text: Callable[..., str], store: MlflowClient
) -> None:
    number = releases.version(gates=ASKED)
    releases.by("edi").redeclare("small", number, text(), WHY)
    ledger = open_ledger(store, "small")
    (entry,) = ledger.entries()
    store.log_text(entry.run_id, "{}", f"{EVIDENCE}/declaration.json")
    with pytest.raises(Refusal, match="is not what was kept"):
        releases.judge(number)
