"""The closing of dead runs: a run names the process that writes it, and the next command closes it if that process is gone."""

import socket
from collections.abc import Sequence

from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException

from slipway.identity import HOST, is_dead

_ENDED = "the process that wrote this run ended without closing it"


def close_dead(client: MlflowClient, experiments: Sequence[str]) -> list[str]:
    """End, as KILLED, each RUNNING run of the experiments whose process on this host is gone; return their ids.

    Runs of other hosts are left alone, since nothing is known here of their processes. So are runs of a guarded server's
    ledger, which that server closes itself.
    """
    if not experiments:
        return []
    running = f"attributes.status = 'RUNNING' and tags.`{HOST}` = '{socket.gethostname()}'"
    closed = []
    for run in client.search_runs(list(experiments), running, run_view_type=ViewType.ALL, max_results=1000):
        if is_dead(run.data.tags):
            try:
                client.set_tag(run.info.run_id, "slipway.error", _ENDED)
            except MlflowException as error:
                if error.error_code != "PERMISSION_DENIED":
                    raise
                continue
            client.set_terminated(run.info.run_id, "KILLED")
            closed.append(str(run.info.run_id))
    return closed
