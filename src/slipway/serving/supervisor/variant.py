"""The variant of an endpoint: it loads beside the primary, takes its role, is compared and judged, and is ended.

A canary that violates a guardrail is ended: the primary alone answers from between two requests on, until another version comes
for the role. A shadow that violates one goes on, since no caller gets its answers; the violation is reported.
"""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from slipway.core.variants import VariantRecord, VariantRole, VariantState
from slipway.serving.config import ServingConfig, VariantConfig
from slipway.serving.contract import Generation
from slipway.serving.counters.models import Counters
from slipway.serving.counters.variant import (
    COMPARED,
    COMPARED_ROWS,
    DISAGREEMENTS,
    DROPPED,
    ERRORS,
    ROWS,
    Tally,
    VariantCounters,
    VariantLink,
)
from slipway.serving.ipc import messages
from slipway.serving.supervisor.child import ForkedProcess, ProcessEnded
from slipway.serving.supervisor.generation import WantedVersion
from slipway.serving.supervisor.generations import Generations
from slipway.serving.supervisor.guardrails import GuardrailViolation, Window, violation
from slipway.serving.supervisor.log import Log
from slipway.serving.supervisor.mailbox import Mailbox

COMPARING = "slipway.serving.comparer.process:comparing"
_JUDGED_EACH_S = 1.0
_RECORDED_EACH = 5
_AGAIN_S = 0.5
_LEAVES_AFTER_S = 60.0


class VariantSupervisor:
    """The supervisor's part that starts, judges and ends a variant. Used from the supervisor's thread alone.

    Args:
        variant_config: Role, share and guardrails of the variant.
        model: Name of the one model that is served.
        config: Configuration of the endpoint.
        counters: Counters of the endpoint.
        mailbox: Mailbox of the supervisor's thread.
        log: Log of the endpoint.
        primary: Returns the version that is to be the primary, whether it serves already or not.
        fork: Starts a process.
        changed: Called when the fronts need a new Swap.
        tell: Sends a message to all fronts.
        stuck: Called with the socket of a back that let a deadline pass.
        record: Called with the record of the variant, every few seconds and at the end.

    Attributes:
        numbers: Counters of the variant.
        generations: The generations of the variant, of which one serves at most.
    """

    def __init__(
        self, variant_config: VariantConfig, model: str, config: ServingConfig, counters: Counters, mailbox: Mailbox, log: Log,
        primary: Callable[[], WantedVersion | None], fork: Callable[..., ForkedProcess], changed: Callable[[], None],
        tell: Callable[[object], None], stuck: Callable[[str], None], record: Callable[[VariantRecord], None],
    ):  # fmt: skip
        self._variant_config = variant_config
        self._model = model
        self._config = config
        self._mailbox = mailbox
        self._log = log
        self._primary = primary
        self._fork = fork
        self._tell = tell
        self._stuck = stuck
        self._record = record
        self.numbers = VariantCounters(config.fronts)
        self.generations = Generations(
            config, [model], counters, mailbox, log, fork, changed, self._failed, self._took_its_role
        )
        self._report = messages.VariantReport(VariantState.NONE, 0, "", "", time.time(), None)
        self._ended: WantedVersion | None = None
        self._comparer: ForkedProcess | None = None
        self._listener: socket.socket | None = None
        self._swap: messages.Swap | None = None
        self._begin((0, 0))
        self._leaving = self._closed = False

    def start(self, folder: Path) -> None:
        """Start the comparer. folder: a folder of the variant alone, for its Unix sockets."""
        self.generations.folder = folder
        self._path = folder / "copies"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._path))
        self._listener.listen(128)
        self._start_comparer()
        self._look(1)

    @property
    def variant_link(self) -> VariantLink:
        """The part of the variant that a front needs, once `start` was called."""
        return VariantLink(self.numbers, str(self._path))

    @property
    def comparer_pid(self) -> int | None:
        """Process id of the comparer; None while there is none. Readable from any thread."""
        comparer = self._comparer
        return comparer.pid if comparer else None

    @property
    def report(self) -> messages.VariantReport:
        """The report of the variant that the fronts show."""
        return self._report

    def snapshot(self) -> Generation | None:
        """Return the generation that the fronts have to serve as the variant; None for none."""
        swap = self.generations.snapshot()
        return swap.generations[0] if swap else None

    def want(self, wanted: WantedVersion | None, again: bool) -> None:
        """Let a version take the role, or end the variant for None. again: also where it failed before."""
        current, coming = self.generations.serving(self._model), self._primary()
        self._leaving = wanted is None
        if wanted and not (self._ended and wanted.key == self._ended.key):
            self._ended = None
            self.generations.want(wanted, again)
        elif not wanted and current and coming and coming.key == current.key and not _both_alike(self._swap):
            # Promoted: its callers stay with it until it has loaded as the primary, and do not go back to the former one.
            self._mailbox.later(_LEAVES_AFTER_S, self._leave)
        elif not wanted:
            self._leave()

    def _leave(self) -> None:
        if not self._leaving:
            return
        self._leaving = False
        if self.snapshot():
            self._log.say(
                f"the {self._variant_config.role} ends: no version is in {self._variant_config.of} but the one that answers"
            )
        self.generations.let_go(self._model)
        if self._report.state is not VariantState.ENDED:
            self._say(VariantState.NONE, 0)

    def swapped(self, swap: messages.Swap) -> None:
        """Take note of a Swap that the fronts were sent, and pass it on to the comparer."""
        self._swap = swap
        if self._comparer:
            self._comparer.tell(swap)
        first, variant = swap.generations[0], swap.variant
        if _both_alike(swap):
            self._mailbox.post(self._leave)
        elif variant and (first.number, variant.number) != self._pair:
            self._begin((first.number, variant.number))

    def close(self) -> None:
        """Write the record of the variant, and kill its processes."""
        if self._closed:
            return
        self._closed = True
        self._write()
        self.generations.close()
        if self._comparer:
            self._comparer.kill()
        if self._listener:
            self._listener.close()

    # ---- the comparer

    def _start_comparer(self) -> None:
        if self._closed:
            return
        child = self._comparer = self._fork(COMPARING, self._listener, config=self._config, numbers=self.numbers)
        child.listen(lambda message: self._mailbox.post(self._heard_comparer, child, message))
        if self._swap:
            child.tell(self._swap)

    def _heard_comparer(self, child: ForkedProcess, message: Any) -> None:
        if isinstance(message, messages.Stuck):
            self._stuck(message.back)
        elif isinstance(message, ProcessEnded) and child is self._comparer and not self._closed:
            self._log.say("the comparer ended; another one takes its place")
            self._comparer = None
            self._mailbox.later(_AGAIN_S, self._start_comparer)

    # ---- the state of the variant

    def _say(
        self,
        state: VariantState,
        version: int,
        violated: GuardrailViolation | None = None,
        failure: messages.TakeoverFailure | None = None,
    ) -> None:
        bound, why = (violated.bound, violated.why) if violated else ("", "")
        self._report = messages.VariantReport(state, version, bound, why, time.time(), failure)
        self._tell(self._report)

    def _took_its_role(self, wanted: WantedVersion) -> None:
        self._say(VariantState.SERVING, wanted.version)

    def _failed(self, failure: messages.TakeoverFailure) -> None:
        self._report = messages.VariantReport(*_but_failure(self._report), failure)
        self._tell(self._report)

    def _begin(self, pair: tuple[int, int]) -> None:
        self._pair, self._since = pair, time.time()
        self._before = self.numbers.tally()
        self._window = Window(self._variant_config.guardrails.min_requests)
        self._versions = self._both()

    def _both(self) -> tuple[int, int]:
        swap = self._swap
        return (swap.generations[0].version, swap.variant.version) if swap and swap.variant else (0, 0)

    def _look(self, turn: int) -> None:
        if self._closed:
            return
        if self.snapshot():
            counted = self._window.add(time.monotonic(), self.numbers.tally())
            self._judge(violation(counted, self._variant_config.guardrails))
        if turn % _RECORDED_EACH == 0:
            self._write()
        self._mailbox.later(_JUDGED_EACH_S, self._look, turn + 1)

    def _judge(self, violated: GuardrailViolation | None) -> None:
        current, report = self.generations.serving(self._model), self._report
        assert current is not None
        if violated and self._variant_config.role is VariantRole.CANARY:
            self._ended = current
            self._log.say(f"{current} is ended, the primary alone answers: {violated.why}")
            self.generations.let_go(self._model)
            self._say(VariantState.ENDED, current.version, violated, report.failure)
            self._write()
        elif (violated.bound if violated else "") != report.bound:
            why = f"violates a guardrail: {violated.why}" if violated else "keeps its guardrails again"
            self._log.say(f"{current} {why}")
            self._say(VariantState.SERVING, current.version, violated, report.failure)

    # ---- the record

    def _write(self) -> None:
        first, variant = self._versions
        if not variant:
            return
        config, counted, state = self._variant_config, self.numbers.tally() - self._before, self._report.state
        self._record(
            VariantRecord(
                self._model, config.role, config.of, config.share, state, variant, first, self._since, time.time(),
                self._report.why, bounds=config.guardrails.as_dict(), **_numbers(counted),
            )
        )  # fmt: skip


def _both_alike(swap: messages.Swap | None) -> bool:
    """Whether the variant and the primary are the same version."""
    if swap is None or swap.variant is None:
        return False
    first = swap.generations[0]
    return (first.version, first.digest) == (swap.variant.version, swap.variant.digest)


def _but_failure(report: messages.VariantReport) -> tuple[VariantState, int, str, str, float]:
    return report.state, report.version, report.bound, report.why, report.at


def _numbers(counted: Tally) -> dict[str, Any]:
    distances = counted.distances
    return {
        "requests": int(counted.requests),
        "rows": int(counted[ROWS]),
        "errors": int(counted[ERRORS]),
        "compared": int(counted[COMPARED]),
        "compared_rows": int(counted[COMPARED_ROWS]),
        "disagreements": int(counted[DISAGREEMENTS]),
        "mean_distance": distances.total / distances.count if distances.count else None,
        "dropped": int(counted[DROPPED]),
        "p99_ms": _ms(counted.variant_latency.quantile(0.99)),
        "first_p99_ms": _ms(counted.primary_latency.quantile(0.99)),
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
