"""`slipway approve`, `slipway reject`, `slipway comment`: what a reviewer decides on a version, and says of it."""

from slipway.core.release.transitions import Transition
from slipway.registry.permissions import Operation
from slipway.settings import Settings
from slipway.types import Stage
from slipway.workflows.promotion.registrar import registrar_of
from slipway.workflows.session import open_client


def approve(
    settings: Settings,
    name: str,
    version: int,
    comment: str,
    stage: Stage = Stage.PRODUCTION,
    overrides: tuple[str, ...] = (),
) -> Transition:
    """Approve the newest judgement of a version, as somebody other than the version's author.

    Args:
        settings: the tracking server and the user.
        name: the registered model.
        version: the version's number.
        comment: the reason; it may not be empty.
        stage: the stage that the judgement is for.
        overrides: gates that had too few rows to compare with the version in Production; the comment stands in for them.

    Raises Refusal when the judgement does not pass, when the caller is the version's author, or is not among the approvers.
    """
    client = open_client(settings)
    return registrar_of(client, settings, Operation.APPROVE, name).approve(name, version, stage, comment, overrides)


def reject(settings: Settings, name: str, version: int, comment: str, stage: Stage = Stage.PRODUCTION) -> Transition:
    """Reject the newest judgement of a version; its author may, too, and withdraws the version so.

    Arguments as for `approve`. Raises UnknownName, and Refusal when nothing was judged, when the version is in the stage
    already, or when the same person rejected the same evidence before.
    """
    client = open_client(settings)
    return registrar_of(client, settings, Operation.REJECT, name).reject(name, version, stage, comment)


def comment(settings: Settings, name: str, version: int, text: str) -> Transition:
    """Write a comment on a version to the ledger. Raises UnknownName, and Refusal for a comment without text."""
    client = open_client(settings)
    return registrar_of(client, settings, Operation.COMMENT, name).comment(name, version, text)
