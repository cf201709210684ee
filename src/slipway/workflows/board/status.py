"""What the ledger says of one version: since when it lies where it does, by whom, how it was judged, who approved it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from slipway.core.release.transitions import Action, Transition
from slipway.registry.trust import AUTHOR
from slipway.registry.versions import Version
from slipway.reports.board import Approval, VersionStatus
from slipway.types import Stage


def version_status(version: Version, transitions: Iterable[Transition], *, all_of_them: bool = True) -> VersionStatus:
    """Return what a ledger's movements, oldest first, say of a version. all_of_them: there are none before these."""
    all_ = [transition for transition in transitions if transition.complete]
    of_it = [transition for transition in all_ if transition.version == version.number]
    judged = next((m for m in reversed(of_it) if m.verdicts), None)
    came = _came(version, all_)
    told = all_of_them or (judged is not None and (came is not None or version.stage is Stage.NONE))
    return VersionStatus(
        number=version.number,
        since=came.at if came else registered(version) if version.stage is Stage.NONE else None,
        by=came.by if came else author_of(version) if version.stage is Stage.NONE else "",
        passed=judged.passed if judged else None,
        judged=judged.stage if judged else None,
        approvals=approvals(of_it),
        told=told,
    )


def approvals(of_it: Sequence[Transition]) -> tuple[Approval, ...]:
    """Return the approvals of a version, newest first. of_it: its movements, oldest first."""
    newest = {m.stage: m.evidence for m in of_it if m.evidence and m.action is not Action.APPROVE}
    given = [m for m in reversed(of_it) if m.action is Action.APPROVE]
    return tuple(
        Approval(m.by, m.at, m.stage, m.comment, m.evidence != newest.get(m.stage, m.evidence), m.overrides)
        for m in given
    )


def registered(version: Version) -> datetime:
    return datetime.fromtimestamp(version.created_ms / 1000, UTC)


def author_of(version: Version) -> str:
    return version.tags.get(AUTHOR, "")


def _came(version: Version, transitions: Sequence[Transition]) -> Transition | None:
    """The movement that put a version where it lies: its own, or that which took its place and archived it."""
    for transition in reversed(transitions):
        if not transition.action.moves:
            continue
        if transition.version == version.number:
            return transition if transition.stage is version.stage else None
        if transition.replaced == version.number and version.stage is Stage.ARCHIVED:
            return transition
    return None
