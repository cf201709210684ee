"""No run stays RUNNING for ever: a run names the process that writes it, and the next command closes what is dead."""

import socket
from collections.abc import Sequence
from functools import cache

import psutil
from mlflow import MlflowClient
from mlflow.entities import ViewType

_HOST, _PROCESS = "slipway.host", "slipway.process"


@cache
def process_tags() -> dict[str, str]:
    """Return the tags that name this process: its host, its id, and its start, since an id may be used again."""
    me = psutil.Process()
    return {_HOST: socket.gethostname(), _PROCESS: f"{me.pid} {me.create_time():.2f}"}


def close_dead(client: MlflowClient, experiments: Sequence[str]) -> list[str]:
    """End, as KILLED, each RUNNING run of the experiments whose process on this host is gone; return their ids.

    Runs of other hosts are left alone: nothing can be known of their processes from here.
    """
    if not experiments:
        return []
    running = f"attributes.status = 'RUNNING' and tags.`{_HOST}` = '{socket.gethostname()}'"
    closed = []
    for run in client.search_runs(list(experiments), running, run_view_type=ViewType.ALL, max_results=1000):
        if not _alive(run.data.tags.get(_PROCESS, "")):
            client.set_tag(run.info.run_id, "slipway.error", "the process that wrote this run ended without closing it")
            client.set_terminated(run.info.run_id, "KILLED")
            closed.append(str(run.info.run_id))
    return closed


def _alive(process: str) -> bool:
    pid, _, started = process.partition(" ")
    try:
        return bool(abs(psutil.Process(int(pid)).create_time() - float(started)) < 1.0)
    except (psutil.Error, ValueError):
        return False
