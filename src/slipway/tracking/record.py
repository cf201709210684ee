"""The record of a home's server, HOME/server.json: it belongs to one folder and one process.

A home that is copied while its server runs takes the record along. The copy is another folder, so the record says nothing of
the copy: a command there must neither use nor stop the server of the original. A home that is renamed stays the same folder.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from slipway.files import whole_file
from slipway.processes import Process
from slipway.tracking.address import HOST
from slipway.tracking.stores import FOLDER, SQLITE


@dataclass(frozen=True)
class Server:
    """A tracking server that answers at `uri`.

    Attributes:
        uri: the address for clients on this machine.
        pid: the server's process.
        started: the time of its start, see `slipway.processes.Process`.
        auth: whether callers have to name a user and a password.
        adopted: whether the server was up already, so that nothing was started.
        backend: the database of runs and registry, without a password.
        artifacts: the folder or bucket of the artifacts.
        host: the address that the server listens on.
        origins: the origins whose pages may ask it, beside its own.
        instead_of: the wanted port, where another process has that; else None.
    """

    uri: str
    pid: int
    started: float
    auth: bool = False
    adopted: bool = False
    backend: str = SQLITE
    artifacts: str = FOLDER
    host: str = HOST
    origins: tuple[str, ...] = ()
    instead_of: int | None = None

    @property
    def process(self) -> Process:
        return Process(self.pid, self.started)


def read_record(home: Path) -> tuple[Server, bool] | None:
    """Return the server that the record of `home` names, and whether it was ready; None for no record, or another home's."""
    try:
        fields = json.loads(_file(home).read_text(encoding="utf-8"))
        if fields["folder"] != _folder(home):
            return None
        server = Server(
            str(fields["uri"]),
            int(fields["pid"]),
            float(fields["started"]),
            bool(fields.get("auth")),
            backend=str(fields["backend"]),
            artifacts=str(fields["artifacts"]),
            host=str(fields.get("host", HOST)),
            origins=tuple(map(str, fields.get("origins", ()))),
        )
        return server, bool(fields["ready"])
    except (OSError, ValueError, KeyError, TypeError):  # not there, or not ours to understand
        return None


def write_record(home: Path, server: Server, *, ready: bool) -> None:
    """Write the record of the server of `home` whole or not at all. Raises OSError."""
    facts = {name: value for name, value in asdict(server).items() if name not in ("adopted", "instead_of")}
    with whole_file(_file(home)) as draft:
        draft.write_text(json.dumps(facts | {"folder": _folder(home), "ready": ready}) + "\n", encoding="utf-8")


def remove_record(home: Path) -> None:
    """Remove the record of `home`, if there is one."""
    _file(home).unlink(missing_ok=True)


def _folder(home: Path) -> list[int]:
    """Return the device and the inode of `home`, which a copy does not have and a rename does not change."""
    found = home.stat()
    return [found.st_dev, found.st_ino]


def _file(home: Path) -> Path:
    return home / "server.json"
