"""A whole endpoint of a stored model: supervisor, front, back, as `slipway serve` starts them; and what it weighs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from slipway.processes import child_environment
from slipway.registry.trust import artifact_digest
from slipway.serving.config import ServingConfig
from slipway.serving.http.sockets import listen
from slipway.serving.supervisor.generation import WantedVersion
from slipway.serving.supervisor.supervisor import Supervisor
from slipway.workflows.endpoint.load import PRELOAD, Order

HOST = "127.0.0.1"
READY_S = 180.0


@dataclass
class Endpoint:
    """Where it answers, what it writes, and its processes."""

    port: int
    log: Path
    supervisor: Supervisor

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def processes(self) -> list[psutil.Process]:
        fork_server = psutil.Process(self.supervisor.processes().fork_server)
        return [fork_server, *fork_server.children(recursive=True)]

    def rss(self) -> int:
        """Bytes that all processes hold together; what they share counts for each."""
        found = 0
        for process in self.processes():
            try:
                found += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return found


@contextmanager
def endpoint(model: Path, log: Path, **config: object) -> Iterator[Endpoint]:
    """Serve the model of a folder, under the name of the folder above it."""
    listener, name = listen(HOST, 0), model.parent.name.rstrip("0123456789")
    port = listener.getsockname()[1]
    env = child_environment({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    supervisor = Supervisor(ServingConfig(**config), [name], listener, env, log)  # type: ignore[arg-type]
    digest = artifact_digest(model)
    order = Order(name, 1, digest, model, "", ())
    supervisor.start()
    try:
        supervisor.want(WantedVersion(name, 1, digest, "Production", order, PRELOAD))
        supervisor.wait_until_ready(READY_S)
        yield Endpoint(port, log, supervisor)
    finally:
        supervisor.stop()
