"""`slipway reconcile`: transitions that were cut off halfway are brought to an end, as any other transition does first."""

from dataclasses import dataclass
from typing import Any

from slipway.core.release.transitions import Transition
from slipway.registry.permissions import Operation
from slipway.settings import Settings
from slipway.workflows.promotion.registrar import registrar_of
from slipway.workflows.session import open_client


@dataclass(frozen=True)
class Reconciled:
    """The transitions that had been cut off, each as it ended; `complete` says whether it had been made."""

    name: str
    ended: tuple[Transition, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "ended": [transition.as_dict() for transition in self.ended]}

    def __str__(self) -> str:
        if not self.ended:
            return f"{self.name}: nothing had been cut off"
        words = {True: "had been made; it is sealed now", False: "had not been made; it is marked so"}
        return "\n".join(f"{self.name}: '{transition}' {words[transition.complete]}" for transition in self.ended)


def reconcile(settings: Settings, name: str) -> Reconciled:
    """Bring stages, aliases and ledger of a model into step. Raises UnknownName when no such model is registered."""
    client = open_client(settings)
    return Reconciled(name, registrar_of(client, settings, Operation.RECONCILE, name).reconcile(name))
