"""The generations of an endpoint: one of each model serves, others load beside it or are kept warm behind it."""

import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from slipway.errors import ServiceFailed
from slipway.serving.config import ServingConfig
from slipway.serving.counters.models import BACKS_REPLACED, FAILED_GENERATIONS, SWAPS, Counters
from slipway.serving.ipc import messages
from slipway.serving.ipc.messages import ModelFailed, ModelLoaded
from slipway.serving.supervisor.child import ForkedProcess, ProcessEnded
from slipway.serving.supervisor.generation import BackSlot, SupervisedGeneration, WantedVersion
from slipway.serving.supervisor.log import Log
from slipway.serving.supervisor.mailbox import Mailbox

BACK = "slipway.serving.back.process:back"
_TRY_AGAIN_S = 5.0


class Generations:
    """The generations of some models. Used from the supervisor's thread alone.

    Args:
        config: Configuration of the endpoint.
        models: Names of the models.
        counters: Counters of the endpoint.
        mailbox: Mailbox of the supervisor's thread.
        log: Log of the endpoint.
        fork: Starts a process.
        changed: Called when the fronts need a new Swap.
        failed: Called with each version that does not take over.
        served: Called with each version that takes over.

    Attributes:
        folder: Folder of the Unix sockets; set before the first `want`.
        failures: The last failure of each model since a version of it took over.
        refused: Reason why the last version that failed must not be served at all; "" where it may be tried again.
    """

    def __init__(
        self,
        config: ServingConfig,
        models: Sequence[str],
        counters: Counters,
        mailbox: Mailbox,
        log: Log,
        fork: Callable[..., ForkedProcess],
        changed: Callable[[], None],
        failed: Callable[[messages.TakeoverFailure], None],
        served: Callable[[WantedVersion], None],
    ):
        self._config = config
        self._counters = counters
        self._mailbox = mailbox
        self._log = log
        self._fork = fork
        self._changed = changed
        self._failed_to = failed
        self._served = served
        self.folder = Path()
        self.failures: dict[str, messages.TakeoverFailure] = {}
        self.refused = ""
        self._wanted: dict[str, WantedVersion | None] = dict.fromkeys(models)
        self._current: dict[str, SupervisedGeneration] = {}
        self._others: list[SupervisedGeneration] = []
        self._failed: set[tuple[str, int, str]] = set()
        self._numbers = itertools.count(1)
        self._ended = False

    def snapshot(self) -> messages.Swap | None:
        """Return the generations that the fronts have to serve; None until each model has one: all are swapped together."""
        if len(self._current) < len(self._wanted):
            return None
        return messages.Swap(tuple(serving.snapshot() for serving in self._current.values()))

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the backs of all generations that serve; readable from any thread."""
        backs = [back for serving in list(self._current.values()) for back in list(serving.backs)]
        return tuple(child.pid for child in [back.child for back in backs] if child)

    def serving(self, model: str) -> WantedVersion | None:
        """Return the version that serves; None for none."""
        current = self._current.get(model)
        return current.wanted if current else None

    def wanted(self, model: str) -> WantedVersion | None:
        """Return the version that is to serve, whether it does already or not."""
        return self._wanted[model]

    def replace_none(self) -> None:
        """Replace no process any more."""
        self._ended = True

    def close(self) -> None:
        """Kill the backs of all generations."""
        self._ended = True
        for serving in (*self._current.values(), *self._others):
            serving.close()

    def want(self, wanted: WantedVersion, again: bool) -> None:
        """Serve a version of its model from when it is ready. again: also where it failed before."""
        if self._ended:
            return
        self._wanted[wanted.model] = wanted
        current = self._current.get(wanted.model)
        if current and current.wanted.key == wanted.key:
            return
        if again:
            self._failed.discard(wanted.key)
        known = next((other for other in self._others if other.wanted.key == wanted.key), None)
        if known is None and wanted.key not in self._failed:
            self._load(wanted)
        elif known and known.loaded:
            self._take_over(known)

    def let_go(self, model: str) -> None:
        """Serve no version of a model any more; the former one finishes the requests that it has begun."""
        self._wanted[model] = None
        if former := self._current.pop(model, None):
            self._changed()
            self._keep_warm(former)

    def _load(self, wanted: WantedVersion) -> None:
        self._log.say(f"{wanted} is loaded")
        serving = SupervisedGeneration(wanted, next(self._numbers), self.folder)
        self._others.append(serving)
        back = serving.add_back()
        self._start_back(serving, back)
        if wanted.kept and wanted.model not in self._current:
            self._log.say(f"{wanted} answers from the plan that was kept, while its model loads")
            # Requests that only the model can answer wait at the socket of its back.
            serving.loaded, serving.by_cached_plan, back.ready = wanted.kept, True, True
            self._take_over(serving)

    def _start_back(self, serving: SupervisedGeneration, back: BackSlot) -> None:
        if self._ended or (serving not in self._others and serving not in self._current.values()):
            return
        back.up = False
        child = back.child = self._fork(
            BACK, serving.wanted.load, serving.compiled, self._config.max_rows, listener=back.listener,
            preload=serving.wanted.preload,
        )  # fmt: skip
        child.listen(lambda message: self._mailbox.post(self._heard_back, serving, back, child, message))

    def _heard_back(self, serving: SupervisedGeneration, back: BackSlot, child: ForkedProcess, message: object) -> None:
        if back.child is not child:
            return
        if isinstance(message, ModelLoaded):
            self._back_is_ready(serving, back, message)
        elif isinstance(message, ModelFailed):
            back.child = None
            self._back_failed(serving, back, message)
        elif isinstance(message, ProcessEnded):
            back.child = None
            self._back_gone(serving, back)

    def _back_is_ready(self, serving: SupervisedGeneration, back: BackSlot, loaded: ModelLoaded) -> None:
        back.died, back.up = 0, True
        first, back.ready = not back.ready, True
        if serving.by_cached_plan:
            self._compare_cached_plan(serving, loaded)
        elif serving.loaded is None:
            self._take_note(serving, loaded)
            wanted = self._wanted[serving.wanted.model]
            if wanted and wanted.key == serving.wanted.key:
                self._take_over(serving)
            else:
                self._keep_warm(serving)
        elif first and serving in self._current.values():
            self._changed()

    def _take_note(self, serving: SupervisedGeneration, loaded: ModelLoaded) -> None:
        serving.loaded = loaded
        if loaded.why_not:
            self._log.say(f"{serving.wanted} is not compiled, the model itself answers: {loaded.why_not}")
            for _ in range(self._config.fronts - 1):
                self._start_back(serving, serving.add_back())
        if serving.wanted.plan_cache:
            serving.wanted.plan_cache.keep(loaded)

    def _compare_cached_plan(self, serving: SupervisedGeneration, loaded: ModelLoaded) -> None:
        serving.by_cached_plan = False
        if loaded == serving.loaded:
            self._log.say(f"{serving.wanted} is loaded; the plan that was kept is what it compiles to")
            return
        self._log.say(f"the plan that was kept is not what {serving.wanted} compiles to, and is replaced")
        self._take_note(serving, loaded)
        if serving in self._current.values():
            self._changed()

    def _back_failed(self, serving: SupervisedGeneration, back: BackSlot, failed: ModelFailed) -> None:
        if serving.by_cached_plan and not failed.passing:  # a start without a cached plan fails as well
            raise ServiceFailed(f"{serving.wanted} cannot be served any more: {failed.why}")
        if serving.loaded:  # the generation serves, and a successor of one of its backs failed
            self._log.say(f"a process of {serving.wanted} could not be replaced: {failed.why}")
            self._mailbox.later(_TRY_AGAIN_S, self._start_back, serving, back)
            return
        wanted = serving.wanted
        self._drop(serving)
        self._failed.add(wanted.key)
        self.refused = failed.why if failed.refused else ""
        self._counters.add(self._counters.supervisor, FAILED_GENERATIONS)
        self._log.say(f"{wanted} does not take over: {failed.why}")
        failure = self.failures[wanted.model] = messages.TakeoverFailure(
            wanted.model, wanted.version, failed.why, time.time()
        )
        self._failed_to(failure)
        if failed.passing:
            self._mailbox.later(_TRY_AGAIN_S, self._try_again, wanted)

    def _try_again(self, wanted: WantedVersion) -> None:
        if self._wanted[wanted.model] == wanted:
            self.want(wanted, again=True)

    def _back_gone(self, serving: SupervisedGeneration, back: BackSlot) -> None:
        back.died += 1
        if serving.loaded is None or serving.by_cached_plan:
            self._back_failed(serving, back, ModelFailed("its process ended while it loaded; the log says more"))
            return
        if self._ended:
            return
        self._log.say(f"a process of {serving.wanted} ended; another one takes its place")
        self._counters.add(self._counters.supervisor, BACKS_REPLACED)
        self._mailbox.later(0.0 if back.died < 3 else _TRY_AGAIN_S, self._start_back, serving, back)

    def kill_stuck(self, path: str) -> None:
        """Kill the back behind a Unix socket, unless it is loading; its end is heard, and another one takes its place."""
        for serving in (*self._current.values(), *self._others):
            for back in serving.backs:
                if str(back.path) == path and back.child and back.up:  # a back that loads is waited for
                    self._log.say(f"a process of {serving.wanted} did not answer in time and is killed")
                    back.child.kill()

    def _take_over(self, serving: SupervisedGeneration) -> None:
        model = serving.wanted.model
        former = self._current.get(model)
        self._others.remove(serving)
        serving.retired_at = None
        self._current[model] = serving
        self.failures.pop(model, None)
        self._changed()
        self._log.say(f"{serving.wanted} takes over")
        self._counters.add(self._counters.supervisor, SWAPS)
        if former:
            self._keep_warm(former)
        self._served(serving.wanted)

    def _keep_warm(self, serving: SupervisedGeneration) -> None:
        if serving not in self._others:
            self._others.append(serving)
        # A front may have begun requests with it, which it has to answer yet.
        kept_s = max(self._config.keep_warm_s, self._config.timeout_s)
        serving.retired_at = time.monotonic() + kept_s
        self._mailbox.later(kept_s + 0.1, self._retire, serving)

    def _retire(self, serving: SupervisedGeneration) -> None:
        if serving in self._others and serving.retired_at and time.monotonic() >= serving.retired_at:
            self._drop(serving)

    def _drop(self, serving: SupervisedGeneration) -> None:
        self._others.remove(serving)
        for back in serving.backs:
            child, back.child = back.child, None
            if child:
                child.kill()
        serving.close()
