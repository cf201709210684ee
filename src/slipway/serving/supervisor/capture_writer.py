"""The capture writer as the supervisor sees it: started, watched, replaced, and waited for at the end."""

from collections.abc import Callable, Sequence

from slipway.serving.config import SILENT_S, Capture, CaptureFeed
from slipway.serving.supervisor.child import ForkedProcess, ProcessEnded
from slipway.serving.supervisor.log import Log
from slipway.serving.supervisor.mailbox import Mailbox
from slipway.sharedmem import Ring, leave

_PAUSE_S = 1.0
_LOOKED_AT_EACH_S = 1.0

_STARTS_AT_END = 2
"""Successors of a writer that ended before the ring was empty. A third one would drop the records."""

_DIES_WITHIN_S = 5.0
"""After a kill -9. A writer that waits for a disk lives on until the disk answers."""


class CaptureWriter:
    """The process that writes captured requests. Without a Capture it does nothing. Used from the supervisor's thread alone.

    Args:
        capture: Configuration of the capture; None to capture nothing.
        models: Names of the models that are served.
        fronts: Number of fronts, which are the producers of the ring.
        mailbox: Mailbox of the supervisor's thread.
        log: Log of the endpoint.
        fork: Starts a process.
    """

    def __init__(
        self,
        capture: Capture | None,
        models: Sequence[str],
        fronts: int,
        mailbox: Mailbox,
        log: Log,
        fork: Callable[..., ForkedProcess],
    ):
        self._capture = capture
        self._mailbox = mailbox
        self._log = log
        self._fork = fork
        self.feed = CaptureFeed(Ring(models, fronts, **capture.ring), capture.share) if capture else None
        self._child: ForkedProcess | None = None
        self._ended: Callable[[], None] | None = None
        self._starts_left = _STARTS_AT_END
        self._silent = False

    @property
    def pid(self) -> int | None:
        """Process id of the writer; None while there is none. Readable from any thread."""
        child = self._child
        return child.pid if child else None

    def start(self) -> None:
        """Start the writer."""
        if self._ended is None:
            self._start()

    def end(self, ended: Callable[[], None]) -> None:
        """Have the rest of the ring written, then call `ended`. No front may put a record any more.

        A writer is waited for as long as it is at work, and is started where none runs. Records that no writer could write are
        left on disk for the next service.
        """
        self._ended = ended
        if self._child:
            self._child.tell("end")
        self._write_rest()

    def close(self) -> None:
        """Return without waiting: a writer that runs or is being started writes the rest after this process has ended."""
        self._ended = self._ended or (lambda: None)
        if self._child:
            self._child.tell("end")
        else:
            self._leave_rest()

    def _start(self) -> None:
        if self._capture is None or self.feed is None:
            return
        capture, ring = self._capture, self.feed.ring
        child = self._child = self._fork(
            capture.writer,
            preload=capture.preload,
            outlives=True,
            ring=ring,
            folder=capture.folder,
            **capture.arguments,
        )
        child.listen(lambda message: self._mailbox.post(self._heard, child, message))
        ring.beat()  # a writer that is being started must not count as silent
        self._look(child)

    def _look(self, child: ForkedProcess) -> None:
        """Say in the log when the writer falls silent or is back, and kill a writer that hangs; look again later."""
        if self._capture is None or self.feed is None or child is not self._child:
            return
        silent_s = self.feed.ring.silent_s
        if silent_s > self._capture.hung_s:
            self._log.say(f"the capture writer has done nothing for {silent_s:.0f} s and is killed")
            self._kill(child)
            return
        if (silent := silent_s > SILENT_S) != self._silent:
            self._silent = silent
            does = f"has done nothing for {silent_s:.0f} s" if silent else "is at work again"
            self._log.say(f"the capture writer {does}")
        self._mailbox.later(_LOOKED_AT_EACH_S, self._look, child)

    def _kill(self, child: ForkedProcess) -> None:
        child.kill()
        if self._ended:  # a successor would hang as well, and whoever stops the service must not wait for ever
            self._starts_left = 0
            self._mailbox.later(_DIES_WITHIN_S, self._heard, child, ProcessEnded())

    def _heard(self, child: ForkedProcess, message: object) -> None:
        if not isinstance(message, ProcessEnded) or child is not self._child:
            return
        self._child = None
        if self._ended:
            self._write_rest()
            return
        self._log.say("the capture writer ended; another one takes its place")
        self._mailbox.later(_PAUSE_S, self.start)

    # ---- the end

    def _write_rest(self) -> None:
        waiting = self.feed is not None and self.feed.ring.waiting
        if waiting and self._child:
            return  # its end will be heard, and brings us here again
        if waiting and self._starts_left:
            self._starts_left -= 1
            self._start()
            assert self._child is not None
            self._child.tell("end")
            return
        if self._child:  # nothing is left for it to write, and it may not even have been forked yet
            self._child.kill()
            self._child = None
        self._leave_rest()
        assert self._ended is not None
        self._ended()

    def _leave_rest(self) -> None:
        if self._capture and self.feed and (line := leave(self.feed.ring, self._capture.folder)):
            self._log.say(line)
