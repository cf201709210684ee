"""What every movement through the stages goes by: one at a time, what was cut off first, each written down."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mlflow import MlflowClient

from slipway.core.release.ledger import Entry, digest_of
from slipway.core.release.transitions import Action, Transition
from slipway.errors import UnknownName
from slipway.identity import process_tags
from slipway.registry.artifacts.local_cache import tell_moved
from slipway.registry.ledger import Ledger, now_ms
from slipway.registry.mutex import exclusive, model_names
from slipway.registry.stages import holder, move, put_aliases_in_step
from slipway.registry.trust import DIGEST
from slipway.registry.versions import Version, get_version, is_registered
from slipway.settings import Settings
from slipway.tracking.client import connect
from slipway.tracking.liveness import close_dead
from slipway.tracking.runs import experiment_id
from slipway.types import HELD_STAGES, Stage, Verdict
from slipway.workflows.session import resolve_tracking_uri


def open_registry(settings: Settings, name: str) -> tuple[MlflowClient, Ledger]:
    """Return a client and the ledger of a registered model. Raises UnknownName when no such model is registered."""
    client = connect(resolve_tracking_uri(settings))
    return client, open_ledger(client, name)


def open_ledger(client: MlflowClient, name: str) -> Ledger:
    """Return the ledger of a registered model; entries and searches whose process is gone are closed.

    Raises UnknownName when no such model is registered.
    """
    if not is_registered(client, name):
        raise UnknownName(
            "registered model", name, model_names(client), f"Train its first version with `slipway run {name}`"
        )
    experiment, searches = experiment_id(client, f"{name}/promotions"), client.get_experiment_by_name(name)
    close_dead(client, [experiment, *([searches.experiment_id] if searches else [])])
    return Ledger(client, name, experiment)


@contextmanager
def moving(client: MlflowClient, ledger: Ledger) -> Iterator[None]:
    """Hold a model's movements for as long as the block takes; what an earlier one left halfway is brought to an end first."""
    with exclusive(client, ledger.name):
        bring_to_an_end(client, ledger)
        yield


def bring_to_an_end(client: MlflowClient, ledger: Ledger) -> tuple[Transition, ...]:
    """Seal what was cut off, as made or not made, and put aliases and head in step; the caller holds the mutex.

    Moving a stage is one call, which happened or did not: the version's stage says which. What moves nothing was said if its
    evidence is there.
    """
    ended = []
    for entry in ledger.unsealed():
        ended.append(ledger.seal(entry, complete=_was_made(client, ledger, entry)))
        ledger.note_head_after(entry)
    if ended:
        put_aliases_in_step(client, ledger.name)
    return tuple(ended)


def _was_made(client: MlflowClient, ledger: Ledger, entry: Entry) -> bool:
    wanted = entry.transition
    if wanted.action.moves:
        return get_version(client, ledger.name, wanted.version).stage is wanted.stage
    return not wanted.kept or digest_of(ledger.kept(entry)) == wanted.kept


def transition_of(
    client: MlflowClient,
    by: str,
    version: Version,
    action: Action,
    stage: Stage,
    comment: str,
    verdicts: tuple[Verdict, ...] = (),
    evidence: str = "",
    overrides: tuple[str, ...] = (),
) -> Transition:
    """Return a movement of a version by somebody, now, with what it replaces."""
    single = action.moves and stage in HELD_STAGES
    held = holder(client, version.name, stage) if single else None
    replaced = int(held.version) if held else None
    digest = version.tags.get(DIGEST, "")
    return Transition(
        version.name, action, version.number, stage, by, now_ms(), replaced, comment, verdicts, digest=digest,
        evidence=evidence, overrides=overrides,
    )  # fmt: skip


def make(
    client: MlflowClient, ledger: Ledger, transition: Transition, files: Mapping[str, bytes] | None = None
) -> Transition:
    """Make a movement and write it down, with files as its evidence; the caller holds the mutex."""
    with ledger.entry(transition, process_tags(), files):
        move(client, transition.name, transition.version, transition.stage)
    return transition


def announced(settings: Settings, transition: Transition) -> Transition:
    """Let the services on this machine look at once, and return the movement; those elsewhere see it within a second."""
    tell_moved(settings.home, transition.name)
    return transition
