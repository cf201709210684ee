"""`slipway promote`: a version goes to a stage, if the gates before it let it."""

from slipway.core.release.transitions import Transition
from slipway.progress import step
from slipway.registry.permissions import Operation
from slipway.registry.versions import get_version
from slipway.settings import Settings
from slipway.tracking.client import connect
from slipway.types import HELD_STAGES, Stage
from slipway.workflows.promotion.gather import gathered
from slipway.workflows.promotion.registrar import by_case, registrar_of, require_movable
from slipway.workflows.promotion.transition import announced, open_ledger
from slipway.workflows.session import resolve_tracking_uri


def promote(settings: Settings, name: str, version: int, stage: Stage, comment: str = "") -> Transition:
    """Run the gates that stand before a stage and move the version there; what held the stage is archived.

    Raises PromotionRefused with every verdict when one gate fails: nothing is moved, and the refusal is written down. Raises
    Refusal when something else came into Production while the gates were asked: they compared with another version.
    """
    client = connect(resolve_tracking_uri(settings))
    open_ledger(client, name)  # before the work: is it registered?
    wanted = get_version(client, name, version)
    require_movable(wanted, stage)
    registrar = registrar_of(client, settings, Operation.PROMOTE, name)
    if stage not in HELD_STAGES:
        return announced(settings, registrar.promote(name, version, stage, comment))
    with gathered(client, settings, wanted, stage) as found, step(f"gates before {stage}"):
        return announced(settings, by_case(registrar, found).promote(name, version, stage, comment, found.bundle))
