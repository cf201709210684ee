"""The processes that answer: as many as there are to be, each in its row of the counters, replaced when they end."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from slipway.serving.child import Child, Gone
from slipway.serving.counters import FRONTS_REPLACED, Counters
from slipway.serving.inbox import Inbox
from slipway.serving.log import Log

_PAUSE_S = 0.2


class Fronts:
    """Used from the supervisor's thread alone.

    fork: starts the process of a row. greeting: what a new one has to know. said: called with whatever one says.
    """

    def __init__(
        self,
        counters: Counters,
        inbox: Inbox,
        log: Log,
        fork: Callable[[int], Child],
        greeting: Callable[[], Sequence[object]],
        said: Callable[[Any], None],
    ):
        self._counters, self._inbox, self._log = counters, inbox, log
        self._fork, self._greeting, self._said = fork, greeting, said
        self._children: dict[int, Child] = {}
        self._ending: Callable[[], None] | None = None

    @property
    def pids(self) -> list[int]:
        return [child.pid for child in self._children.values()]

    def start(self) -> None:
        """Start them all."""
        for row in range(self._counters.fronts):
            self._start(row)

    def tell(self, message: object) -> None:
        """Tell them all."""
        for child in self._children.values():
            child.tell(message)

    def end(self, message: object, ended: Callable[[], None]) -> None:
        """Tell them all to end, replace none any more, and call `ended` when they have."""
        self._ending = ended
        self.tell(message)
        if not self._children:
            ended()

    def kill(self) -> None:
        """End them now."""
        for child in self._children.values():
            child.kill()

    def _start(self, row: int) -> None:
        if self._ending:
            return
        child = self._children[row] = self._fork(row)
        born = time.monotonic()
        child.listen(lambda said: self._inbox.post(self._heard, row, child, born, said))
        for message in self._greeting():
            child.tell(message)

    def _heard(self, row: int, child: Child, born: float, said: object) -> None:
        if not isinstance(said, Gone):
            self._said(said)
        elif self._children.get(row) is child:
            del self._children[row]
            if not self._ending:
                self._replace(row, born)
            elif not self._children:
                self._ending()

    def _replace(self, row: int, born: float) -> None:
        self._log.say(f"front {row} ended; another one takes its place")
        self._counters.add(self._counters.supervisor, FRONTS_REPLACED)
        # One that ends as soon as it starts would be started without a pause.
        self._inbox.later(_PAUSE_S if time.monotonic() - born < _PAUSE_S else 0.0, self._start, row)
