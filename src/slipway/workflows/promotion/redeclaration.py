"""The writing of a redeclaration: an entry of the ledger that keeps what is declared again about the release of a version."""

from dataclasses import replace
from pathlib import Path

from mlflow import MlflowClient

from slipway.core.lookalikes import is_blank
from slipway.core.release.changes import Change
from slipway.core.release.demands import Weakening
from slipway.core.release.judgement import WEAKENED
from slipway.core.release.ledger import digest_of
from slipway.core.release.policy import demands_of, weakenings
from slipway.core.release.redeclaration import declared_again, read_part, released_otherwise
from slipway.core.release.transitions import Action, Transition
from slipway.errors import Refusal, some_of
from slipway.identity import process_tags
from slipway.registry.artifacts.models import temporary_folder
from slipway.registry.demands.redeclaration import DECLARATION_FILE, declared_now
from slipway.registry.evidence.rescoring import verified_rows
from slipway.registry.versions import get_version
from slipway.types import Verdict
from slipway.workflows.promotion.transition import moving, open_ledger, transition_of

CHANGES = "declaration"
"""The name of the verdict of an entry that says what was declared otherwise."""
_MOST_SHOWN = 12


def redeclare(client: MlflowClient, by: str, name: str, version: int, text: str, comment: str) -> Transition:
    """Write what is declared again about the release of a version to the ledger. The verdicts on the version are stale then.

    Args:
        client: a client of the tracking server.
        by: the person.
        name: the registered model.
        version: the version.
        text: the text of a `ReleasePart`.
        comment: the reason; it may not be empty.

    Raises UnknownName, UntrustedModel for a version whose declaration is not what was registered, UsageError for a text that
    does not fit what was trained, and Refusal where nothing is declared otherwise.
    """
    if is_blank(comment):
        raise Refusal("a version is declared again with a reason: give it a comment")
    part, ledger = read_part(text), open_ledger(client, name)
    wanted = get_version(client, name, version)
    with temporary_folder() as made:
        recorded = verified_rows(client, wanted, Path(made))[0].experiment
    declared = declared_again(recorded, part)
    with moving(client, ledger):
        wanted = get_version(client, name, version)
        before = declared_now(ledger, version, recorded).experiment
        changes = released_otherwise(before, declared)
        if not changes:
            raise Refusal(f"{name} version {version} is declared so already; nothing was written")
        verdict = _verdict(changes, weakenings(declared, demands_of(before)))
        files = {DECLARATION_FILE: part.to_text().encode()}
        entry = transition_of(client, by, wanted, Action.REDECLARE, wanted.stage, comment, (verdict,))
        entry = replace(entry, kept=digest_of(files))
        ledger.write(entry, process_tags(), files)
    return entry


def _verdict(changes: tuple[Change, ...], weaker: tuple[Weakening, ...]) -> Verdict:
    """Return what is declared otherwise, in words: people read it in the history and on the board."""
    lines = [f"{change.what}: {change.before} → {change.now}" for change in changes]
    low = f"; weaker than before: {', '.join(map(str, weaker[:_MOST_SHOWN]))}" if weaker else ""
    return Verdict(CHANGES, True, some_of(lines, _MOST_SHOWN, "; ") + low, {WEAKENED: float(len(weaker))})
