"""Questions to a ledger: all transitions, the holders of the stages at some time, whether the ledger is whole and unaltered."""

from datetime import datetime

from mlflow import MlflowClient

from slipway.core.release.history import History, Moment, Verified
from slipway.core.release.ledger import digest_of, verify, verify_kept
from slipway.core.release.transitions import Action, Transition
from slipway.progress import bar
from slipway.registry.ledger import MADE, Ledger
from slipway.registry.stages import holders
from slipway.registry.versions import list_versions
from slipway.types import HELD_STAGES, Stage

_NO_COMMENT = f"tags.`slipway.action` != '{Action.COMMENT}'"


def history_of(client: MlflowClient, ledger: Ledger, last: int | None = None, *, comments: bool = False) -> History:
    """Return the transitions of a ledger and the present holder of each stage.

    Args:
        client: a client of the registry.
        ledger: the ledger.
        last: only so many of the newest; None for all.
        comments: also the comments of people, which change nothing.
    """
    listed = ledger.transitions(last, "" if comments else _NO_COMMENT)
    return History(ledger.name, holders(client, ledger.name), tuple(listed))


def moment_of(ledger: Ledger, at: datetime) -> Moment:
    """Return the holders of the stages at a time."""
    before_ms = int(at.timestamp() * 1000)
    last = {stage: _holding(ledger, stage, before_ms) for stage in reversed(HELD_STAGES)}
    return Moment(ledger.name, at, {stage: transition for stage, transition in last.items() if transition})


def verified(client: MlflowClient, ledger: Ledger) -> Verified:
    """Check a ledger against its own hashes, the evidence that is kept with it, and the stages of the registry."""
    entries, head = ledger.entries(), ledger.head
    stages = {version.number: version.stage for version in list_versions(client, ledger.name)}
    findings = verify(entries, stages, head)
    keeping = [entry for entry in entries if entry.transition.kept and entry.transition.complete]
    with bar(len(keeping), "evidence") as progress:
        for entry in keeping:
            findings += verify_kept(entry, digest_of(ledger.kept(entry)))
            progress.update()
    return Verified(ledger.name, len(entries), head, tuple(findings))


def _holding(ledger: Ledger, stage: Stage, before_ms: int) -> Transition | None:
    """Return the last transition into a stage before a time, unless its version had left the stage again by then.

    The server filters both queries, so they take the same time in a ledger of any length.
    """
    made = f"{MADE} and attributes.start_time <= {before_ms}"
    into = ledger.entries(1, f"{made} and tags.`slipway.stage` = '{stage}'")
    if not into:
        return None
    transition = into[0].transition
    of_it = f"tags.`slipway.version` = '{transition.version}' and attributes.start_time >= {transition.at_ms}"
    last = ledger.entries(1, f"{made} and {of_it}")
    return transition if last[0].transition.stage is stage else None
