"""The endpoint as MLflow itself serves it: `mlflow models serve`, run and watched as a child process."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import ServiceFailed
from slipway.processes import (
    Process,
    child_environment,
    free_port,
    local_url,
    log_tail,
    start_process,
    stop_process,
    wait_for_end,
    wait_until_ready,
)


@dataclass(frozen=True)
class MlflowService:
    """A model that answers at `url` until it is stopped."""

    url: str
    process: Process
    log: Path

    def wait(self) -> None:
        """Block while the service runs. Raises ServiceFailed with the end of its log when it ends by itself."""
        wait_for_end(self.process)
        raise ServiceFailed(f"the service at {self.url} ended by itself; the end of {self.log}:\n{log_tail(self.log)}")

    def stop(self) -> None:
        """Stop the service and all its children; does nothing when it has ended."""
        stop_process(self.process)


def start_service(
    model_uri: str, *, tracking_uri: str, host: str, port: int, log: Callable[[int], Path], timeout_s: float = 120.0
) -> MlflowService:
    """Serve a model and return when the service answers /ping. The service ends with the calling thread, even by kill -9.

    Args:
        model_uri: URI of the model, as MLflow reads it.
        tracking_uri: Tracking server that the URI is resolved at.
        host: Name or address to listen on.
        port: The port, or 0 for any free one.
        log: Returns the log file for a port.
        timeout_s: How long to wait for /ping.

    Raises ServiceFailed when the port is taken, or with the end of the log when the model does not come up within
    `timeout_s`; UsageError when this machine has no such host.
    """
    chosen = free_port(host, port, span=1)
    # Access logs would fill the disk of a busy service; requests that are under way get a while to finish.
    uvicorn = {"UVICORN_ACCESS_LOG": "false", "UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN": "8"}
    command = [
        *(sys.executable, "-m", "mlflow", "models", "serve", "-m", model_uri, "--env-manager", "local"),
        *("--host", host, "--port", str(chosen), "--workers", "1"),
    ]
    env = child_environment({"MLFLOW_TRACKING_URI": tracking_uri} | uvicorn)
    where = log(chosen)
    process = start_process(command, log=where, env=env)
    service = MlflowService(local_url(host, chosen), process, where)
    try:
        wait_until_ready(
            process, f"{service.url}/ping", name=f"the service of {model_uri}", log=where, timeout_s=timeout_s
        )
    except BaseException:  # Ctrl-C included: nothing half-started stays
        service.stop()
        raise
    return service
