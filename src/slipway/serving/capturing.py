"""What an endpoint keeps of what it was asked: how much, and the process that writes it down, replaced when it ends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slipway.handover import Ring
from slipway.serving.child import Child, Gone
from slipway.serving.inbox import Inbox
from slipway.serving.log import Log

FLUSH_S = 2.0
"""How long the last segment may take when the endpoint ends."""

SILENT_S = 5.0
"""After how long a writer that does nothing is in trouble."""

_PAUSE_S = 1.0
_LOOKED_AT_EACH_S = 1.0


@dataclass(frozen=True)
class Capture:
    """share: of the requests, 0 to 1; whole requests are kept or not.

    writer: module:function of the process that writes, called with `ring`, `control` and these arguments; it ends when anything
    comes over `control`. preload: modules that it needs. ring: given to `Ring`, such as its size.
    hung_s: after how long a writer that does nothing is killed and replaced.
    """

    share: float
    writer: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    preload: Sequence[str] = ()
    ring: Mapping[str, Any] = field(default_factory=dict)
    hung_s: float = 60.0


@dataclass(frozen=True)
class Handing:
    """What a front gets of it."""

    ring: Ring
    share: float


class Recorder:
    """The writer as the supervisor keeps it; nothing where nothing is captured. Used from the supervisor's thread alone.

    fork: starts a process.
    """

    def __init__(
        self,
        capture: Capture | None,
        models: Sequence[str],
        fronts: int,
        inbox: Inbox,
        log: Log,
        fork: Callable[..., Child],
    ):
        self._capture, self._inbox, self._log, self._fork = capture, inbox, log, fork
        self.handing = Handing(Ring(models, fronts, **capture.ring), capture.share) if capture else None
        self._child: Child | None = None
        self._ended: Callable[[], None] | None = None
        self._silent = False

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start the writer."""
        if self._capture is None or self.handing is None or self._ended:
            return
        child = self._child = self._fork(
            self._capture.writer, preload=self._capture.preload, ring=self.handing.ring, **self._capture.arguments
        )
        child.listen(lambda said: self._inbox.post(self._heard, child, said))
        self.handing.ring.beat()  # it has its time to come
        self._look(child)

    def end(self, ended: Callable[[], None]) -> None:
        """Let it write what is left, for which it gets a moment, and call `ended`."""
        self._ended = ended
        if self._child is None:
            ended()
            return
        self._child.tell("end")
        self._inbox.later(FLUSH_S, ended)

    def kill(self) -> None:
        """End it now."""
        self._ended = self._ended or (lambda: None)
        if self._child:
            self._child.kill()

    def _look(self, child: Child) -> None:
        """See whether the writer does anything, while it is the present one."""
        if self._capture is None or self.handing is None or child is not self._child or self._ended:
            return
        silent_s = self.handing.ring.silent_s
        if silent_s > self._capture.hung_s:
            self._log.say(
                f"the process that writes captured requests has done nothing for {silent_s:.0f} s and is killed"
            )
            child.kill()
            return
        if (silent := silent_s > SILENT_S) != self._silent:
            self._silent = silent
            does = f"has done nothing for {silent_s:.0f} s" if silent else "is at work again"
            self._log.say(f"the process that writes captured requests {does}")
        self._inbox.later(_LOOKED_AT_EACH_S, self._look, child)

    def _heard(self, child: Child, said: object) -> None:
        if not isinstance(said, Gone) or child is not self._child:
            return
        self._child = None
        if self._ended:
            self._ended()
            return
        self._log.say("the process that writes captured requests ended; another one takes its place")
        self._inbox.later(_PAUSE_S, self.start)
