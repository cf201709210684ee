"""The rules of every transition: one at a time, those that were cut off first, each in the ledger."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mlflow import MlflowClient

from slipway.core.release.ledger import Entry, digest_of
from slipway.core.release.transitions import Action, Transition
from slipway.errors import UnknownName
from slipway.identity import process_tags
from slipway.registry.artifacts.local_cache import tell_moved
from slipway.registry.ledger import LEDGER_SUFFIX, Ledger, now_ms
from slipway.registry.mutex import exclusive, model_names
from slipway.registry.stages import holder, move, put_aliases_in_step
from slipway.registry.trust import DIGEST
from slipway.registry.versions import Version, get_version, is_registered
from slipway.settings import Settings
from slipway.tracking.liveness import close_dead
from slipway.tracking.runs import experiment_id
from slipway.types import HELD_STAGES, Stage, Verdict
from slipway.workflows.session import open_client


def open_registry(settings: Settings, name: str) -> tuple[MlflowClient, Ledger]:
    """Return a client and the ledger of a registered model. Raises UnknownName when no such model is registered."""
    client = open_client(settings)
    return client, open_ledger(client, name)


def open_ledger(client: MlflowClient, name: str) -> Ledger:
    """Return the ledger of a registered model, made if it is not there; runs whose process is gone are closed.

    Raises UnknownName when no such model is registered.
    """
    if not is_registered(client, name):
        raise UnknownName(
            "registered model", name, model_names(client), f"Train its first version with `slipway run {name}`"
        )
    experiment, searches = experiment_id(client, f"{name}{LEDGER_SUFFIX}"), client.get_experiment_by_name(name)
    close_dead(client, [experiment, *([searches.experiment_id] if searches else [])])
    return Ledger(client, name, experiment)


@contextmanager
def moving(client: MlflowClient, ledger: Ledger) -> Iterator[None]:
    """Hold a model's mutex for as long as the block takes; transitions that were cut off are brought to their end first."""
    with exclusive(client, ledger.name):
        bring_to_an_end(client, ledger)
        yield


def bring_to_an_end(client: MlflowClient, ledger: Ledger) -> tuple[Transition, ...]:
    """Seal the entries that were cut off, as made or not made, and return them; the caller holds the mutex.

    A stage is moved by one call, so the version's stage says whether the call was made. An entry that moves nothing counts as
    made if its evidence is all there.
    """
    ended = []
    for entry in ledger.unsealed():
        ended.append(ledger.seal(entry, complete=_was_made(client, ledger, entry)))
        ledger.note_head_after(entry)
    if ended:
        put_aliases_in_step(client, ledger.name)
    return tuple(ended)


def _was_made(client: MlflowClient, ledger: Ledger, entry: Entry) -> bool:
    transition = entry.transition
    if transition.action.moves:
        return get_version(client, ledger.name, transition.version).stage is transition.stage
    return not transition.kept or digest_of(ledger.kept(entry)) == transition.kept


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
    """Return the transition of a version by a user, now, with the version that it replaces."""
    single = action.moves and stage in HELD_STAGES
    current = holder(client, version.name, stage) if single else None
    replaced = int(current.version) if current else None
    digest = version.tags.get(DIGEST, "")
    return Transition(
        version.name, action, version.number, stage, by, now_ms(), replaced, comment, verdicts, digest=digest,
        evidence=evidence, overrides=overrides,
    )  # fmt: skip


def make(
    client: MlflowClient, ledger: Ledger, transition: Transition, files: Mapping[str, bytes] | None = None
) -> Transition:
    """Make a transition and write it to the ledger, with files as its evidence; the caller holds the mutex."""
    with ledger.entry(transition, process_tags(), files):
        move(client, transition.name, transition.version, transition.stage)
    return transition


def announced(settings: Settings, transition: Transition) -> Transition:
    """Tell the services on this machine, and return the transition; services elsewhere see it within a second."""
    tell_moved(settings.home, transition.name)
    return transition
