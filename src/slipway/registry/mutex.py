"""The mutex of a model: one transition at a time, from whichever machine.

MLflow has no lock, but names that exist once: the mutex is a registered model `NAME.moving`, which exists for as long as a
transition takes. No model that Slipway trains has a dot in its name.

The holder writes into the mutex its process and this one transition. A process that lives on can lose a mutex, when the
database fails while the mutex is taken or released. So a process knows the transitions that it is at, and any other mutex of
the same process counts as that of a holder that was killed.

One process alone removes the mutex of a holder that was killed: the holder of a second mutex, which is named by a hash of
the text in the first. So nobody can remove a mutex that another process has taken meanwhile.
"""

import hashlib
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from slipway.errors import Refusal
from slipway.identity import HOST, is_dead, is_here, process_tags
from slipway.registry.absent import ABSENT, is_absent

_SUFFIX = ".moving"
# Each process that waits asks the server again and again: the longer it has waited, the less often.
_PAUSE_S, _MOST_PAUSE_S = 0.1, 0.4
# A process on another machine cannot be looked at; a transition takes seconds.
_STALE_S = 120.0
# ABSENT: the mutex was there when MLflow wrote, and was released before MLflow read it for its message.
_TAKEN = ("RESOURCE_ALREADY_EXISTS", ABSENT)
_MOVEMENT = "movement"
# The ids of the transitions that this process is at, as written into their mutexes.
_UNDER_WAY: set[str] = set()


@contextmanager
def exclusive(client: MlflowClient, name: str, patience_s: float = 60.0) -> Iterator[None]:
    """Hold a model's mutex for as long as the block takes. The mutex of a holder that was killed is taken over.

    Raises Refusal when another process holds the mutex for longer than `patience_s` seconds.
    """
    with _holding(client, f"{name}{_SUFFIX}", time.monotonic() + patience_s) as held:
        if not held:
            raise Refusal(
                f"another transition of {name} has been under way for {patience_s:.0f} s (the registered model "
                f"{name}{_SUFFIX} is its mark); nothing was moved. Try again"
            )
        yield


def model_names(client: MlflowClient) -> list[str]:
    """Return the names of the registered models, without the mutexes."""
    return [model.name for model in client.search_registered_models() if not is_mutex(model.name)]


def is_mutex(name: str) -> bool:
    """Say whether a registered model of that name is a mutex."""
    return name.endswith(_SUFFIX)


@contextmanager
def _holding(client: MlflowClient, lock: str, deadline: float) -> Iterator[bool]:
    """Hold a mutex for as long as the block takes, and yield True; yield False when it was not free before the deadline."""
    transition = uuid.uuid4().hex
    _UNDER_WAY.add(transition)
    try:
        mine = _take(client, lock, transition, deadline)
        taken = time.monotonic()
        try:
            yield bool(mine)
        finally:
            with suppress(MlflowException):  # no longer under way, so the next process removes it
                if mine and time.monotonic() - taken < _STALE_S / 2:
                    client.delete_registered_model(lock)
                elif mine:  # another machine may have taken this process for dead
                    _remove(client, lock, mine, time.monotonic() + _STALE_S)
    finally:
        _UNDER_WAY.discard(transition)


def _take(client: MlflowClient, lock: str, transition: str, deadline: float) -> str:
    """Take a mutex and return the text written into it; empty when it was not free before the deadline."""
    holder, pause = "", _PAUSE_S
    while True:
        if not holder:
            mine = json.dumps({**process_tags(), "at": time.time(), _MOVEMENT: transition})
            holder = _try(client, lock, mine)
            if holder == mine:
                return mine
        if _is_dead(holder):
            _remove(client, lock, holder, deadline)
        if time.monotonic() > deadline:
            return ""
        time.sleep(pause)
        pause = min(1.5 * pause, _MOST_PAUSE_S)
        holder = _holder(client, lock)  # looking costs less than trying, and many may wait


def _try(client: MlflowClient, lock: str, mine: str) -> str:
    """Try to take a mutex and return its holder's text, which is `mine` too where only the answer of a try before got lost."""
    try:
        client.create_registered_model(lock, description=mine)
    except MlflowException as error:
        if error.error_code not in _TAKEN:
            raise
        return _holder(client, lock)
    return mine


def _holder(client: MlflowClient, lock: str) -> str:
    """Return the text of a mutex's holder; empty when nobody holds it."""
    try:
        return str(client.get_registered_model(lock).description or "")
    except MlflowException as error:
        if not is_absent(error):
            raise
        return ""


def _is_dead(holder: str) -> bool:
    """Say whether nobody is at the transition any more that a holder wrote down."""
    try:
        tags = json.loads(holder or "{}")
    except ValueError:
        return False  # not a mutex of Slipway's
    if HOST not in tags:
        return False
    if process_tags().items() <= tags.items():
        return tags.get(_MOVEMENT) not in _UNDER_WAY
    return is_dead(tags) if is_here(tags) else time.time() - tags.get("at", 0) > _STALE_S


def _remove(client: MlflowClient, lock: str, holder: str, deadline: float) -> None:
    """Remove a mutex if it still has that holder's text, which no other holder ever writes.

    A second mutex, named by that text, is held meanwhile: between the look and the removal nobody else removes the first.
    """
    of_it = hashlib.sha256(holder.encode()).hexdigest()[:16]
    with _holding(client, f"{lock.removesuffix(_SUFFIX)}.{of_it}{_SUFFIX}", deadline) as alone:
        if alone and _holder(client, lock) == holder:
            client.delete_registered_model(lock)
