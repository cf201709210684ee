"""The supervisor of an endpoint: one listening socket, the fronts that accept from it, and a generation of each model.

It is a thread with an inbox. Whatever happens (a version is wanted, a process said something or ended, a time has come) is a
call that is put there and made in order, so nothing here is locked and nothing waits. It imports neither MLflow nor what models
are made of.
"""

import heapq
import itertools
import queue
import socket
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from slipway.errors import ServiceFailed, UntrustedModel
from slipway.serving import wire
from slipway.serving.child import Child, Gone
from slipway.serving.config import ServingConfig
from slipway.serving.counters import BACKS_REPLACED, FAILED_GENERATIONS, FRONTS_REPLACED, SWAPS, Counters
from slipway.serving.generation import Back, Serving, Wanted
from slipway.serving.log import Log
from slipway.serving.nursery import Nursery
from slipway.serving.reports import Failed, Loaded

FRONT, BACK = "slipway.serving.front:front", "slipway.serving.back:back"
_LATER = ("mlflow.pyfunc.scoring_server", "mlflow.sklearn")
"""What each back needs for odd requests: imported once for all that come, when the endpoint has served for a while."""
_LATER_S = 5.0
_TRY_AGAIN_S = 5.0
_PAUSE_S = 0.2


class Supervisor:
    """An endpoint that serves `models` on `listener` from `start` to `stop`.

    env: of its processes. log: what they and the supervisor write. served: called with each version that takes over.
    """

    def __init__(
        self,
        config: ServingConfig,
        models: Sequence[str],
        listener: socket.socket,
        env: Mapping[str, str],
        log: Path,
        served: Callable[[Wanted], None] = lambda _: None,
        front: str = FRONT,
    ):
        self.config, self.listener, self._front = config, listener, front
        self._env, self._served, self._log = dict(env), served, Log(log)
        self._keys = wire.Keys(config.keys)
        self._counters = Counters(tuple(models), config.fronts)
        self._inbox: queue.Queue[Callable[[], None]] = queue.Queue()
        self._later_calls: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count(1)
        self._wanted: dict[str, Wanted | None] = dict.fromkeys(models)
        self._current: dict[str, Serving] = {}
        self._others: list[Serving] = []
        self._failures: dict[str, wire.Failure] = {}
        self._failed: set[tuple[str, int, str]] = set()
        self._fronts: dict[int, Child] = {}
        self._draining = False
        self.ready, self.ended = threading.Event(), threading.Event()
        self._why = self._refused = ""
        self.reload: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    # ---- what others call, from any thread

    def start(self) -> None:
        """Start the fronts; they answer when a first generation is there."""
        self._thread.start()

    def want(self, wanted: Wanted, again: bool = False) -> None:
        """Serve this version of its model from when it is ready. again: also when it failed before."""
        self._post(self._want, wanted, again)

    def say(self, text: str) -> None:
        """Write a line into the log."""
        self._log.say(text)

    def use_keys(self, hashes: tuple[str, ...] | None) -> None:
        """Let these API keys be valid from now on."""
        self._post(self._use_keys, wire.Keys(hashes))

    def wait_until_ready(self, timeout_s: float) -> None:
        """Return when every model is served. Raises UntrustedModel or ServiceFailed with the reason when one cannot be."""
        deadline = time.monotonic() + timeout_s
        while not self.ready.wait(0.05):
            if self.ended.is_set() or time.monotonic() > deadline:
                raise ServiceFailed(self._why or f"the endpoint was not ready within {timeout_s:.0f} s")
            if self._refused:
                raise UntrustedModel(self._refused)
            if failed := next(iter(self._failures.values()), None):
                raise ServiceFailed(f"{failed.model} version {failed.version} cannot be served: {failed.why}")

    def wait(self) -> None:
        """Block while the endpoint is up. Raises ServiceFailed when it ended by itself."""
        while not self.ended.wait(1.0):
            pass
        if self._why:
            raise ServiceFailed(self._why)

    def stop(self) -> None:
        """Accept nothing more, let what is under way be answered within the time for that, and end; once ended, do nothing."""
        self._post(self._drain)
        if not self.ended.wait(self.config.drain_s + 5.0):
            self._post(self._end)
            self.ended.wait(5.0)

    # ---- the thread

    def _post(self, call: Callable[..., None], *args: Any) -> None:
        self._inbox.put(lambda: call(*args))

    def _later(self, seconds: float, call: Callable[..., None], *args: Any) -> None:
        entry = (time.monotonic() + seconds, next(self._numbers), lambda: call(*args))
        heapq.heappush(self._later_calls, entry)

    def _run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="slipway-", ignore_cleanup_errors=True) as folder:
            self._folder = Path(folder)
            self._nursery = Nursery(self._env, self._log.path, self._folder)
            try:
                for row in range(self.config.fronts):
                    self._start_front(row)
                while not self.ended.is_set():
                    self._next()
            except Exception as error:  # whoever waits is told; nothing stays half-alive  # noqa: BLE001
                self._log.say(traceback.format_exc())
                self._why = f"the endpoint ended by itself ({type(error).__name__}); its log is {self._log.path}"
            finally:
                self._end()
                self._nursery.stop()

    def _next(self) -> None:
        due = self._later_calls[0][0] - time.monotonic() if self._later_calls else 3600.0
        if due <= 0:
            heapq.heappop(self._later_calls)[2]()
            return
        try:
            call = self._inbox.get(timeout=due)
        except queue.Empty:
            return
        call()

    def _fork(self, target: str, *args: Any, **named: Any) -> Child:
        if not self._nursery.alive:  # killed, and with it all that it had forked
            self._log.say("the process that starts others ended; another one takes its place")
            self._nursery.stop()
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._nursery = Nursery(self._env, self._log.path, self._folder)
        return self._nursery.start(target, *args, **named)

    # ---- fronts

    def _start_front(self, row: int) -> None:
        if self._draining:
            return
        child = self._fork(self._front, listener=self.listener, config=self.config, counters=self._counters, row=row)
        self._fronts[row] = child
        born = time.monotonic()
        child.listen(lambda said: self._post(self._front_said, row, child, born, said))
        child.tell(self._keys)
        if self._current:
            child.tell(self._swap())
        for failure in self._failures.values():
            child.tell(failure)

    def _front_said(self, row: int, child: Child, born: float, said: object) -> None:
        if isinstance(said, Gone):
            self._front_gone(row, child, born)
        elif isinstance(said, wire.Ready):
            if not self.ready.is_set():
                self._later(_LATER_S, self._preload)
            self.ready.set()
        elif isinstance(said, wire.Stuck):
            self._stuck(said.back)
        elif isinstance(said, wire.Reload):
            self.reload()

    def _preload(self) -> None:
        self._nursery.preload(*_LATER)

    def _front_gone(self, row: int, child: Child, born: float) -> None:
        if self._fronts.get(row) is not child:
            return
        del self._fronts[row]
        if self._draining:
            if not self._fronts:
                self._end()
            return
        self._log.say(f"front {row} ended; another one takes its place")
        self._counters.add(self._counters.supervisor, FRONTS_REPLACED)
        if time.monotonic() - born < _PAUSE_S:
            self._later(_PAUSE_S, self._start_front, row)
        else:
            self._start_front(row)

    def _tell_fronts(self, message: object) -> None:
        for child in self._fronts.values():
            child.tell(message)

    def _swap(self) -> wire.Swap:
        return wire.Swap(tuple(serving.told() for serving in self._current.values()))

    def _use_keys(self, keys: wire.Keys) -> None:
        if keys != self._keys:
            self._keys = keys
            self._tell_fronts(keys)
            self._log.say("the API keys were read again")

    # ---- generations

    def _want(self, wanted: Wanted, again: bool) -> None:
        if self._draining:
            return
        self._wanted[wanted.model] = wanted
        current = self._current.get(wanted.model)
        if current and current.wanted.key == wanted.key:
            return
        if again:
            self._failed.discard(wanted.key)
        found = next((other for other in self._others if other.wanted.key == wanted.key), None)
        if found is None and wanted.key not in self._failed:
            self._load(wanted)
        elif found and found.loaded:
            self._take_over(found)

    def _load(self, wanted: Wanted) -> None:
        self._log.say(f"{wanted} is loaded")
        serving = Serving(wanted, next(self._numbers), self._folder)
        self._others.append(serving)
        self._start_back(serving, serving.add_back())

    def _start_back(self, serving: Serving, back: Back) -> None:
        if self._draining or (serving not in self._others and serving not in self._current.values()):
            return
        child = back.child = self._fork(
            BACK, serving.wanted.load, serving.compiled, self.config.max_rows, listener=back.listener,
            preload=serving.wanted.preload,
        )  # fmt: skip
        child.listen(lambda said: self._post(self._back_said, serving, back, child, said))

    def _back_said(self, serving: Serving, back: Back, child: Child, said: object) -> None:
        if back.child is not child:
            return
        if isinstance(said, Loaded):
            self._back_is_ready(serving, back, said)
        elif isinstance(said, Failed):
            back.child = None
            self._back_failed(serving, back, said)
        elif isinstance(said, Gone):
            back.child = None
            self._back_gone(serving, back)

    def _back_is_ready(self, serving: Serving, back: Back, loaded: Loaded) -> None:
        back.died = 0
        first, back.ready = not back.ready, True
        if serving.loaded is None:
            serving.loaded = loaded
            if loaded.why_not:
                self._log.say(f"{serving.wanted} is not compiled, the model itself answers: {loaded.why_not}")
                for _ in range(self.config.fronts - 1):
                    self._start_back(serving, serving.add_back())
            wanted = self._wanted[serving.wanted.model]
            if wanted and wanted.key == serving.wanted.key:
                self._take_over(serving)
            else:
                self._keep_warm(serving)
        elif first and serving in self._current.values():
            self._tell_fronts(self._swap())

    def _back_failed(self, serving: Serving, back: Back, failed: Failed) -> None:
        if serving.loaded:  # it serves, and one of its processes could not be replaced
            self._log.say(f"a process of {serving.wanted} could not be replaced: {failed.why}")
            self._later(_TRY_AGAIN_S, self._start_back, serving, back)
            return
        wanted = serving.wanted
        self._drop(serving)
        self._failed.add(wanted.key)
        self._refused = failed.why if failed.refused else ""
        self._counters.add(self._counters.supervisor, FAILED_GENERATIONS)
        self._log.say(f"{wanted} does not take over: {failed.why}")
        failure = self._failures[wanted.model] = wire.Failure(wanted.model, wanted.version, failed.why, time.time())
        self._tell_fronts(failure)
        if failed.passing:
            self._later(_TRY_AGAIN_S, self._try_again, wanted)

    def _try_again(self, wanted: Wanted) -> None:
        if self._wanted[wanted.model] == wanted:
            self._want(wanted, again=True)

    def _back_gone(self, serving: Serving, back: Back) -> None:
        back.died += 1
        if serving.loaded is None:
            self._back_failed(serving, back, Failed("its process ended while it loaded; the log says more"))
            return
        if self._draining:
            return
        self._log.say(f"a process of {serving.wanted} ended; another one takes its place")
        self._counters.add(self._counters.supervisor, BACKS_REPLACED)
        self._later(0.0 if back.died < 3 else _TRY_AGAIN_S, self._start_back, serving, back)

    def _stuck(self, path: str) -> None:
        for serving in (*self._current.values(), *self._others):
            for back in serving.backs:
                if str(back.path) == path and back.child and back.ready:
                    self._log.say(f"a process of {serving.wanted} did not answer in time and is killed")
                    back.child.kill()

    def _take_over(self, serving: Serving) -> None:
        model = serving.wanted.model
        former = self._current.get(model)
        self._others.remove(serving)
        serving.retired_at = None
        self._current[model] = serving
        self._failures.pop(model, None)
        if len(self._current) == len(self._wanted):  # several models answer together, from when all are there
            self._tell_fronts(self._swap())
        self._log.say(f"{serving.wanted} takes over")
        self._counters.add(self._counters.supervisor, SWAPS)
        if former:
            self._keep_warm(former)
        self._served(serving.wanted)

    def _keep_warm(self, serving: Serving) -> None:
        if serving not in self._others:
            self._others.append(serving)
        # Requests that a front had begun with it are answered by it.
        kept_s = max(self.config.keep_warm_s, self.config.timeout_s)
        serving.retired_at = time.monotonic() + kept_s
        self._later(kept_s + 0.1, self._retire, serving)

    def _retire(self, serving: Serving) -> None:
        if serving in self._others and serving.retired_at and time.monotonic() >= serving.retired_at:
            self._drop(serving)

    def _drop(self, serving: Serving) -> None:
        self._others.remove(serving)
        for back in serving.backs:
            child, back.child = back.child, None
            if child:
                child.kill()
        serving.close()

    # ---- the end

    def _drain(self) -> None:
        if self._draining:
            return
        self._draining = True
        self._log.say("the endpoint ends; what is under way is answered first")
        self._tell_fronts(wire.Drain(self.config.drain_s))
        self.listener.close()  # the fronts have it still, and take what has been connected before they let go of it
        self._later(self.config.drain_s + 2.0, self._end)
        if not self._fronts:
            self._end()

    def _end(self) -> None:
        if self.ended.is_set():
            return
        self._draining = True
        for child in self._fronts.values():
            child.kill()
        for serving in (*self._current.values(), *self._others):
            serving.close()
        self.listener.close()
        self.ended.set()
