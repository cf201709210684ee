"""Whether a version may move, by what the ledger says of it."""

from mlflow import MlflowClient

from slipway.core.release.judgement import Eligibility
from slipway.core.release.judgement import eligibility as standing_of
from slipway.core.release.transitions import ServedBeside, Transition
from slipway.registry.ledger import MADE, Ledger, ledger_of
from slipway.registry.stages import holder
from slipway.registry.trust import DIGEST
from slipway.registry.versions import Version, list_versions
from slipway.types import Stage


def eligibility(
    client: MlflowClient, ledger: Ledger, version: Version, stage: Stage, fresh: Transition | None = None
) -> Eligibility:
    """Return whether a version may move to Staging or Production. fresh: a judgement that is in no ledger yet."""
    where = f"tags.`slipway.version` = '{version.number}' and tags.`slipway.stage` = '{stage}'"
    told = [entry.transition for entry in ledger.entries(where=where)]
    served = served_beside(client, version.name, version.number)
    entries = [*told, *([fresh] if fresh else [])]
    return standing_of(version.name, version.number, stage, version.tags.get(DIGEST, ""), served, entries)


def served_beside(client: MlflowClient, name: str, version: int) -> ServedBeside | None:
    """Return what a version has to be compared with before Production; None when nothing was ever there but itself.

    That Production was emptied changes nothing of it: otherwise who cannot beat a champion would take it out first.
    """
    if live := live_version(client, name):
        return ServedBeside(live)
    last = _last_in_production(client, name)
    if last in (None, version) or last not in {each.number for each in list_versions(client, name)}:
        return None
    return ServedBeside(last, live=False)


def _last_in_production(client: MlflowClient, name: str) -> int | None:
    ledger = ledger_of(client, name)
    if ledger is None:
        return None
    there = f"{MADE} and tags.`slipway.stage` = '{Stage.PRODUCTION}'"
    came = ledger.transitions(1, there)
    return came[0].version if came else None


def live_version(client: MlflowClient, name: str) -> int | None:
    """Return the version in Production; None when nothing is."""
    live = holder(client, name, Stage.PRODUCTION)
    return int(live.version) if live else None
