"""`slipway rollback`: the version that was in Production before comes back. No gate runs, so no search is imported."""

from mlflow import MlflowClient

from slipway.core.release.transitions import Transition
from slipway.core.signatures import fit_of_callers
from slipway.progress import note
from slipway.registry.artifacts.signatures import signature_of_version
from slipway.registry.eligibility import live_version
from slipway.registry.ledger import ledger_of
from slipway.registry.permissions import Operation
from slipway.settings import Settings
from slipway.workflows.promotion.registrar import registrar_of
from slipway.workflows.promotion.rollback_target import version_before
from slipway.workflows.promotion.transition import announced
from slipway.workflows.session import open_client


def rollback(settings: Settings, name: str, comment: str = "") -> Transition:
    """Bring back the version that was in Production before the present one. No gate is asked.

    A note beforehand says whether the requests of today's callers fit that version; it holds nothing up.

    Raises Refusal when there is no version to return to.
    """
    client = open_client(settings)
    registrar = registrar_of(client, settings, Operation.ROLLBACK, name)
    if said := _on_callers(client, name):
        note(said)
    return announced(settings, registrar.rollback(name, comment))


def _on_callers(client: MlflowClient, name: str) -> str:
    """Return whether the requests of today's callers fit the version that comes back; empty where that is not known."""
    ledger, live = ledger_of(client, name), live_version(client, name)
    number = version_before(client, ledger) if ledger else None
    if live is None or number is None:
        return ""
    now, before = (signature_of_version(client, name, each) for each in (live, number))
    return fit_of_callers((live, now), (number, before)) if now and before else ""
