"""Processes that Slipway runs beside itself: their start, their readiness, their end.

A process is identified by its pid and its start, so another `slipway` can find the process again and never takes a
stranger with the same pid for it. Each process leads a session of its own: Ctrl-C in the terminal reaches Slipway alone,
and Slipway then stops the whole family in order.
"""

import ctypes
import errno
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from slipway import logfiles
from slipway.errors import FileUnusable, ServiceFailed, UsageError

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_FULL_DISK = ("No space left on device", "database or disk is full")
_LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Process:
    """A process and its family.

    Attributes:
        pid: its number.
        started: seconds from the boot of the machine to the start of the process, which do not change when the clock is set.
    """

    pid: int
    started: float


def free_port(host: str, wanted: int, *, span: int = 100) -> int:
    """Return `wanted` if that port is free on `host`, else the next free one.

    Args:
        host: the address to listen on.
        wanted: the first port to try; 0 for any free port.
        span: the number of ports to try.

    Raises ServiceFailed when all are taken, UsageError when this user cannot listen on that host or port at all.
    """
    for port in range(wanted, min(wanted + (span if wanted else 1), 65536)):
        if (free := _listen_once(host, port)) is not None:
            return free
    taken = f"port {wanted} is" if span == 1 else f"ports {wanted} to {min(wanted + span, 65536) - 1} are"
    raise ServiceFailed(f"{taken} taken on {host}; name another with --port, or 0 for any that is free")


def child_environment(changes: Mapping[str, str], *, without: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the environment for a child process.

    The child sends no telemetry, finds the programs that are installed beside this Python, and asks no proxy for addresses
    of this machine.

    Args:
        changes: variables to set.
        without: beginnings of the names of variables that are left out.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(without)}
    path = os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)])
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "PYTHONUNBUFFERED": "1", "PATH": path}
    unproxied = inherited.get("no_proxy") or inherited.get("NO_PROXY") or ""
    direct = ",".join([*filter(None, [unproxied]), *_LOCAL_HOSTS])
    return inherited | quiet | {"no_proxy": direct, "NO_PROXY": direct} | dict(changes)


def start_process(
    command: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path | None = None, tied: bool = True
) -> Process:
    """Start a command in a session of its own, without a terminal.

    Args:
        command: the program and its arguments.
        log: where the output goes; earlier logs are kept as `.1`, `.2` and so on.
        env: the environment.
        cwd: the working directory.
        tied: whether the process gets SIGTERM when the calling thread ends, even by kill -9 (Linux only).

    Raises FileUnusable when the log cannot be written, ServiceFailed when the command cannot be run.
    """
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        logfiles.rotate(log)
        with log.open("wb") as stream:
            logfiles.lock(stream.fileno())  # the family inherits the descriptor, and so the lock
            child = _Child(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM) if tied else None,
            )
    except OSError as error:
        if error.filename and str(error.filename) in (command[0], str(cwd)):
            raise ServiceFailed(f"{command[0]} cannot be started: {error.strerror}") from error
        raise FileUnusable(f"the log {log} cannot be written: {error.strerror}") from error
    return Process(child.pid, _started(psutil.Process(child.pid)))


def is_alive(process: Process) -> bool:
    """Return whether the process itself still runs; a zombie does not."""
    leader = _leader(process)
    with suppress(psutil.NoSuchProcess):
        return leader is not None and leader.status() != psutil.STATUS_ZOMBIE
    return False


def wait_until_ready(process: Process, url: str, *, name: str, log: Path, timeout_s: float) -> None:
    """Wait until the process, or one of its family, answers `url` with 200.

    Args:
        process: a started process; a process that does not become ready is left as it is.
        url: the address to ask.
        name: the process in words that the user knows, such as `the tracking server`.
        log: the log of the process, whose end is shown in errors.
        timeout_s: the longest wait in seconds.

    Raises ServiceFailed, or FileUnusable on a full disk, when the process ends first or the time is over.
    """
    address = urlsplit(url)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if not is_alive(process):
            raise _failure(f"{name} ended before it was ready", log)
        # Another server may have taken the port, and answer while this process is about to fail on it.
        if _answers(address.hostname or "", address.port or 80, address.path) and _listens(process, address.port or 80):
            return
        time.sleep(0.1)
    raise _failure(f"{name} did not answer at {url} within {timeout_s:.0f} s", log)


def wait_for_end(process: Process) -> None:
    """Block until the process ends."""
    if leader := _leader(process):
        with suppress(psutil.NoSuchProcess):
            leader.wait()


def stop_process(process: Process, *, grace_s: float = 10.0, at: Path | None = None) -> None:
    """Stop the process, its descendants and its process group: by SIGTERM, and after `grace_s` seconds by SIGKILL.

    Members that outlived a killed leader are stopped as well. Nothing happens when all are gone.

    Args:
        process: the process.
        grace_s: the time before SIGKILL.
        at: the working directory of the family; None where it is not known. A record may be old: by then a stranger may
            have had the pid and have left a group of that number, which works elsewhere.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        family = _family(process, at)
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.send_signal(number)
        deadline = time.monotonic() + grace_s
        while any(map(_runs, family)) and time.monotonic() < deadline:
            time.sleep(0.05)
    if leader := _leader(process):
        with suppress(psutil.Error):
            leader.wait(timeout=0)  # reaps the zombie of a child of this process


def log_tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a log, indented, or `(the log is empty)`."""
    try:
        tail = log.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()[-lines:]
    except OSError:
        tail = []
    return "\n".join(f"  {line}" for line in tail) or "  (the log is empty)"


def local_url(host: str, port: int) -> str:
    """Return the URL at which this machine reaches a server that listens on `host`."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def die_with_parent(number: int) -> Callable[[], None] | None:
    """Return a function for a child process to call at its start, so that it gets a signal when the thread that made it ends.

    Returns None on systems other than Linux, which have no such signal.
    """
    if sys.platform != "linux":
        return None
    parent, libc = os.getpid(), ctypes.CDLL(None)  # loaded before the fork: the child has only to call it

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # the parent died before the call above
            os._exit(1)

    return tie


class _Child(subprocess.Popen[bytes]):
    def __del__(self) -> None:
        """Do not warn of a child that still runs: a detached process does so on purpose, and is found again by its pid."""


def _listen_once(host: str, port: int) -> int | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as the servers do: a closing connection is no hindrance
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise UsageError(f"this user may not listen on port {port}; name one from 1024 up with --port") from error
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return None
            raise UsageError(f"'{host}' is not an address of this machine: {error.strerror}") from error
        return int(probe.getsockname()[1])


def _started(process: psutil.Process) -> float:
    return float(process.create_time() - psutil.boot_time())


def _leader(process: Process) -> psutil.Process | None:
    with suppress(psutil.Error):
        leader = psutil.Process(process.pid)
        if abs(_started(leader) - process.started) < 0.5:  # ticks are 0.01 s; the clock may be set between two reads
            return leader
    return None


def _family(process: Process, at: Path | None = None) -> list[psutil.Process]:
    leader = _leader(process)
    if leader is None and psutil.pid_exists(process.pid):
        return []  # a stranger has the pid by now, and so would have the process group
    family: dict[int, psutil.Process] = {}
    with suppress(psutil.NoSuchProcess):
        family = {member.pid: member for member in leader.children(recursive=True)} if leader else {}
    for pid in psutil.pids():
        with suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            if os.getpgid(pid) == process.pid:
                family[pid] = psutil.Process(pid)
    if leader is None and at is not None:
        family = {pid: member for pid, member in family.items() if _works_in(member, at)}
    return [member for member in family.values() if _runs(member)]


def _works_in(member: psutil.Process, folder: Path) -> bool:
    with suppress(psutil.Error, OSError):
        return folder.samefile(member.cwd())
    return False


def _runs(member: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(member.is_running() and member.status() != psutil.STATUS_ZOMBIE)
    return False


def _answers(host: str, port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _listens(process: Process, port: int) -> bool:
    for member in _family(process):
        with suppress(psutil.Error):
            sockets = member.net_connections("tcp")
            if any(found.status == psutil.CONN_LISTEN and found.laddr.port == port for found in sockets):
                return True
    return False


def _failure(what: str, log: Path) -> ServiceFailed | FileUnusable:
    tail = log_tail(log)
    if shutil.disk_usage(log.parent).free < 2**20 or any(sign in tail for sign in _FULL_DISK):
        return FileUnusable(f"{what}: the disk that holds {log.parent} is full; free some space and try again")
    return ServiceFailed(f"{what}; the end of {log}:\n{tail}")
