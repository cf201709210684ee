"""Slipway's endpoint with all its guards on: keys, limits, the comparison of each version with its model."""

import hashlib
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from servers.server import HOST, ONE_THREAD, Server
from slipway.processes import child_environment
from slipway.registry.trust import artifact_digest
from slipway.serving.config import ServingConfig
from slipway.serving.http.sockets import listen
from slipway.serving.supervisor.generation import WantedVersion
from slipway.serving.supervisor.supervisor import Supervisor
from slipway.workflows.endpoint.load import PRELOAD, Order


class Endpoint:
    """What `slipway serve` runs, less the registry that it would follow: versions are promoted by `promote`.

    taken_over: set while the version that was promoted last answers.
    """

    def __init__(self, files: Path, workers: int, log: Path):
        self._files, self._version = files, 0
        self.taken_over = threading.Event()
        self.key = secrets.token_urlsafe(24)
        config = ServingConfig(fronts=workers, keys=(hashlib.sha256(self.key.encode()).hexdigest(),))
        self._listener = listen(HOST, 0)
        self.port = int(self._listener.getsockname()[1])
        environment = child_environment(ONE_THREAD)
        self._supervisor = Supervisor(config, ["bench"], self._listener, environment, log, self._served)

    def start(self) -> None:
        self.promote()
        self._supervisor.start()
        self._supervisor.wait_until_ready(60)

    def promote(self) -> None:
        """Let the next version take over, of the same files: it is loaded, verified and compiled as any other."""
        self._version += 1
        self.taken_over.clear()
        order = Order("bench", self._version, artifact_digest(self._files), self._files, "", ())
        wanted = WantedVersion("bench", self._version, order.digest or "", "Production", order, PRELOAD)
        self._supervisor.want(wanted)

    def stop(self) -> None:
        self._supervisor.stop()
        self._listener.close()

    def _served(self, wanted: WantedVersion) -> None:
        if wanted.version == self._version:
            self.taken_over.set()


@contextmanager
def slipway(files: Path, workers: int, folder: Path) -> Iterator[tuple[Server, Endpoint]]:
    """Run the endpoint. files: of the model, as MLflow stores it."""
    before = set(psutil.Process().children())
    endpoint = Endpoint(files, workers, folder / "slipway.log")
    try:
        endpoint.start()
        (root,) = set(psutil.Process().children()) - before  # all its processes are forked from one
        yield Server("slipway", workers, endpoint.port, root, {"authorization": f"Bearer {endpoint.key}"}), endpoint
    finally:
        endpoint.stop()
