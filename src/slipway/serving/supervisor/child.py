"""A process that a nursery forked, as its supervisor holds it: what it says arrives in the supervisor's queue."""

import os
import queue
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from slipway.errors import ServiceFailed
from slipway.serving.ipc import channel


class ProcessEnded:
    """What a child's last message is: it has ended."""


class ForkedProcess:
    """pid: of the process, once it was forked. pipe: this end of the pipe whose other end it holds.

    Nothing here waits for the process: what is told is sent by a thread, and what it says is heard by another.
    """

    def __init__(self, pid: "Future[int]", pipe: Connection):
        self._pid, self._pipe = pid, pipe
        self._out: queue.SimpleQueue[Any] = queue.SimpleQueue()

    @property
    def pid(self) -> int:
        return self._pid.result()

    def listen(self, said: Callable[[Any], None]) -> None:
        """Hand over whatever the process says from now on, and ProcessEnded at its end; `said` is called in a thread."""
        threading.Thread(target=self._hear, args=[said], name="hear", daemon=True).start()
        threading.Thread(target=self._speak, name="speak", daemon=True).start()

    def tell(self, message: object) -> None:
        """Send a message, in order, later. What has ended hears nothing."""
        self._out.put(message)

    def kill(self) -> None:
        """Kill -9: at once, or as soon as the process was forked. This waits for neither."""
        self._pid.add_done_callback(_kill)

    def _hear(self, said: Callable[[Any], None]) -> None:
        with suppress(EOFError, OSError):
            while True:
                said(channel.receive(self._pipe))
        self._out.put(ProcessEnded)
        said(ProcessEnded())

    def _speak(self) -> None:
        with suppress(OSError):
            while (message := self._out.get()) is not ProcessEnded:
                channel.send(self._pipe, message)
        self._pipe.close()


def _kill(pid: "Future[int]") -> None:
    with suppress(ServiceFailed, ProcessLookupError):
        os.kill(pid.result(), signal.SIGKILL)
