from collections.abc import Callable, Sequence

from slipway.serving.config import SILENT_S, Capture, CaptureFeed
from slipway.serving.supervisor.child import ForkedProcess, ProcessEnded
from slipway.serving.supervisor.log import Log
from slipway.serving.supervisor.mailbox import Mailbox
from slipway.sharedmem import Ring, leave

_PAUSE_S = 1.0


_LOOKED_AT_EACH_S = 1.0


_STARTS_AT_END = 2
"""Of writers that take the place of one that ended before it had written what was left. One more would drop that."""


_DIES_WITHIN_S = 5.0
"""After a kill -9. What waits for a disk that does not answer lives on until that does."""


class CaptureWriter:
    """The writer as the supervisor keeps it; nothing where nothing is captured. Used from the supervisor's thread alone.

    fork: starts a process.
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
        """Have what is left written and call `ended`; nothing puts anything any more.

        A writer is waited for as long as it does anything, and started where none runs. What none of them writes is left on
        disk for the writer of the next service.
        """
        self._ended = ended
        if self._child:
            self._child.tell("end")
        self._write_rest()

    def close(self) -> None:
        """Wait for nothing: a writer that runs or is being started writes what is left after this process has ended."""
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
        child.listen(lambda said: self._mailbox.post(self._heard, child, said))
        ring.beat()  # it has its time to come
        self._look(child)

    def _look(self, child: ForkedProcess) -> None:
        """See whether the writer does anything, while it is the present one."""
        if self._capture is None or self.feed is None or child is not self._child:
            return
        silent_s = self.feed.ring.silent_s
        if silent_s > self._capture.hung_s:
            self._log.say(
                f"the process that writes captured requests has done nothing for {silent_s:.0f} s and is killed"
            )
            self._kill(child)
            return
        if (silent := silent_s > SILENT_S) != self._silent:
            self._silent = silent
            does = f"has done nothing for {silent_s:.0f} s" if silent else "is at work again"
            self._log.say(f"the process that writes captured requests {does}")
        self._mailbox.later(_LOOKED_AT_EACH_S, self._look, child)

    def _kill(self, child: ForkedProcess) -> None:
        child.kill()
        if self._ended:  # its successor would hang as well, and whoever stops the service does not wait for ever
            self._starts_left = 0
            self._mailbox.later(_DIES_WITHIN_S, self._heard, child, ProcessEnded())

    def _heard(self, child: ForkedProcess, said: object) -> None:
        if not isinstance(said, ProcessEnded) or child is not self._child:
            return
        self._child = None
        if self._ended:
            self._write_rest()
            return
        self._log.say("the process that writes captured requests ended; another one takes its place")
        self._mailbox.later(_PAUSE_S, self.start)

    # ---- the end

    def _write_rest(self) -> None:
        waiting = self.feed is not None and self.feed.ring.waiting
        if waiting and self._child:
            return  # its end is heard
        if waiting and self._starts_left:
            self._starts_left -= 1
            self._start()
            assert self._child is not None
            self._child.tell("end")
            return
        if self._child:  # it has nothing to do, and may not even be there yet
            self._child.kill()
            self._child = None
        self._leave_rest()
        assert self._ended is not None
        self._ended()

    def _leave_rest(self) -> None:
        if self._capture and self.feed and (said := leave(self.feed.ring, self._capture.folder)):
            self._log.say(said)
