"""`slipway rollback`: the version that was in Production before comes back. No gate runs, so no search is imported."""

from slipway.core.release.transitions import Transition
from slipway.registry.permissions import Operation
from slipway.settings import Settings
from slipway.workflows.promotion.registrar import registrar_of
from slipway.workflows.promotion.transition import announced
from slipway.workflows.session import open_client


def rollback(settings: Settings, name: str, comment: str = "") -> Transition:
    """Bring back the version that was in Production before the present one. No gate is asked.

    Raises Refusal when there is no version to return to.
    """
    client = open_client(settings)
    return announced(settings, registrar_of(client, settings, Operation.ROLLBACK, name).rollback(name, comment))
