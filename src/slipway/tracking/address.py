"""The address of the embedded server: by default 127.0.0.1, and the port that the home's server had last."""

import ipaddress
import socket
from collections.abc import Sequence
from pathlib import Path

import psutil

from slipway.errors import UsageError
from slipway.files import whole_file

HOST = "127.0.0.1"
FIRST_PORT = 5000

_EVERY = ("0.0.0.0", "::")  # noqa: S104 - recognised, not bound
# MLflow's own defaults, which count no more once any host is named.
_MLFLOWS_HOSTS = (
    *("localhost", "localhost:*", "127.0.0.1", "127.0.0.1:*", "[::1]", "[[]::1]:*"),
    *("192.168.*", "10.*", *(f"172.{second}.*" for second in range(16, 32)), "fc00:*", "fd00:*"),
)


def require_safe(host: str, auth: bool) -> None:
    """Raise UsageError for an empty address, and for one that other machines reach when there is no auth."""
    if not host.strip():
        raise UsageError("--host is empty; leave it out for 127.0.0.1, or name an address of this machine")
    if not auth and not is_loopback(host):
        raise UsageError(
            f"--host {host} lets everybody who reaches this machine read, change and delete runs and models; "
            "add --auth, so that they need a user and a password, or leave --host out to stay on 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches an address. Any name but localhost counts as one that others reach."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


def remembered_port(home: Path) -> int | None:
    """Return the port that the server of `home` had last; None where none is known."""
    try:
        port = int(_file(home).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return port if 0 < port < 65536 else None


def remember_port(home: Path, port: int) -> None:
    """Note a port for the next server of `home`. Raises OSError."""
    with whole_file(_file(home)) as draft:
        draft.write_text(f"{port}\n", encoding="ascii")


def reach_words(host: str, port: int) -> Sequence[str]:
    """Return the options of `mlflow server` that let other machines call it by the names of this one; none on loopback.

    MLflow refuses a Host header or an Origin that is not listed: a page elsewhere could pose as the server.
    """
    if is_loopback(host):
        return ()
    names = _names(host)
    hosts = ",".join([*_MLFLOWS_HOSTS, *(f"{name}:*" for name in names), *names])
    return "--allowed-hosts", hosts, "--cors-allowed-origins", ",".join(f"http://{name}:{port}" for name in names)


def own_name(host: str) -> str:
    """Return the name by which other machines reach a server that listens on `host`."""
    return socket.getfqdn() if host in _EVERY else host


def _names(host: str) -> list[str]:
    if host not in _EVERY:
        return [host]
    addresses = [
        each.address for listed in psutil.net_if_addrs().values() for each in listed if each.family == socket.AF_INET
    ]
    return list(dict.fromkeys([socket.gethostname(), socket.getfqdn(), *addresses]))


def _file(home: Path) -> Path:
    return home / "server.port"
