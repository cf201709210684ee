"""The address of the embedded server: by default 127.0.0.1, and the port that the home's server had last."""

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from slipway.errors import UsageError
from slipway.files import whole_file

HOST = "127.0.0.1"
FIRST_PORT = 5000

_PORTS = {"http": 80, "https": 443}
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


def reach_words(host: str, port: int, origins: Sequence[str] = ()) -> Sequence[str]:
    """Return the options of `mlflow server` that let other machines call it by the names of this one; none on loopback.

    The server refuses a Host header or an Origin that is not listed: a page elsewhere could pose as the server. `origins` are
    further ones, such as that of a proxy: their pages may ask the server, and by their names it may be asked.
    """
    names = [] if is_loopback(host) else _names(host)
    if not names and not origins:
        return ()
    bare = [f"[{name}]" if ":" in name else name for name in names]
    patterns = [f"{name.replace('[', '[[]', 1)}:*" for name in bare]
    hosts = [*_MLFLOWS_HOSTS, *patterns, *bare, *(urlsplit(origin).netloc for origin in origins)]
    pages = [*(f"http://{name}:{port}" for name in bare), *origins]
    return "--allowed-hosts", ",".join(hosts), "--cors-allowed-origins", ",".join(pages)


def require_origins(origins: Iterable[str]) -> tuple[str, ...]:
    """Return origins as browsers write them: in small letters, without the port that their scheme has anyway.

    Raises UsageError for a text that is no origin, a pattern included.
    """
    return tuple(_origin(text) for text in origins)


def plain_origin(text: str) -> str | None:
    """Return an origin as browsers write it; None for what is no origin, such as `null`."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        return None
    beside = parts.username is not None or parts.path or parts.query or parts.fragment
    if parts.scheme not in _PORTS or not parts.hostname or beside:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port in (None, _PORTS[parts.scheme]) else f":{port}")


def own_name(host: str) -> str:
    """Return the name by which other machines reach a server that listens on `host`."""
    return socket.getfqdn() if host in _EVERY else host


def _origin(text: str) -> str:
    plain = plain_origin(text.rstrip("/"))
    if plain is None or any(sign in plain for sign in "*,"):
        raise UsageError(
            f"the allowed origin {text!r} is none; name scheme, host and port as a browser does, "
            "such as https://slipway.example or http://127.0.0.1:3000"
        )
    return plain


def _names(host: str) -> list[str]:
    if host not in _EVERY:
        return [host]
    addresses = [
        each.address for listed in psutil.net_if_addrs().values() for each in listed if each.family == socket.AF_INET
    ]
    return list(dict.fromkeys([socket.gethostname(), socket.getfqdn(), *addresses]))


def _file(home: Path) -> Path:
    return home / "server.port"
