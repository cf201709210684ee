"""The model `small` with versions of given declarations, and people who release them; nothing is trained."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from mlflow import MlflowClient
from mlflow.models import Model

from slipway.core.release.people import Staff
from slipway.core.release.transitions import Action, Transition
from slipway.core.spec import Experiment
from slipway.core.statistics.metrics import Outcome
from slipway.registry.artifacts.models import signature_of
from slipway.registry.demands.redeclaration import declared_now
from slipway.registry.evidence.bundle import EvidenceBundle
from slipway.registry.evidence.rescoring import verified_rows
from slipway.registry.trust import AUTHOR, DIGEST, MADE_BY
from slipway.registry.versions import get_version
from slipway.types import Stage, UserRole, Verdict
from slipway.workflows.promotion.judged_inputs import Gathered, JudgedInputs
from slipway.workflows.promotion.registrar import LocalRegistrar
from slipway.workflows.promotion.rule import rule_of
from slipway.workflows.promotion.transition import make, moving, open_ledger, transition_of

ASKED = {"thresholds": {"roc_auc": 0.7}, "approval": {"number": 1}}
WEAK = {"thresholds": {"roc_auc": 0.01}}
POLICY = "gates:\n  thresholds: {roc_auc: 0.7}\n  approval: {number: 1}\n"
PROOF = {"goal": "Say it.", "owner": "us@example.com"}
RIPE = {**PROOF, "decision": "Do it.", "maturity": "mvp"}
WHY = "as agreed"
STAFF = {
    "ana": UserRole.AUTHOR,
    "ben": UserRole.APPROVER,
    "cleo": UserRole.APPROVER,
    "pia": UserRole.PROMOTER,
    "rita": UserRole.PROMOTER,
    "root": UserRole.ADMIN,
}
"""The users of a server, each with the role for the model `small`."""


class Releases:
    """The model `small`: versions of declarations, which answer their test rows rightly, and people who release them."""

    def __init__(self, store: MlflowClient, tested_run: Any, declare: Callable[..., Experiment], folder: Path) -> None:
        self.store = store
        self._tested_run = tested_run
        self._declare = declare
        self._folder = folder
        store.create_registered_model("small")

    def by(self, who: str, *, staff: Staff | None = None) -> LocalRegistrar:
        """Return the registrar of a person. staff: the users with their roles; None where nobody has to log in."""
        return LocalRegistrar(self.store, who, staff=None if staff is None else lambda _: staff)

    def version(self, author: str = "ana", made_by: str = "", **declared: Any) -> int:
        run, evidence = self._tested_run(self._declare(**{"scope": PROOF, **declared}))
        tags = {DIGEST: "digest", AUTHOR: author, MADE_BY: made_by, **evidence}
        return int(self.store.create_model_version("small", f"file://{self._folder}/gone", run, tags=tags).version)

    def live(self, number: int) -> None:
        """Put a version into Production, as if its judgement stood."""
        ledger, version = open_ledger(self.store, "small"), get_version(self.store, "small", number)
        with moving(self.store, ledger):
            make(self.store, ledger, transition_of(self.store, "pia", version, Action.PROMOTE, Stage.PRODUCTION, ""))

    def gathered(self, number: int, stage: Stage = Stage.PRODUCTION) -> Gathered:
        """Return what `gather` would, without files: those of the version are stored nowhere."""
        version, made = (
            get_version(self.store, "small", number),
            self._folder / f"{number} {len(list(self._folder.iterdir()))}",
        )
        files = made / "files"
        files.mkdir(parents=True)
        (made / "rows").mkdir()
        rows, digest = verified_rows(self.store, version, made / "rows")
        Model(signature=signature_of(rows.experiment, rows.experiment.data.features)).save(str(files / "MLmodel"))
        rule = rule_of(self.store, "small", number)
        now = declared_now(open_ledger(self.store, "small"), number, rows.experiment)
        held = replace(rows, experiment=rule.held(now.experiment))
        truth = np.arange(8) % 2 * 1.0
        outcome = Outcome(truth, truth, 0.1 + 0.8 * truth, True)
        bundle = EvidenceBundle("small", number, stage, "digest", outcome)
        inputs = JudgedInputs(
            version, files, held, digest, now.experiment, rule, mark=now.mark, redeclared_by=now.people
        )
        if rule.floor and stage is Stage.PRODUCTION:
            champion = get_version(self.store, "small", rule.floor.served.version)
            inputs = replace(inputs, champion=champion, champion_files=files)
            bundle = replace(bundle, champion_version=(champion.number, "digest"), champion=outcome)
        return Gathered(bundle, inputs)

    def judge(self, number: int, *, verified: bool = False, stage: Stage = Stage.PRODUCTION) -> Transition:
        gathered = self.gathered(number, stage)
        registrar = LocalRegistrar(self.store, "pia", gathered, staff=(lambda _: STAFF) if verified else None)
        return registrar.judge("small", gathered.bundle)

    def promote(self, number: int, who: str = "pia") -> Transition:
        return self.by(who).promote("small", number, Stage.PRODUCTION, "")

    def approve(self, number: int, who: str, *overrides: str) -> Transition:
        return self.by(who).approve("small", number, Stage.PRODUCTION, WHY, overrides)


def on_policy(judgement: Transition) -> Verdict:
    return next(verdict for verdict in judgement.verdicts if verdict.gate == "policy")
