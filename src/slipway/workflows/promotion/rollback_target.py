"""The version that a rollback returns to, by the ledger."""

from mlflow import MlflowClient

from slipway.core.release.transitions import Action, Transition, before_production
from slipway.registry.eligibility import live_version
from slipway.registry.ledger import MADE, Ledger, now_ms
from slipway.registry.versions import list_versions
from slipway.types import Stage

_READ_FIRST = 100


def version_before(client: MlflowClient, ledger: Ledger) -> int | None:
    """Return the version that a rollback returns to; None for none. Older transitions are read until one names it."""
    live = live_version(client, ledger.name)
    existing = {version.number for version in list_versions(client, ledger.name)}
    most = _READ_FIRST
    while True:
        made = ledger.transitions(most, MADE)
        # The live version may have come there past the ledger: by the UI, or by a script.
        now = [Transition(ledger.name, Action.PROMOTE, live, Stage.PRODUCTION, "", now_ms())] if live else []
        number = before_production([*made, *now], existing)
        if number is not None or len(made) < most:
            return number
        most *= 10
