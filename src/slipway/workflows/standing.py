"""STUB until the core is in main."""

from dataclasses import dataclass

from mlflow import MlflowClient

from slipway.core.movements import Action, Movement
from slipway.registry.ledger import Ledger
from slipway.registry.trust import DIGEST
from slipway.registry.stages import holder
from slipway.registry.versions import Version
from slipway.types import Stage


@dataclass(frozen=True)
class Standing:
    name: str
    version: int
    stage: Stage
    judgement: Movement | None
    approvals: tuple[Movement, ...]
    missing: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.missing


def standing(client: MlflowClient, ledger: Ledger, version: Version, stage: Stage) -> Standing:
    of_it = f"tags.`slipway.version` = '{version.number}' and tags.`slipway.stage` = '{stage}'"
    found = ledger.entries(1, f"{of_it} and tags.`slipway.action` = '{Action.JUDGE}'")
    judged = found[0].movement if found else None
    missing = []
    if judged is None:
        missing.append(f"it was not judged for {stage}: slipway gates {version.name} {version.number}")
    else:
        if not all(v.passed for v in judged.verdicts):
            missing.append("its gates did not pass")
        if judged.digest != version.tags.get(DIGEST):
            missing.append("what was judged were other files")
        live = holder(client, version.name, Stage.PRODUCTION)
        if judged.replaced != (int(live.version) if live else None):
            missing.append("it was compared with another version than the one in Production")
    return Standing(version.name, version.number, stage, judged, (), tuple(missing))
