"""A process that the fork server forked, as the supervisor sees it: told messages, listened to, killed."""

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
    """The last message of a forked process: the process has ended."""


class ForkedProcess:
    """A forked process and this end of the pipe to it.

    No method waits for the process: one thread sends the messages to it, another one receives those from it.

    pid: the process id, once the process was forked. pipe: this end; the process holds the other one.
    """

    def __init__(self, pid: "Future[int]", pipe: Connection):
        self._pid = pid
        self._pipe = pipe
        self._out: queue.SimpleQueue[Any] = queue.SimpleQueue()

    @property
    def pid(self) -> int:
        """The process id. Waits until the process was forked; raises ServiceFailed where it could not be."""
        return self._pid.result()

    def listen(self, receive: Callable[[Any], None]) -> None:
        """Call `receive`, in a thread, with each message of the process from now on, and with ProcessEnded at its end."""
        threading.Thread(target=self._hear, args=[receive], name="hear", daemon=True).start()
        threading.Thread(target=self._speak, name="speak", daemon=True).start()

    def tell(self, message: object) -> None:
        """Send a message later, in order; it is lost if the process has ended by then."""
        self._out.put(message)

    def kill(self) -> None:
        """Send kill -9 now, or as soon as the process was forked; return without waiting for it."""
        self._pid.add_done_callback(_kill)

    def _hear(self, receive: Callable[[Any], None]) -> None:
        with suppress(EOFError, OSError):
            while True:
                receive(channel.receive(self._pipe))
        self._out.put(ProcessEnded)
        receive(ProcessEnded())

    def _speak(self) -> None:
        with suppress(OSError):
            while (message := self._out.get()) is not ProcessEnded:
                channel.send(self._pipe, message)
        self._pipe.close()


def _kill(pid: "Future[int]") -> None:
    with suppress(ServiceFailed, ProcessLookupError):
        os.kill(pid.result(), signal.SIGKILL)
