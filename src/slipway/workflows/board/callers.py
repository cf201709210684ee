"""What a rollback from the page of the version in Production would mean for today's callers."""

from collections.abc import Callable, Sequence

from slipway.core.signatures import fit_of_callers
from slipway.registry.versions import Version
from slipway.workflows.board.buttons import Position
from slipway.workflows.release.ingredients import VersionRecord


def on_callers(at: Position, versions: Sequence[Version], record_of: Callable[[Version], VersionRecord | None]) -> str:
    """Return whether the requests of today's callers fit the version that comes back; empty where that is not known.

    Args:
        at: the place of the version of the page.
        versions: the versions of the model.
        record_of: returns what is recorded of a version.
    """
    if at.live != at.number or at.back is None:
        return ""
    signatures = {
        each.number: record.signature
        for each in versions
        if each.number in (at.live, at.back) and (record := record_of(each)) and record.signature
    }
    if at.live not in signatures or at.back not in signatures:
        return ""
    return fit_of_callers((at.live, signatures[at.live]), (at.back, signatures[at.back]))
