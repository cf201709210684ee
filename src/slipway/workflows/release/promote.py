"""`slipway promote`: a version moves to a stage, if it passes the gates before that stage."""

from collections.abc import Sequence

from slipway.core.release.transitions import Transition
from slipway.errors import Refusal
from slipway.progress import note, step
from slipway.registry.permissions import Operation
from slipway.registry.same_model import is_same, same_among, same_words
from slipway.registry.versions import Version, get_version, list_versions
from slipway.settings import Settings
from slipway.types import HELD_STAGES, Stage
from slipway.workflows.promotion.gather import gathered
from slipway.workflows.promotion.registrar import judging_gathered, registrar_of, require_movable
from slipway.workflows.promotion.transition import announced, open_ledger
from slipway.workflows.session import open_client


def promote(
    settings: Settings, name: str, version: int, stage: Stage, comment: str = "", *, force: bool = False
) -> Transition:
    """Run the gates before a stage and move the version there; the version that held the stage is archived.

    force: promote a version to Production that is the same model as the version there, which moves nothing for callers.

    Raises PromotionRefused with every verdict when one gate fails: nothing is moved, and the ledger keeps the refusal. Raises
    Refusal when another version came into Production while the gates ran, since they compared with the former one.
    """
    client = open_client(settings)
    open_ledger(client, name)  # before the work: is it registered?
    challenger = get_version(client, name, version)
    require_movable(challenger, stage)
    registrar = registrar_of(client, settings, Operation.PROMOTE, name)
    versions = list_versions(client, name)
    if stage is Stage.PRODUCTION and not force:
        _require_another_model(challenger, versions)
    if same := same_among(challenger, versions):
        note(same_words(same))
    if stage not in HELD_STAGES:
        return announced(settings, registrar.promote(name, version, stage, comment))
    with gathered(client, settings, challenger, stage) as evidence, step(f"gates before {stage}"):
        return announced(
            settings, judging_gathered(registrar, evidence).promote(name, version, stage, comment, evidence.bundle)
        )


def _require_another_model(challenger: Version, versions: Sequence[Version]) -> None:
    """Raise Refusal for a version that is the same model as the one in Production."""
    for live in versions:
        if live.stage is Stage.PRODUCTION and is_same(challenger, live):
            raise Refusal(
                f"{challenger.name} version {challenger.number} is the same model as version {live.number} in Production (the "
                "same files, or the same answer to every test row), so a promotion moves nothing for callers; nothing was "
                "moved. --force promotes it all the same"
            )
