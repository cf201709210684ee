"""Whether a version may move, by what the ledger says of it."""

from mlflow import MlflowClient

from slipway.core.judgement import Standing
from slipway.core.judgement import standing as standing_of
from slipway.core.movements import Movement
from slipway.registry.ledger import Ledger
from slipway.registry.stages import holder
from slipway.registry.trust import DIGEST
from slipway.registry.versions import Version
from slipway.types import Stage


def standing(
    client: MlflowClient, ledger: Ledger, version: Version, stage: Stage, fresh: Movement | None = None
) -> Standing:
    """Return whether a version may move to Staging or Production. fresh: a judgement that is in no ledger yet."""
    where = f"tags.`slipway.version` = '{version.number}' and tags.`slipway.stage` = '{stage}'"
    told = [entry.movement for entry in ledger.entries(where=where)]
    live = live_version(client, version.name)
    entries = [*told, *([fresh] if fresh else [])]
    return standing_of(version.name, version.number, stage, version.tags.get(DIGEST, ""), live, entries)


def live_version(client: MlflowClient, name: str) -> int | None:
    """Return the version in Production; None when nothing is."""
    live = holder(client, name, Stage.PRODUCTION)
    return int(live.version) if live else None
