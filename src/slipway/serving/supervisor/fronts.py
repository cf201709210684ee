"""The fronts: a fixed number of processes that answer, each with a row of the counters, replaced when one ends or hangs."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.serving.counters.models import FRONTS_REPLACED, TURNS, Counters
from slipway.serving.supervisor.child import ForkedProcess, ProcessEnded
from slipway.serving.supervisor.log import Log
from slipway.serving.supervisor.mailbox import Mailbox

_PAUSE_S = 0.2
_LOOK_S = 1.0


@dataclass(frozen=True)
class _Seen:
    """A front at the last look.

    Attributes:
        child: The process.
        turns: How often its event loop had come round.
        still: Number of looks in a row at which the loop had not come round; None while the front starts, which may take long.
    """

    child: ForkedProcess
    turns: float
    still: int | None = None


class Fronts:
    """The fronts of an endpoint. Used from the supervisor's thread alone.

    Args:
        counters: Counters of the endpoint, with a row for each front.
        mailbox: Mailbox of the supervisor's thread.
        log: Log of the endpoint.
        fork: Starts the front of a row.
        greeting: Returns the messages that a new front needs.
        received: Called with each message of a front.
        patience_s: For how long the event loop of a front may stand still. Looks are counted and not the clock, so that no
            front is blamed after the machine has slept.
    """

    def __init__(
        self,
        counters: Counters,
        mailbox: Mailbox,
        log: Log,
        fork: Callable[[int], ForkedProcess],
        greeting: Callable[[], Sequence[object]],
        received: Callable[[Any], None],
        patience_s: float,
    ):
        self._counters = counters
        self._mailbox = mailbox
        self._log = log
        self._fork = fork
        self._greeting = greeting
        self._received = received
        self._patience_s = patience_s
        self._children: dict[int, ForkedProcess] = {}
        self._ending: Callable[[], None] | None = None
        self._seen: dict[int, _Seen] = {}

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the fronts; readable from any thread."""
        return tuple(child.pid for child in list(self._children.values()))

    def start(self) -> None:
        """Start all fronts."""
        for row in range(self._counters.fronts):
            self._start(row)
        self._mailbox.later(_LOOK_S, self._look)

    def tell(self, message: object) -> None:
        """Send a message to all fronts."""
        for child in self._children.values():
            child.tell(message)

    def end(self, message: object, ended: Callable[[], None]) -> None:
        """Send a message that ends the fronts, replace none from now on, and call `ended` when all have ended."""
        self._ending = ended
        self.tell(message)
        if not self._children:
            ended()

    def kill(self) -> None:
        """Kill all fronts."""
        for child in self._children.values():
            child.kill()

    def _start(self, row: int) -> None:
        if self._ending:
            return
        child = self._children[row] = self._fork(row)
        born = time.monotonic()
        child.listen(lambda message: self._mailbox.post(self._heard, row, child, born, message))
        for message in self._greeting():
            child.tell(message)

    def _heard(self, row: int, child: ForkedProcess, born: float, message: object) -> None:
        if not isinstance(message, ProcessEnded):
            self._received(message)
        elif self._children.get(row) is child:
            del self._children[row]
            if not self._ending:
                self._replace(row, born)
            elif not self._children:
                self._ending()

    def _replace(self, row: int, born: float) -> None:
        self._log.say(f"front {row} ended; another one takes its place")
        self._counters.add(self._counters.supervisor, FRONTS_REPLACED)
        # A front that ends as soon as it starts would be started over and over without a pause.
        self._mailbox.later(_PAUSE_S if time.monotonic() - born < _PAUSE_S else 0.0, self._start, row)

    def _look(self) -> None:
        """Kill a front that hangs; its end is heard like any other."""
        self._seen = {row: self._look_at(row, child) for row, child in self._children.items()}
        self._mailbox.later(_LOOK_S, self._look)

    def _look_at(self, row: int, child: ForkedProcess) -> _Seen:
        turns, last = self._counters.own(row, TURNS), self._seen.get(row)
        if last is None or last.child is not child:
            return _Seen(child, turns)
        if turns != last.turns:
            return _Seen(child, turns, 0)
        if last.still is None:
            return last
        if last.still * _LOOK_S >= self._patience_s:
            self._log.say(f"front {row} hangs, and is killed")
            child.kill()
        return _Seen(child, turns, last.still + 1)
