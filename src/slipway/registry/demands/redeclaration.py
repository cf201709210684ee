"""The redeclarations of a version as its ledger keeps them, and the declaration that counts for the version now."""

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.core.release.ledger import Entry, digest_of
from slipway.core.release.redeclaration import declared_again, read_part
from slipway.core.release.transitions import Action
from slipway.core.spec import Experiment
from slipway.errors import Refusal
from slipway.registry.ledger import Ledger
from slipway.registry.ledger_tags import ACTION

DECLARATION_FILE = "declaration.json"
"""The name of the file that a redeclaration keeps."""


@dataclass(frozen=True)
class DeclaredNow:
    """The declaration that counts for a version.

    Attributes:
        experiment: the declaration of the run, with the release part of the newest redeclaration.
        mark: the mark of that redeclaration; empty where nothing was declared again.
        people: everybody who declared the version again, each once.
    """

    experiment: Experiment
    mark: str = ""
    people: tuple[str, ...] = ()


def redeclarations(version: int) -> str:
    """Return the filter of a ledger for the redeclarations of a version."""
    return f"attributes.status = 'FINISHED' and tags.`slipway.version` = '{version}' and tags.`{ACTION}` = '{Action.REDECLARE}'"


def declared_now(ledger: Ledger | None, version: int, recorded: Experiment) -> DeclaredNow:
    """Return the declaration that counts for a version, by one question to its ledger.

    recorded: the declaration of the version's run. Raises Refusal for a redeclaration that is not what was written down.
    """
    return by_entries(ledger, ledger.entries(where=redeclarations(version)) if ledger else (), recorded)


def by_entries(
    ledger: Ledger | None, entries: Sequence[Entry], recorded: Experiment, mark: str | None = None
) -> DeclaredNow:
    """Return the declaration by the entries of a version, oldest first, of which those that redeclare count.

    mark: the mark of the redeclaration that counts, empty for none of them; None for the newest.
    """
    ours = [each for each in entries if each.transition.action is Action.REDECLARE and each.transition.complete]
    people = tuple(dict.fromkeys(each.transition.by for each in ours))
    wanted = ours[-1:] if mark is None else [each for each in ours if each.transition.mark == mark]
    if ledger is None or not wanted:
        return DeclaredNow(recorded, "", people)
    part = read_part(_text(ledger, wanted[-1]))
    return DeclaredNow(declared_again(recorded, part), wanted[-1].transition.mark, people)


def _text(ledger: Ledger, entry: Entry) -> str:
    transition, kept = entry.transition, ledger.kept(entry)
    if DECLARATION_FILE not in kept or digest_of(kept) != transition.kept:
        raise Refusal(
            f"what {transition.by} declared again of {ledger.name} version {transition.version} on {transition.at:%Y-%m-%d} is "
            f"not what was kept: `slipway history {ledger.name} --verify` says what happened; bring the file back from a backup"
        )
    return kept[DECLARATION_FILE].decode()
