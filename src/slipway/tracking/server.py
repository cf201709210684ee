"""The embedded tracking server of `slipway up`: one a home folder, found again by every command.

HOME/mlflow.db       runs and registry           HOME/server.json    where the server is, see `slipway.tracking.record`
HOME/artifacts/      artifacts                   HOME/server.lock    held while a server is started or stopped
HOME/logs/           what the server prints      HOME/server.port    the port that it had last
                                                 HOME/auth.ini, auth.db   see `slipway.tracking.auth`
The first two stay empty where a team keeps them elsewhere: see `slipway.tracking.stores`.
"""

import fcntl
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from slipway.errors import FileUnusable, ServiceFailed, UsageError
from slipway.processes import (
    child_environment,
    free_port,
    is_alive,
    local_url,
    start_process,
    stop_process,
    wait_until_ready,
)
from slipway.tracking.address import (
    FIRST_PORT,
    HOST,
    reach_words,
    remember_port,
    remembered_port,
    require_origins,
    require_safe,
)
from slipway.tracking.auth import auth_environment, auth_file
from slipway.tracking.backup.swap import finish
from slipway.tracking.home import DATABASE, keep_private
from slipway.tracking.record import Server, read_record, remove_record, write_record
from slipway.tracking.stores import SQLITE, Stores

_PORT_RACES = 3  # how often a port may be lost between being found free and being listened on


def start_server(
    home: Path,
    *,
    host: str | None = None,
    port: int | None = None,
    auth: bool = False,
    tied: bool = True,
    stores: Stores | None = None,
    variables: Mapping[str, str] | None = None,
    origins: Sequence[str] = (),
    timeout_s: float = 120.0,
) -> Server:
    """Return the server of `home` when it answers: the one that runs already, or a new one.

    The arguments alone configure the server: MLFLOW_* and UVICORN_* variables of this process do not reach it.

    Args:
        home: the folder of the server's files.
        host: the address to listen on; by default 127.0.0.1, which this machine alone reaches. Any other takes `auth`.
        port: the wanted port; by default the one that the server of `home` had last, else 5000. Where it is in use, the next
            free one is taken. 0 stands for any free port, which is not remembered.
        auth: whether to use MLflow's basic auth; a home that has used it once keeps it, see `slipway.tracking.auth`.
        tied: whether a new server ends with the calling thread, even by kill -9; if not, it stays until `stop_server`.
        stores: the database and the bucket; by default both are in `home`.
        variables: further variables of a new server's environment.
        origins: the origins whose pages may ask the server beside its own, such as that of a proxy before it.
        timeout_s: how long a new server may take to answer.

    Raises UsageError when the server is up on other stores, on another address or without the wanted auth, and for an address
    that others reach without auth; StoreUnusable when the stores cannot be used, FileUnusable when `home` cannot be written,
    ServiceFailed with the end of the server's log when the server does not come up in time.
    """
    stores, variables = stores or Stores(), variables or {}
    listens_on = HOST if host is None else host
    require_safe(listens_on, auth or auth_file(home).exists())
    pages = require_origins(origins)
    with _locked(home, timeout_s):
        if found := read_record(home):
            server, ready = found
            if ready and is_alive(server.process):
                stores.require_same(server.backend, server.artifacts)
                if auth and not server.auth:
                    raise UsageError(f"the server of {home} is up without auth; `slipway down` first")
                if host not in (None, server.host):
                    raise UsageError(f"the server of {home} is up on {server.host}; `slipway down` first")
                if missing := set(pages) - set(server.origins):
                    raise UsageError(
                        f"the server of {home} is up without {', '.join(sorted(missing))}; `slipway down` first"
                    )
                return replace(server, adopted=True)
            _clear(home, server)  # died, or was left half-started by a `slipway up` that was killed
        finish(home)  # a restore that was killed while it renamed
        stores.check()
        wanted = remembered_port(home) or FIRST_PORT if port is None else port
        for _ in range(_PORT_RACES - 1):
            with suppress(_PortLost):
                return _start(home, listens_on, wanted, auth, tied, stores, variables, pages, timeout_s)
        return _start(home, listens_on, wanted, auth, tied, stores, variables, pages, timeout_s)


def find_server(home: Path) -> Server | None:
    """Return the server of `home` if it is up. The record of a dead server is cleared away."""
    found = read_record(home)
    if found is None:
        return None
    server, ready = found
    if is_alive(server.process):
        return server if ready else None
    with suppress(ServiceFailed, FileUnusable), _locked(home, 0):  # whoever holds the lock does it
        if read_record(home) == found:
            _clear(home, server)
    return None


def stop_server(home: Path, *, timeout_s: float = 130.0) -> Server | None:
    """Stop the server of `home` with all its processes, and return it; None when no server was up.

    Waits up to `timeout_s` for another command that is at work on the same home.
    """
    if not home.is_dir():
        return None
    with _locked(home, timeout_s):
        found = read_record(home)
        if found is None:
            remove_record(home)
            return None
        server, _ = found
        alive = is_alive(server.process)
        _clear(home, server)
        return server if alive else None


@contextmanager
def home_at_rest(home: Path) -> Iterator[None]:
    """Hold `home` while no server is up: none can be started in the block, and no exchange is left half done.

    Raises UsageError when a server is up, ServiceFailed when another command is at work there.
    """
    with _locked(home, 0):
        if found := read_record(home):
            server, _ = found
            if is_alive(server.process):
                raise UsageError(
                    f"the tracking server of {home} is up (process {server.pid}); stop it first with `slipway down`"
                )
            _clear(home, server)
        finish(home)
        yield


def was_stopped(home: Path, server: Server, *, timeout_s: float = 30.0) -> bool:
    """Say whether `stop_server` ended a server; waits for a `stop_server` that is still at work.

    Where the home was moved since, only the process itself is looked at: a home is not made again by looking.
    """
    if not home.is_dir():
        return not is_alive(server.process)
    with _locked(home, timeout_s):
        found = read_record(home)
        return found is None or found[0].process != server.process


def server_log(home: Path) -> Path:
    """Return the log file of the server of `home`."""
    return home / "logs" / "server.log"


class _PortLost(ServiceFailed):
    pass


def _start(
    home: Path,
    host: str,
    port: int,
    auth: bool,
    tied: bool,
    stores: Stores,
    variables: Mapping[str, str],
    origins: Sequence[str],
    timeout_s: float,
) -> Server:
    chosen = free_port(host, port)
    uri = local_url(host, chosen)
    auth = auth or auth_file(home).exists()
    given = _QUIETER | dict(variables) | stores.environment | (auth_environment(home) if auth else {})
    if stores.backend == SQLITE:
        keep_private(home / DATABASE)
    env = child_environment(given, without=("MLFLOW_", "_MLFLOW_", "UVICORN_"))
    command = _command(host, chosen, auth, stores, origins)
    process = start_process(command, log=server_log(home), env=env, cwd=home, tied=tied)
    server = Server(
        uri, process.pid, process.started, auth, backend=stores.backend, artifacts=stores.artifacts, host=host,
        origins=tuple(origins), instead_of=port if port not in (0, chosen) else None,
    )  # fmt: skip
    try:
        _write(home, server, ready=False)
        wait_until_ready(
            process, f"{uri}/health", name="the tracking server", log=server_log(home), timeout_s=timeout_s
        )
        if port:
            remember_port(home, chosen)
        _write(home, server, ready=True)
    except ServiceFailed as error:
        _clear(home, server)
        if "address already in use" in str(error).lower():
            raise _PortLost(str(error)) from error
        raise
    except BaseException:  # Ctrl-C included: nothing half-started stays
        _clear(home, server)
        raise
    return server


# MLflow's judges and scheduled jobs run in eight processes of 0.6 GB in all, and Slipway needs none of them.
# The registrar downloads the inputs of a judgement, and progress bars in a log help nobody.
_QUIETER = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}


# uvicorn's own waits for a request without end. MLflow has no WebSockets.
_PROTOCOL = "slipway.server.door.connections:GuardedHttp"


def _command(host: str, port: int, auth: bool, stores: Stores, origins: Sequence[str]) -> list[str]:
    return [
        *(sys.executable, "-m", "mlflow", "server", "--app-name", "slipway-auth" if auth else "slipway"),
        *stores.words,
        *("--host", host, "--port", str(port), "--workers", "1"),
        *reach_words(host, port, origins),
        # A search makes thousands of requests, so none gets a line. A browser that keeps asking must not delay the end.
        *("--uvicorn-opts", f"--no-access-log --timeout-graceful-shutdown 5 --http {_PROTOCOL} --ws none"),
    ]


def _write(home: Path, server: Server, *, ready: bool) -> None:
    try:
        write_record(home, server, ready=ready)
    except OSError as error:
        raise _unusable(home, error) from error


def _clear(home: Path, server: Server) -> None:
    stop_process(server.process, at=home)
    remove_record(home)


@contextmanager
def _locked(home: Path, timeout_s: float) -> Iterator[None]:
    deadline = time.monotonic() + timeout_s
    try:
        home.mkdir(0o700, parents=True, exist_ok=True)
        lock = (home / "server.lock").open("ab")
    except OSError as error:
        raise _unusable(home, error) from error
    with lock:  # closing it lets go of the lock, and so does the death of this process
        while not _grab(lock.fileno(), home):
            if time.monotonic() >= deadline:
                raise ServiceFailed(
                    f"another `slipway up`, `down` or `restore` is at work on {home}; try again when it is done"
                )
            time.sleep(0.1)
        yield


def _grab(lock: int, home: Path) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise _unusable(home, error) from error
    return True


def _unusable(home: Path, error: OSError) -> FileUnusable:
    return FileUnusable(
        f"the folder {home} cannot be written: {error.strerror}; mend that, or name another folder with SLIPWAY_HOME"
    )
