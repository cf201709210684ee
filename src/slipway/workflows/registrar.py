"""STUB until the core is in main."""

from typing import Protocol

from mlflow import MlflowClient

from slipway.core.movements import Action, Movement, before_production
from slipway.errors import PromotionRefused, Refusal
from slipway.identity import process_tags
from slipway.registry.case import Case
from slipway.registry.ledger import Ledger, now_ms
from slipway.registry.stages import holder
from slipway.registry.trust import DIGEST
from slipway.registry.versions import Version, get_version
from slipway.types import Stage, Verdict
from slipway.workflows.movement import make, moving, open_ledger
from slipway.workflows.standing import standing


class Registrar(Protocol):
    def judge(self, name: str, case: Case) -> Movement: ...
    def approve(self, name: str, version: int, stage: Stage, comment: str) -> Movement: ...
    def promote(self, name: str, version: int, stage: Stage, comment: str) -> Movement: ...
    def rollback(self, name: str, comment: str) -> Movement: ...
    def archive(self, name: str, version: int, comment: str) -> Movement: ...


class LocalRegistrar:
    def __init__(self, client: MlflowClient, by: str) -> None:
        self._client, self._by = client, by

    def _movement(self, version: Version, action: Action, stage: Stage, comment: str, verdicts: tuple[Verdict, ...] = ()) -> Movement:
        held = holder(self._client, version.name, stage) if (action.moves or action is Action.JUDGE) and stage in (Stage.STAGING, Stage.PRODUCTION) else None
        return Movement(
            version.name, action, version.number, stage, self._by, now_ms(), int(held.version) if held else None, comment,
            verdicts, digest=version.tags.get(DIGEST, ""),
        )

    def judge(self, name: str, case: Case) -> Movement:
        ledger = open_ledger(self._client, name)
        with moving(self._client, ledger):
            judged = self._movement(get_version(self._client, name, 2), Action.JUDGE, Stage.PRODUCTION, "", (Verdict("stub", True, "said so"),))
            ledger.write(judged, process_tags())
        return judged

    def approve(self, name: str, version: int, stage: Stage, comment: str) -> Movement:
        ledger = open_ledger(self._client, name)
        with moving(self._client, ledger):
            approval = self._movement(get_version(self._client, name, version), Action.APPROVE, stage, comment)
            ledger.write(approval, process_tags())
        return approval

    def promote(self, name: str, version: int, stage: Stage, comment: str) -> Movement:
        ledger = open_ledger(self._client, name)
        with moving(self._client, ledger):
            wanted = get_version(self._client, name, version)
            if wanted.stage is stage:
                raise Refusal(f"{name} version {version} is in {stage} already")
            found = standing(self._client, ledger, wanted, stage)
            if not found.holds:
                verdicts = tuple(Verdict("standing", False, why) for why in found.missing)
                ledger.write(self._movement(wanted, Action.REFUSE, stage, comment, verdicts), process_tags())
                raise PromotionRefused(name, version, stage, verdicts)
            return make(self._client, ledger, self._movement(wanted, Action.PROMOTE, stage, comment))

    def rollback(self, name: str, comment: str) -> Movement:
        ledger = open_ledger(self._client, name)
        with moving(self._client, ledger):
            number = before_production(ledger.movements())
            if number is None:
                raise Refusal(f"there is no version of {name} that was in Production before; nothing was moved")
            return make(self._client, ledger, self._movement(get_version(self._client, name, number), Action.ROLLBACK, Stage.PRODUCTION, comment))

    def archive(self, name: str, version: int, comment: str) -> Movement:
        ledger = open_ledger(self._client, name)
        with moving(self._client, ledger):
            wanted = get_version(self._client, name, version)
            if wanted.stage is Stage.ARCHIVED:
                raise Refusal(f"{name} version {version} is archived already")
            return make(self._client, ledger, self._movement(wanted, Action.ARCHIVE, Stage.ARCHIVED, comment))
