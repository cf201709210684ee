"""A supervisor that answers at an address, as a command starts it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from slipway.core.variants import VariantRecord
from slipway.processes import child_environment, local_url
from slipway.serving.config import Capture, ServingConfig
from slipway.serving.http.sockets import listen
from slipway.serving.supervisor.api_keys_file import KeysFile, hashed
from slipway.serving.supervisor.generation import WantedVersion
from slipway.serving.supervisor.supervisor import Supervisor
from slipway.settings import Settings
from slipway.workflows.endpoint.follow import Following

# One native thread a process: processes use more cores as well, and threads on shared cores wait for each other.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Service:
    """A supervisor that answers at `url`, and its Following, where it follows a registry."""

    url: str
    log: Path
    supervisor: Supervisor
    following: Following | None = None

    def wait(self) -> None:
        self.supervisor.wait()

    def stop(self) -> None:
        if self.following:
            self.following.stop()
        self.supervisor.stop()


def keyed(settings: Settings, config: ServingConfig | None, file: Path | None) -> tuple[ServingConfig, KeysFile | None]:
    """Return the configuration with the API keys of the file, else of the settings; with it, the file to read again."""
    keys = KeysFile(file) if file else None
    return replace(config or ServingConfig(), keys=keys.hashes() if keys else hashed(settings.api_keys)), keys


def start_service(
    wanted: Sequence[WantedVersion],
    *,
    host: str,
    port: int,
    config: ServingConfig,
    log: Callable[[int], Path],
    served: Callable[[WantedVersion], None] = lambda _: None,
    record: Callable[[VariantRecord], None] = lambda _: None,
    capture: Capture | None = None,
    timeout_s: float = 120.0,
) -> Service:
    """Serve versions, each under its model's name, and return when all of them answer.

    Args:
        wanted: the versions, one a model.
        host: the address to listen on.
        port: the port to listen on; 0 for any free one.
        config: workers, limits, keys and variant.
        log: returns the log file for a port.
        served: called with each version that takes over.
        record: called with the record of a variant, while it is compared.
        capture: the part of requests and answers that is kept; None to keep nothing.
        timeout_s: how long the versions may take to answer.

    Raises UntrustedModel, ServiceFailed, UsageError.
    """
    listener = listen(host, port)
    chosen = listener.getsockname()[1]
    url = local_url(host, chosen)
    env = child_environment(_ONE_THREAD, without=("SLIPWAY_API_KEYS",))
    names = [each.model for each in wanted]
    supervisor = Supervisor(config, names, listener, env, log(chosen), served, record=record, capture=capture)
    supervisor.start()
    try:
        for each in wanted:
            supervisor.want(each)
        supervisor.wait_until_ready(timeout_s)
    except BaseException:  # Ctrl-C included: nothing half-started stays
        supervisor.stop()
        raise
    return Service(url, supervisor.log, supervisor)
