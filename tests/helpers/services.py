"""A service of stored models, as it is told what to serve, asked, and looked into."""

import http.client
import json
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from slipway.registry.trust import artifact_digest
from slipway.serving.supervisor.generation import WantedVersion
from slipway.serving.supervisor.supervisor import Supervisor
from slipway.workflows.endpoint.load import PRELOAD, Order
from tests.helpers.constant_load import HOST
from tests.helpers.versions import ASKED, JSON

READY_S = 180.0
KEY = "X-Slipway-Key"


def wanted(folder: Path, version: int, digest: str | None = None) -> WantedVersion:
    """The model of a folder, wanted as a version of `m`."""
    digest = digest or artifact_digest(folder)
    order = Order("m", version, digest, folder, "http://127.0.0.1:1", ())
    return WantedVersion("m", version, digest, "Production", order, PRELOAD)


def fronts(supervisor: Supervisor) -> tuple[int, ...]:
    return supervisor.processes().fronts


def backs(supervisor: Supervisor) -> tuple[int, ...]:
    return supervisor.processes().backs


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    try:
        return answer.status, answer.read()
    finally:
        connection.close()


def post(
    port: int, body: bytes, kind: str = JSON, path: str = "/invocations", **headers: str
) -> tuple[int, str, bytes]:
    """Ask on a connection of its own; return the status, the version that answered, and the answer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    connection.request("POST", path, body, {"Content-Type": kind, **headers})
    answer = connection.getresponse()
    try:
        return answer.status, answer.getheader("X-Slipway-Version") or "", answer.read()
    finally:
        connection.close()


def asked(port: int, key: str, kind: str = JSON, body: bytes = ASKED[0][1]) -> tuple[int, str, bytes]:
    """Ask as the caller of a key, who is answered by the same version each time."""
    return post(port, body, kind, **{KEY: key})


def live(port: int, version: str, within_s: float = 120.0) -> float:
    """Wait until a version answers and return how long that took."""
    began = time.monotonic()
    while post(port, ASKED[0][1])[1] != version:
        assert time.monotonic() - began < within_s, f"version {version} is not live"
        time.sleep(0.01)
    return time.monotonic() - began


def port_of(serving: "subprocess.Popen[str]") -> int:
    """Wait until `slipway serve --json` says where it answers, and return the port."""
    assert serving.stdout is not None
    text = ""
    for line in serving.stdout:
        text += line
        if line == "}\n":
            return urlsplit(json.loads(text)["url"]).port or 0
    assert serving.stderr is not None
    raise AssertionError(f"ended before it answered: {serving.stderr.read()}")
