"""The fork server: the process that fronts and backs are forked from.

Their imports are made once, in the fork server, so that a successor starts in milliseconds. The fork server has one Python
thread, which imports and forks as it is ordered to; no model and no request ever gets into the fork server.

The fork server ends with the process that started it, even where that one is ended by kill -9. Its forked processes end with
it, but for those that are to outlive it. The fork server and its forked processes ignore the signals that end a service:
systemd sends these to all processes of a service at once, and they are meant for the supervisor alone.
"""

import gc
import importlib
import io
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing import context, reduction
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import Any

import msgspec

from slipway.errors import ServiceFailed
from slipway.processes import die_with_parent
from slipway.serving.supervisor.child import ForkedProcess

_LENGTH = struct.Struct(">I")
_PID = struct.Struct(">q")
_MOST_FILES = 16
_END_S = 2.0


class ForkServer:
    """A fork server of this process.

    Args:
        env: Environment of the fork server and of all processes that are forked from it.
        log: File that they all append to.
        folder: Removed when the fork server ends, unless a kill -9 ends the fork server itself.
    """

    def __init__(self, env: Mapping[str, str], log: Path, folder: Path):
        ours, theirs = socket.socketpair()
        log.parent.mkdir(parents=True, exist_ok=True)
        with theirs, log.open("ab") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __spec__.name, str(theirs.fileno()), str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=dict(env),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._socket, self._lock = ours, threading.Lock()
        self._waiting: list[Future[int]] = []
        self._outliving: Future[int] | None = None
        threading.Thread(target=self._hear, name="fork server", daemon=True).start()

    def start(
        self, target: str, *args: Any, preload: Sequence[str] = (), outlives: bool = False, **named: Any
    ) -> ForkedProcess:
        """Fork a process that calls a function and ends; return at once, before the process has started.

        Args:
            target: `module:function`, called with `args`, `named` and `control`, its end of the pipe.
            args: Whatever multiprocessing can hand to a process, sockets and connections included.
            preload: Modules to import and `module:function` to call before the fork, beside the module of the target.
            outlives: Whether the process goes on when the fork server ends, and is forked even if the end comes first.
            named: Further arguments of the target, by name.
        """
        ours, theirs = Pipe()
        with theirs:
            module = target.partition(":")[0]
            pid = self._ask((module, *preload), (target, args, {**named, "control": theirs}), outlives)
        if outlives:
            self._outliving = pid
        return ForkedProcess(pid, ours)

    def preload(self, *modules: str) -> "Future[int]":
        """Import modules for all processes that are forked later; the future is done then, or fails with ServiceFailed."""
        return self._ask(modules, None)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """End the fork server, and with it all forked processes that are not to outlive it."""
        waited_for = self._outliving is not None and not self._outliving.done()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:  # in the middle of an import
            if waited_for:  # the fork server has a process to fork yet, and ends by itself after that
                threading.Thread(target=self._process.wait, name="fork server ends", daemon=True).start()
            else:
                self._process.kill()
                self._process.wait()
        self._socket.close()

    def _ask(self, modules: Sequence[str], call: Any, outlives: bool = False) -> "Future[int]":
        files = _Files()
        order = msgspec.msgpack.encode(_Order(tuple(modules), files.dumps(call) if call else b"", outlives))
        answer: Future[int] = Future()
        with self._lock:
            self._waiting.append(answer)
            try:
                socket.send_fds(self._socket, [_LENGTH.pack(len(order))], files.fds)
                self._socket.sendall(order)
            except OSError:
                self._waiting.remove(answer)
                answer.set_exception(ServiceFailed("the fork server has ended"))
        return answer

    def _hear(self) -> None:
        while head := _received(self._socket, _PID.size):
            (pid,) = _PID.unpack(head)
            answer = self._waiting.pop(0)
            if pid >= 0:
                answer.set_result(pid)
            else:
                answer.set_exception(ServiceFailed("a process could not be started; the log says why"))
        with self._lock:  # an order that is being sent fails either there or here
            for answer in self._waiting:
                answer.set_exception(ServiceFailed("the fork server has ended"))
            self._waiting.clear()


class _Order(msgspec.Struct, frozen=True, array_like=True):
    """An order to the fork server, sent behind its length; the files that go along come with the length.

    Attributes:
        modules: Modules to import, `module:function` to call.
        call: A target with its arguments, pickled; b"" to fork nothing.
        outlives: Whether the forked process goes on when the fork server ends.
    """

    modules: tuple[str, ...]
    call: bytes
    outlives: bool


class _Files:
    """The collector of the open files that go along with a pickle, called by `multiprocessing` while it pickles."""

    def __init__(self) -> None:
        self.fds: list[int] = []

    def duplicate_for_child(self, fd: int) -> int:
        self.fds.append(fd)
        return len(self.fds) - 1

    @staticmethod
    def DupFd(number: int) -> "_Inherited":  # noqa: N802 - the name that multiprocessing calls
        return _Inherited(number)

    def dumps(self, value: Any) -> bytes:
        pickled = io.BytesIO()
        context.set_spawning_popen(self)  # type: ignore[arg-type]  # it is asked for these two methods alone
        try:
            reduction.dump(value, pickled)
        finally:
            context.set_spawning_popen(None)
        return pickled.getvalue()


class _Inherited:
    """An open file that came along with a pickle, by its place."""

    received: Sequence[int] = ()

    def __init__(self, number: int):
        self.number = number

    def detach(self) -> int:
        return self.received[self.number]


def _received(source: socket.socket, size: int) -> bytes:
    """Receive `size` bytes; b"" where the other end is gone."""
    received = bytearray()
    while len(received) < size:
        try:
            chunk = source.recv(size - len(received))
        except OSError:
            return b""
        if not chunk:
            return b""
        received += chunk
    return bytes(received)


_done: set[str] = set()


def _main(orders: socket.socket, folder: str) -> None:
    try:
        _serve(orders)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _serve(orders: socket.socket) -> None:
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    signal.signal(
        signal.SIGCHLD, signal.SIG_IGN
    )  # nobody waits for the forked processes: the end of their pipe tells of theirs
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
    ):  # meant for the supervisor; what is forked inherits it
        signal.signal(number, signal.SIG_IGN)
    while True:
        head, files, _, _ = socket.recv_fds(orders, _LENGTH.size, _MOST_FILES)
        if not head:
            return
        (length,) = _LENGTH.unpack(head)
        content = _received(orders, length)
        if not content:
            return
        order = msgspec.msgpack.decode(content, type=_Order)
        pid = _forked(order.modules, order.call, files, orders, order.outlives)
        for file in files:
            os.close(file)
        with suppress(
            OSError
        ):  # the supervisor is gone: its last orders are carried out all the same, for processes that outlive it
            orders.sendall(_PID.pack(pid))


def _forked(
    modules: Sequence[str], payload: bytes, files: Sequence[int], orders: socket.socket, outlives: bool = False
) -> int:
    try:
        for module, _, function in (each.partition(":") for each in modules if each not in _done):
            imported = importlib.import_module(module)
            if function:
                getattr(imported, function)()
            _done.add(f"{module}:{function}".rstrip(":"))
    except Exception:  # the fork server goes on, and its answer says so  # noqa: BLE001
        _say_why()
        return -1
    if not payload:
        return 0
    gc.freeze()  # memory that all processes share stays shared: no garbage collection writes into it
    tie = None if outlives else die_with_parent(signal.SIGKILL)
    try:
        pid = os.fork()
    except OSError:  # no more processes, or no memory: those that are there go on
        _say_why()
        return -1
    if pid:
        return pid
    code = 1
    try:
        if tie:
            tie()
        orders.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _Inherited.received = files
        target, args, named = reduction.ForkingPickler.loads(payload)
        module, _, function = target.partition(":")
        getattr(importlib.import_module(module), function)(*args, **named)
        code = 0
    except BaseException:  # the process ends here, whatever it was  # noqa: BLE001
        _say_why()
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _say_why() -> None:
    """Log the present exception where the disk has room for it; a forked process has to end here even where it has none."""
    with suppress(OSError):
        traceback.print_exc()


if __name__ == "__main__":
    from slipway.serving.supervisor import (
        fork_server,  # not this module under its other name: what is pickled has to be found again
    )

    fork_server._main(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
