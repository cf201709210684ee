"""Who asks, and which process wrote something, so that another can tell whether it is still at it."""

import os
import socket
from collections.abc import Mapping
from functools import cache

import psutil

from slipway.errors import CallerUnknown

HOST, _PROCESS = "slipway.host", "slipway.process"


def caller_unknown() -> CallerUnknown:
    """Return what to raise when a server answers 401: by what MLflow's client was told to say."""
    user, password = (os.environ.get(f"MLFLOW_TRACKING_{what}") for what in ("USERNAME", "PASSWORD"))
    return CallerUnknown(user if password else None)


@cache
def process_tags() -> dict[str, str]:
    """Return the tags that name this process: its host, its id, and its start, since an id may be used again."""
    me = psutil.Process()
    return {HOST: socket.gethostname(), _PROCESS: f"{me.pid} {me.create_time():.2f}"}


def is_here(tags: Mapping[str, str]) -> bool:
    """Whether the process was one of this host; of others nothing can be known from here."""
    return tags.get(HOST) == socket.gethostname()


def is_dead(tags: Mapping[str, str]) -> bool:
    """Whether the process that the tags name, of this host, is gone."""
    pid, _, started = tags.get(_PROCESS, "").partition(" ")
    try:
        return bool(abs(psutil.Process(int(pid)).create_time() - float(started)) >= 1.0)
    except (psutil.Error, ValueError):
        return True
