"""STUB until the core is in main."""

from mlflow import MlflowClient

from slipway.core import judgement
from slipway.core.judgement import Standing
from slipway.registry.ledger import Ledger
from slipway.registry.stages import holder
from slipway.registry.trust import DIGEST
from slipway.registry.versions import Version
from slipway.types import Stage


def standing(client: MlflowClient, ledger: Ledger, version: Version, stage: Stage) -> Standing:
    live = holder(client, version.name, Stage.PRODUCTION)
    digest, now = version.tags.get(DIGEST, ""), int(live.version) if live else None
    return judgement.standing(version.name, version.number, stage, digest, now, ledger.movements())
