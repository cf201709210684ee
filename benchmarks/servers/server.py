"""What answers at a port, and what a measurement of it says."""

import http.client
import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

HOST = "127.0.0.1"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
"""Of every server: what native code of a worker may use."""

POLLS, SLEEPS = "polls", "sleeps"
"""How a client waits for an answer; see `closed_loop.py`."""

_CLIENT = Path(__file__).parents[1] / "closed_loop.py"


@dataclass(frozen=True)
class Server:
    """root: the process that all others of the server are children of. headers: what a request needs beside the usual."""

    name: str
    workers: int
    port: int
    root: psutil.Process
    headers: Mapping[str, str] = field(default_factory=dict)

    def cpu_s(self) -> float:
        """CPU seconds of all its processes so far."""
        total = 0.0
        for process in [self.root, *self.root.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def predictions(self, body: bytes) -> Any:
        """Return what it predicts. Raises OSError, HTTPException or ValueError when that is not an answer."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
        connection.request("POST", "/invocations", body, {"content-type": "application/json", **self.headers})
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        if answer.status != http.HTTPStatus.OK:
            raise ValueError(f"{self.name} answers {answer.status}: {said[:300]!r}")
        return json.loads(said)["predictions"]

    def load(self, body: bytes, clients: int, seconds: float, how: str) -> dict[str, float]:
        """Ask it for that long by a client of its own process. Returns `figures` of the client, cpu_ms and client_load.

        how: POLLS or SLEEPS. cpu_ms: of the server, for a request. client_load: how much of a core the client took.
        """
        before = self.cpu_s()
        command = [sys.executable, "-I", "-S", str(_CLIENT), HOST, *map(str, (self.port, clients, seconds, how))]
        client = subprocess.run(command, input=self.request(body), stdout=subprocess.PIPE, check=True)
        said: dict[str, float] = json.loads(client.stdout)
        cpu_ms = (self.cpu_s() - before) * 1000 / said["requests"]
        return said | {"cpu_ms": cpu_ms, "client_load": said["cpu_s"] / said["seconds"]}

    def request(self, body: bytes) -> bytes:
        headers = {"host": HOST, "content-length": len(body), "content-type": "application/json", **self.headers}
        lines = ["POST /invocations HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode() + body
