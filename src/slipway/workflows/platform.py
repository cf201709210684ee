"""`slipway up`, `slipway down`: the embedded tracking server, started, kept up and stopped."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from slipway.errors import ServiceFailed
from slipway.processes import log_tail, stop_process, wait_for_end
from slipway.progress import step
from slipway.settings import Settings
from slipway.tracking.address import is_loopback, own_name
from slipway.tracking.auth import ADMIN, auth_file
from slipway.tracking.home import DATABASE
from slipway.tracking.record import Server
from slipway.tracking.server import find_server, server_log, start_server, stop_server, was_stopped
from slipway.tracking.stores import FOLDER, SQLITE, Stores, parse_stores
from slipway.workflows.notices.configured import Notices, notices_of


@dataclass(frozen=True)
class Platform:
    """The tracking server that `up` started or found.

    Attributes:
        settings: the home and the stores.
        server: the server.
        detached: whether the server stays when this process ends.
        notices: who is told of what; None for nobody.
    """

    settings: Settings
    server: Server
    detached: bool
    notices: Notices | None = None

    def stay(self) -> None:
        """Keep the server up until Ctrl-C, SIGTERM, SIGHUP or `slipway down`, then stop the server.

        Returns at once where the server was up before, or is detached.
        Raises ServiceFailed with the end of the server's log when the server ends by itself.
        """
        if self.server.adopted or self.detached:
            return
        home = self.settings.home
        try:
            wait_for_end(self.server.process)
            if not was_stopped(home, self.server):
                log = server_log(home)
                raise ServiceFailed(f"the tracking server ended by itself; the end of {log}:\n{log_tail(log)}")
        except KeyboardInterrupt:  # asked for, so it is no failure
            pass
        finally:
            if not was_stopped(home, self.server):
                stop_server(home)
                stop_process(self.server.process)  # of a home that was moved since, there is nothing at its old place

    def as_dict(self) -> dict[str, Any]:
        return {
            "uri": self.server.uri,
            "pid": self.server.pid,
            "adopted": self.server.adopted,
            "auth": self.server.auth,
            "host": self.server.host,
            "instead_of": self.server.instead_of,
            "home": str(self.settings.home),
            "backend": self.server.backend,
            "artifacts": self.server.artifacts,
            "notices": self.notices and self.notices.as_dict(),
        }

    def __str__(self) -> str:
        was = "was already up" if self.server.adopted else "is up"
        end = "`slipway down`" if self.server.adopted or self.detached else "Ctrl-C"
        users = f"the password of '{ADMIN}' is in {auth_file(self.settings.home)}\n" if self.server.auth else ""
        return (
            f"MLflow {was} at {self.server.uri} (process {self.server.pid}, {self._stores})\n"
            f"export MLFLOW_TRACKING_URI={self.server.uri}\n"
            f"{self._reached_elsewhere}{users}{self._told}"
            f"{end} stops it."
        )

    @property
    def _told(self) -> str:
        if self.notices is None:
            return ""
        since = " (as its file was when the server started)" if self.server.adopted else ""
        return f"{self.notices}{since}\n"

    @property
    def _reached_elsewhere(self) -> str:
        """Say which port the server has instead of the expected one, and under which name other machines reach it."""
        server, port, lines = self.server, urlsplit(self.server.uri).port, ""
        if server.instead_of:
            lines = (
                f"port {server.instead_of} is taken by another process: clients that were given it need {port} now\n"
            )
        if not is_loopback(server.host):
            lines += (
                f"other machines reach it at http://{own_name(server.host)}:{port}; passwords go there unencrypted: "
            )
            lines += "let a proxy with TLS answer them where the network is not yours alone\n"
        return lines

    @property
    def _stores(self) -> str:
        """Say where runs and artifacts are kept."""
        home, server = self.settings.home, self.server
        if (server.backend, server.artifacts) == (SQLITE, FOLDER):
            return f"everything in {home}"
        backend = f"{home}/mlflow.db" if server.backend == SQLITE else server.backend
        artifacts = f"{home}/artifacts" if server.artifacts == FOLDER else server.artifacts
        return f"runs in {backend}, artifacts in {artifacts}"


@dataclass(frozen=True)
class Stopped:
    """The server that `down` stopped; None when no server was up."""

    settings: Settings
    server: Server | None

    def as_dict(self) -> dict[str, Any]:
        return {"stopped": self.server and {"uri": self.server.uri, "pid": self.server.pid}}

    def __str__(self) -> str:
        if self.server is None:
            return f"no tracking server is up in {self.settings.home}"
        return f"stopped MLflow at {self.server.uri} (process {self.server.pid})"


def up(
    settings: Settings, *, host: str | None = None, port: int | None = None, auth: bool = False, detach: bool = False
) -> Platform:
    """Start the tracking server of `settings.home`, or find the one that is up, and return when it answers.

    The server keeps runs and artifacts in `settings.backend` and `settings.artifacts`, or in the home where these are not set.

    Args:
        settings: the home, the stores, and the origins whose pages may ask the server.
        host: the address to listen on; by default 127.0.0.1.
        port: the port to listen on; by default the one that the home's server had last, or 5000.
        auth: whether callers have to name a user and a password.
        detach: whether the server outlives this process; without it, call `Platform.stay`.

    Raises UsageError, StoreUnusable, FileUnusable and ServiceFailed as `start_server` does, and SpecInvalid for a notices.yaml
    that is wrong.
    """
    stores = parse_stores(settings.backend, settings.artifacts, settings.s3_endpoint)
    notices = notices_of(settings)
    if notices:
        notices.check()
    variables = {"SLIPWAY_HOME": str(settings.home)} | ({"SLIPWAY_NOTICES": str(notices.file)} if notices else {})
    with _told(settings, stores):
        server = start_server(
            settings.home,
            host=host,
            port=port,
            auth=auth,
            tied=not detach,
            stores=stores,
            variables=variables,
            origins=settings.allowed_origins,
        )
    return Platform(settings, server, detach, notices)


def _told(settings: Settings, stores: Stores) -> AbstractContextManager[None]:
    """Say what the start of a server does, for as long as it takes; nothing where one is up already."""
    if find_server(settings.home):
        return nullcontext()
    if stores.database:
        return step(f"tracking server: bring {stores.backend} up to date, start")
    known = (settings.home / DATABASE).is_file()
    return step(f"tracking server: {'start' if known else f'make the database in {settings.home}, start'}")


def down(settings: Settings) -> Stopped:
    """Stop the tracking server of `settings.home` with all its processes."""
    return Stopped(settings, stop_server(settings.home))
