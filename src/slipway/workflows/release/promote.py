"""`slipway promote`: a version moves to a stage, if it passes the gates before that stage."""

from slipway.core.release.transitions import Transition
from slipway.progress import note, step
from slipway.registry.permissions import Operation
from slipway.registry.same_model import same_model, same_words
from slipway.registry.versions import get_version
from slipway.settings import Settings
from slipway.types import HELD_STAGES, Stage
from slipway.workflows.promotion.gather import gathered
from slipway.workflows.promotion.registrar import judging_gathered, registrar_of, require_movable
from slipway.workflows.promotion.transition import announced, open_ledger
from slipway.workflows.session import open_client


def promote(settings: Settings, name: str, version: int, stage: Stage, comment: str = "") -> Transition:
    """Run the gates before a stage and move the version there; the version that held the stage is archived.

    Raises PromotionRefused with every verdict when one gate fails: nothing is moved, and the ledger keeps the refusal. Raises
    Refusal when another version came into Production while the gates ran, since they compared with the former one.
    """
    client = open_client(settings)
    open_ledger(client, name)  # before the work: is it registered?
    challenger = get_version(client, name, version)
    require_movable(challenger, stage)
    registrar = registrar_of(client, settings, Operation.PROMOTE, name)
    if same := same_model(client, challenger):
        note(same_words(same))
    if stage not in HELD_STAGES:
        return announced(settings, registrar.promote(name, version, stage, comment))
    with gathered(client, settings, challenger, stage) as evidence, step(f"gates before {stage}"):
        return announced(
            settings, judging_gathered(registrar, evidence).promote(name, version, stage, comment, evidence.bundle)
        )
