"""`slipway archive`: a version leaves its stage. No gate runs, so no search is imported."""

from dataclasses import dataclass
from typing import Any

from slipway.core.release.transitions import Transition
from slipway.registry.permissions import Operation
from slipway.registry.versions import get_version
from slipway.settings import Settings
from slipway.types import Stage
from slipway.workflows.promotion.registrar import registrar_of
from slipway.workflows.promotion.transition import announced, open_ledger
from slipway.workflows.session import open_client


@dataclass(frozen=True)
class Archived:
    """A version that left its stage. emptied: True when that stage was Production, which holds no version now."""

    transition: Transition
    emptied: bool

    def as_dict(self) -> dict[str, Any]:
        return self.transition.as_dict()

    def __str__(self) -> str:
        return f"{self.transition}; nothing is in Production now" if self.emptied else str(self.transition)


def archive(settings: Settings, name: str, version: int, comment: str = "") -> Archived:
    """Take a version out of its stage. Raises UnknownName, and Refusal when the version is archived already."""
    client = open_client(settings)
    open_ledger(client, name)
    emptied = get_version(client, name, version).stage is Stage.PRODUCTION
    transition = registrar_of(client, settings, Operation.ARCHIVE, name).archive(name, version, comment)
    return Archived(announced(settings, transition), emptied)
