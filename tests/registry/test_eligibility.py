"""The eligibility that is read by few filtered questions is the one of the whole ledger."""

import itertools
import random
import shutil
from pathlib import Path

import pytest

from slipway.core.release.judgement import eligibility as by_all_entries
from slipway.core.release.transitions import Action, Transition
from slipway.registry.eligibility import deciding_entries, eligibility, served_beside
from slipway.registry.ledger import Ledger
from slipway.registry.trust import DIGEST
from slipway.registry.versions import get_version
from slipway.tracking.client import connect
from slipway.types import Stage, Verdict

pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"),
    pytest.mark.slow,  # it writes a ledger
]


# The judgements with the evidence G differ from those with the other two in their policy, and go by one that was replaced.
POLICY_OF = {"": "", "E": "", "F": "", "G": "replaced"}


def test_the_deciding_entries_decide_as_all_entries_do(migrated_database: Path, tmp_path: Path) -> None:
    client = connect(f"sqlite:///{shutil.copy(migrated_database, tmp_path / 'mlflow.db')}")
    client.create_registered_model("small")
    client.create_model_version("small", "mlflow-artifacts:/0/none", tags={DIGEST: "d"})
    made = client.create_experiment("small/promotions", artifact_location=str(tmp_path / "ledger"))
    ledger, version, drawn = Ledger(client, "small", made), get_version(client, "small", 1), random.Random(1)
    assert eligibility(client, ledger, version, Stage.PRODUCTION).judgement is None
    decided = set()
    for at in itertools.count(1):
        action = drawn.choice([Action.JUDGE, Action.REFUSE, Action.APPROVE, Action.REJECT, Action.COMMENT])
        evidence = "" if action is Action.COMMENT else drawn.choice("EFG")
        verdicts = (Verdict("thresholds", drawn.random() < 0.8, "so"),) if action.judges else ()
        stage, by = drawn.choice([Stage.PRODUCTION, Stage.PRODUCTION, Stage.STAGING]), drawn.choice("ab")
        ledger.write(
            Transition(
                "small",
                action,
                1,
                stage,
                by,
                at,
                verdicts=verdicts,
                digest="d",
                evidence=evidence,
                policy=POLICY_OF[evidence],
            ),
            {},
        )
        whole = ledger.transitions()
        for each in (Stage.STAGING, Stage.PRODUCTION):
            found = eligibility(client, ledger, version, each)
            served = served_beside(client, "small", 1)
            assert found == by_all_entries("small", 1, each, "d", served, whole, ""), whole
            decided.add((found.holds, bool(found.rejections)))
        if at >= 25:
            break
    assert decided >= {(True, False), (False, True), (False, False)}
    assert len(deciding_entries(ledger, 1, Stage.PRODUCTION)) < len(whole)
