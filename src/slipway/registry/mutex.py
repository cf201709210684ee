"""One movement of a model at a time, whichever machine it is made from.

MLflow has no lock. What it does have is names that exist once: a registered model `NAME.moving` is made for as long as
a movement takes. No model that Slipway trains has a dot in its name.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from slipway.errors import Refusal
from slipway.identity import is_dead, is_here, process_tags

_SUFFIX = ".moving"
_PAUSE_S = 0.2
# Nothing can be known of a process on another machine; a movement takes seconds.
_STALE_S = 120.0
# The second: it was there when MLflow wrote, and let go of before MLflow read what stood in the way.
_HELD = ("RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST")


@contextmanager
def exclusive(client: MlflowClient, name: str, patience_s: float = 60.0) -> Iterator[None]:
    """Hold a model's movements for as long as the block takes. A holder that was killed is passed over.

    Raises Refusal when somebody else holds them for longer than `patience_s`.
    """
    lock = f"{name}{_SUFFIX}"
    deadline = time.monotonic() + patience_s
    while not _taken(client, lock):
        _break_if_dead(client, lock)
        if time.monotonic() > deadline:
            raise Refusal(
                f"another movement of {name} has been under way for {patience_s:.0f} s; nothing was moved. Try again"
            )
        time.sleep(_PAUSE_S)
    try:
        yield
    finally:
        with suppress(MlflowException):
            client.delete_registered_model(lock)


def model_names(client: MlflowClient) -> list[str]:
    """Return the names of the registered models, these mutexes left out."""
    return [model.name for model in client.search_registered_models() if not is_mutex(model.name)]


def is_mutex(name: str) -> bool:
    """Whether a registered model of that name is none, but somebody at work on one."""
    return name.endswith(_SUFFIX)


def _taken(client: MlflowClient, lock: str) -> bool:
    held_by = json.dumps({**process_tags(), "at": time.time()})
    try:
        client.create_registered_model(lock, description=held_by)
    except MlflowException as error:
        if error.error_code not in _HELD:
            raise
        return False
    return True


def _break_if_dead(client: MlflowClient, lock: str) -> None:
    with suppress(MlflowException):  # it was let go of meanwhile
        held_by = json.loads(client.get_registered_model(lock).description or "{}")
        if is_dead(held_by) if is_here(held_by) else time.time() - held_by.get("at", 0) > _STALE_S:
            client.delete_registered_model(lock)
