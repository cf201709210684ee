"""The status of one version by its ledger: since when it holds its stage, by whom, how it was judged, who approved it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from slipway.core.release.transitions import Action, Transition
from slipway.registry.trust import AUTHOR
from slipway.registry.versions import Version
from slipway.reports.board import Approval, VersionStatus
from slipway.types import Stage


def version_status(version: Version, transitions: Iterable[Transition]) -> VersionStatus:
    """Return the status of a version by the transitions of its ledger, oldest first."""
    complete = [transition for transition in transitions if transition.complete]
    of_it = [transition for transition in complete if transition.version == version.number]
    judged = next((m for m in reversed(of_it) if m.action.judges and m.verdicts), None)
    came = transition_into(version, complete)
    return VersionStatus(
        number=version.number,
        since=came.at if came else registered(version) if version.stage is Stage.NONE else None,
        by=came.by if came else author_of(version) if version.stage is Stage.NONE else "",
        passed=judged.passed if judged else None,
        judged=judged.stage if judged else None,
        approvals=approvals(of_it),
    )


def approvals(of_it: Sequence[Transition]) -> tuple[Approval, ...]:
    """Return the approvals of a version, newest first. of_it: the version's transitions, oldest first."""
    newest = {m.stage: m.evidence for m in of_it if m.evidence and m.action.judges}
    given: list[Approval] = []
    rejected: set[tuple[Stage, str]] = set()
    for m in reversed(of_it):
        if m.action is Action.REJECT:
            rejected.add((m.stage, m.evidence))
        elif m.action is Action.APPROVE:
            expired = m.evidence != newest.get(m.stage, m.evidence)
            overruled = (m.stage, m.evidence) in rejected
            given.append(Approval(m.by, m.at, m.stage, m.comment, expired, m.overrides, overruled))
    return tuple(given)


def registered(version: Version) -> datetime:
    """Return the time at which a version was registered."""
    return datetime.fromtimestamp(version.created_ms / 1000, UTC)


def author_of(version: Version) -> str:
    """Return the user who trained a version; empty where that is not known."""
    return version.tags.get(AUTHOR, "")


def transition_into(version: Version, transitions: Sequence[Transition]) -> Transition | None:
    """Return the transition that put a version into its stage: its own, or that of the version which replaced it."""
    for transition in reversed(transitions):
        if not transition.action.moves:
            continue
        if transition.version == version.number:
            return transition if transition.stage is version.stage else None
        if transition.replaced == version.number and version.stage is Stage.ARCHIVED:
            return transition
    return None
