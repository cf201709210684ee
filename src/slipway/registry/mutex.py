"""One movement of a model at a time, whichever machine it is made from.

MLflow has no lock. What it does have is names that exist once: a registered model `NAME.moving` is made for as long as
a movement takes. No model that Slipway trains has a dot in its name.

What a holder writes into the mutex names its process and this one movement. A process that lives on can lose a mutex: the
database failed while it was taken or let go of. So a process knows the movements that it is at, and any other mutex of its
own counts as that of a holder that was killed.

The mutex of a holder that was killed is removed by one process alone: by the holder of a second mutex, whose name is made of
what the dead one wrote. So nobody can remove the mutex that another has taken meanwhile.
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
# Of many that wait, each asks the server again and again: the longer it has waited, the less often.
_PAUSE_S, _MOST_PAUSE_S = 0.1, 0.4
# Nothing can be known of a process on another machine; a movement takes seconds.
_STALE_S = 120.0
# The second: it was there when MLflow wrote, and let go of before MLflow read what stood in the way.
_TAKEN = ("RESOURCE_ALREADY_EXISTS", ABSENT)
_MOVEMENT = "movement"
# The movements that this process is at, by what they write into their mutexes.
_UNDER_WAY: set[str] = set()


@contextmanager
def exclusive(client: MlflowClient, name: str, patience_s: float = 60.0) -> Iterator[None]:
    """Hold a model's movements for as long as the block takes. A holder that was killed is passed over.

    Raises Refusal when somebody else holds them for longer than `patience_s`.
    """
    with _holding(client, f"{name}{_SUFFIX}", time.monotonic() + patience_s) as held:
        if not held:
            raise Refusal(
                f"another movement of {name} has been under way for {patience_s:.0f} s (the registered model "
                f"{name}{_SUFFIX} stands for it); nothing was moved. Try again"
            )
        yield


def model_names(client: MlflowClient) -> list[str]:
    """Return the names of the registered models, these mutexes left out."""
    return [model.name for model in client.search_registered_models() if not is_mutex(model.name)]


def is_mutex(name: str) -> bool:
    """Whether a registered model of that name is none, but somebody at work on one."""
    return name.endswith(_SUFFIX)


@contextmanager
def _holding(client: MlflowClient, lock: str, deadline: float) -> Iterator[bool]:
    """Hold a mutex for as long as the block takes, or say that it was not to be had until the deadline."""
    transition = uuid.uuid4().hex
    _UNDER_WAY.add(transition)
    try:
        mine = _take(client, lock, transition, deadline)
        taken = time.monotonic()
        try:
            yield bool(mine)
        finally:
            with suppress(MlflowException):  # it is under way no more, so whoever comes next removes it
                if mine and time.monotonic() - taken < _STALE_S / 2:
                    client.delete_registered_model(lock)
                elif mine:  # another machine may have taken this process for dead
                    _remove(client, lock, mine, time.monotonic() + _STALE_S)
    finally:
        _UNDER_WAY.discard(transition)


def _take(client: MlflowClient, lock: str, transition: str, deadline: float) -> str:
    """Return what was written into the mutex when it was taken; empty when it was not to be had until the deadline."""
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
    """Try to take a mutex and return what its holder wrote; that is `mine` too where only the answer got lost."""
    try:
        client.create_registered_model(lock, description=mine)
    except MlflowException as error:
        if error.error_code not in _TAKEN:
            raise
        return _holder(client, lock)
    return mine


def _holder(client: MlflowClient, lock: str) -> str:
    """Return what the holder of a mutex wrote; empty when nobody holds it."""
    try:
        return str(client.get_registered_model(lock).description or "")
    except MlflowException as error:
        if not is_absent(error):
            raise
        return ""


def _is_dead(holder: str) -> bool:
    """Whether nobody is at the movement any more that a holder wrote down."""
    try:
        tags = json.loads(holder or "{}")
    except ValueError:
        return False  # no mutex of Slipway's
    if HOST not in tags:
        return False
    if process_tags().items() <= tags.items():
        return tags.get(_MOVEMENT) not in _UNDER_WAY
    return is_dead(tags) if is_here(tags) else time.time() - tags.get("at", 0) > _STALE_S


def _remove(client: MlflowClient, lock: str, holder: str, deadline: float) -> None:
    """Remove a mutex if it is still that holder's, who writes what no other ever did.

    The holder of this holder's removal is the only one who may: between the look and the removal nothing changes hands.
    """
    of_it = hashlib.sha256(holder.encode()).hexdigest()[:16]
    with _holding(client, f"{lock.removesuffix(_SUFFIX)}.{of_it}{_SUFFIX}", deadline) as alone:
        if alone and _holder(client, lock) == holder:
            client.delete_registered_model(lock)
