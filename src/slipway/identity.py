"""Identities of callers, and of the processes that write, so that another process can tell whether a writer still lives."""

import os
import socket
from collections.abc import Mapping
from functools import cache

import psutil

from slipway.errors import CallerUnknown

HOST, _PROCESS = "slipway.host", "slipway.process"


def caller_unknown() -> CallerUnknown:
    """Return the error for a server's answer 401, with the user that MLflow's client sent, if it sent one."""
    user, password = (os.environ.get(f"MLFLOW_TRACKING_{what}") for what in ("USERNAME", "PASSWORD"))
    return CallerUnknown(user if password else None)


@cache
def process_tags() -> dict[str, str]:
    """Return the tags that name this process: host, pid, and start, since a pid may be used again."""
    me = psutil.Process()
    return {HOST: socket.gethostname(), _PROCESS: f"{me.pid} {me.create_time():.2f}"}


def is_here(tags: Mapping[str, str]) -> bool:
    """Return whether the tags name a process of this host; `is_dead` cannot judge processes of other hosts."""
    return tags.get(HOST) == socket.gethostname()


def is_dead(tags: Mapping[str, str]) -> bool:
    """Return whether the process of this host that the tags name is gone."""
    pid, _, started = tags.get(_PROCESS, "").partition(" ")
    try:
        return bool(abs(psutil.Process(int(pid)).create_time() - float(started)) >= 1.0)
    except (psutil.Error, ValueError):
        return True
