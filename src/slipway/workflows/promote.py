"""`slipway promote`, `rollback`, `archive`: movements through the stages, each with its reasons, each written down."""

from dataclasses import dataclass
from typing import Any

from slipway.core.movements import Movement
from slipway.progress import step
from slipway.registry.copies import tell_moved
from slipway.registry.rights import Deed
from slipway.registry.versions import get_version
from slipway.settings import Settings
from slipway.tracking.client import connect
from slipway.types import Stage
from slipway.workflows.gathering import gather
from slipway.workflows.movement import open_ledger
from slipway.workflows.platform import resolve_tracking_uri
from slipway.workflows.registrar import GATED, registrar_of, require_movable


@dataclass(frozen=True)
class Archived:
    """A version that was taken out of its stage. emptied: whether it was live, so that Production is empty now."""

    movement: Movement
    emptied: bool

    def as_dict(self) -> dict[str, Any]:
        return self.movement.as_dict()

    def __str__(self) -> str:
        return f"{self.movement}; nothing is in Production now" if self.emptied else str(self.movement)


def promote(settings: Settings, name: str, version: int, stage: Stage, comment: str = "") -> Movement:
    """Run the gates that stand before a stage and move the version there; what held the stage is archived.

    Raises PromotionRefused with every verdict when one gate fails: nothing is moved, and the refusal is written down. Raises
    Refusal when something else came into Production while the gates were asked: they compared with another version.
    """
    client = connect(resolve_tracking_uri(settings))
    open_ledger(client, name)  # before the work: is it registered?
    wanted = get_version(client, name, version)
    require_movable(wanted, stage)
    registrar = registrar_of(client, settings, Deed.PROMOTE, name)
    if stage not in GATED:
        return _told(settings, registrar.promote(name, version, stage, comment))
    case = gather(client, settings, wanted, stage)
    with step(f"gates before {stage}"):
        return _told(settings, registrar.promote(name, version, stage, comment, case))


def rollback(settings: Settings, name: str, comment: str = "") -> Movement:
    """Bring back the version that was in Production before the present one. No gate stands in the way of that.

    Raises Refusal when there is none to return to.
    """
    client = connect(resolve_tracking_uri(settings))
    return _told(settings, registrar_of(client, settings, Deed.ROLLBACK, name).rollback(name, comment))


def archive(settings: Settings, name: str, version: int, comment: str = "") -> Archived:
    """Take a version out of its stage."""
    client = connect(resolve_tracking_uri(settings))
    open_ledger(client, name)
    emptied = get_version(client, name, version).stage is Stage.PRODUCTION
    movement = registrar_of(client, settings, Deed.ARCHIVE, name).archive(name, version, comment)
    return Archived(_told(settings, movement), emptied)


def _told(settings: Settings, movement: Movement) -> Movement:
    """Let the services on this machine look at once; those elsewhere see it within a second."""
    tell_moved(settings.home, movement.name)
    return movement
