"""The supervisor of an endpoint: one listening socket, the fronts that accept from it, and a generation of each model.

The Supervisor is a thread with a mailbox. Each event (a version is wanted, a process sent a message or ended, a time has come)
is a call that is posted to the mailbox and made in order, so the Supervisor needs no locks and never waits. Its process imports
neither MLflow nor scikit-learn.
"""

import socket
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from slipway.core.variants import VariantRecord
from slipway.errors import ServiceFailed, UntrustedModel
from slipway.serving.config import Capture, ServingConfig
from slipway.serving.counters.models import Counters
from slipway.serving.ipc import messages
from slipway.serving.supervisor.capture_writer import CaptureWriter
from slipway.serving.supervisor.child import ForkedProcess
from slipway.serving.supervisor.fork_server import ForkServer
from slipway.serving.supervisor.fronts import Fronts
from slipway.serving.supervisor.generation import WantedVersion
from slipway.serving.supervisor.generations import Generations
from slipway.serving.supervisor.log import Log
from slipway.serving.supervisor.mailbox import Mailbox
from slipway.serving.supervisor.processes import EndpointProcesses
from slipway.serving.supervisor.variant import VariantSupervisor

FRONT = "slipway.serving.front.process:front"
_EVALUATING = ("slipway.plans:warm",)
"""Needed by each front. Fronts are forked before scikit-learn is imported for the backs, so they never carry it."""
_LATER = ("mlflow.pyfunc.scoring_server", "mlflow.sklearn")
"""Needed by each back for odd requests: imported once for all later backs, when the endpoint has served for a while."""
_LATER_S = 5.0
_LATE_S = 2.0
"""How long a front may take to end beyond the time for its answers, and how long again once it was killed."""
_PATIENCE_S = 5.0
"""The least time before a front counts as hanging: on a busy machine its event loop may have to wait."""


class Supervisor:
    """An endpoint that serves `models` on `listener` from `start` to `stop`.

    Args:
        config: Limits, times and keys of the endpoint, and its variant.
        models: Names of the models.
        listener: The listening socket that all fronts accept from.
        env: Environment of its processes.
        log: File that the processes and the supervisor write.
        served: Called with each version that takes over.
        front: `module:function` of a front.
        record: Called with the record of a variant every few seconds, where `config.variant_config` asks for one.
        capture: Configuration of the capture; None to capture nothing.
    """

    def __init__(
        self,
        config: ServingConfig,
        models: Sequence[str],
        listener: socket.socket,
        env: Mapping[str, str],
        log: Path,
        served: Callable[[WantedVersion], None] = lambda _: None,
        front: str = FRONT,
        record: Callable[[VariantRecord], None] = lambda _: None,
        capture: Capture | None = None,
    ):
        self.config = config
        self.listener = listener
        self._front = front
        self._env = dict(env)
        self._log = Log(log)
        self._keys = messages.ValidKeys(config.keys)
        self._counters = Counters(tuple(models), config.fronts)
        self._mailbox = Mailbox()
        self._fronts = Fronts(
            self._counters, self._mailbox, self._log, self._fork_front, self._greeting, self._heard_front,
            patience_s=max(config.timeout_s, _PATIENCE_S),
        )  # fmt: skip
        self._generations = Generations(
            config,
            models,
            self._counters,
            self._mailbox,
            self._log,
            self._fork,
            self._changed,
            self._fronts.tell,
            served,
        )
        self._variant: VariantSupervisor | None = None
        if config.variant_config:
            self._variant = VariantSupervisor(
                config.variant_config, models[0], config, self._counters, self._mailbox, self._log,
                partial(self._generations.wanted, models[0]), self._fork, self._changed,
                self._fronts.tell, self._kill_stuck, record,
            )  # fmt: skip
        self._capture_writer = CaptureWriter(capture, models, config.fronts, self._mailbox, self._log, self._fork)
        self._draining = False
        self._writing_rest = False
        self.ready, self.ended = threading.Event(), threading.Event()
        self._why = ""
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    # ---- what others call, from any thread

    @property
    def log(self) -> Path:
        """The file that the endpoint's processes write."""
        return self._log.path

    def processes(self) -> EndpointProcesses:
        """Return the process ids by role, of an endpoint that has started."""
        variant = self._variant
        return EndpointProcesses(
            fork_server=self._fork_server.pid,
            fronts=self._fronts.pids,
            backs=self._generations.pids,
            variant_backs=variant.generations.pids if variant else (),
            comparer=variant.comparer_pid if variant else None,
            capture_writer=self._capture_writer.pid,
        )

    def start(self) -> None:
        """Start the fronts; they answer once each model has a generation."""
        self._thread.start()

    def want(self, wanted: WantedVersion, again: bool = False) -> None:
        """Serve a version of its model from when it is ready. again: also where it failed before."""
        self._mailbox.post(self._generations.want, wanted, again)

    def want_variant(self, wanted: WantedVersion | None, again: bool = False) -> None:
        """Let a version be the variant from when it is ready, or none for None; ignored without `config.variant_config`."""
        if self._variant:
            self._mailbox.post(self._variant.want, wanted, again)

    def say(self, text: str) -> None:
        """Write a line into the log."""
        self._log.say(text)

    def use_keys(self, hashes: tuple[str, ...] | None) -> None:
        """Let the API keys of these hashes be valid from now on, and no others."""
        self._mailbox.post(self._use_keys, messages.ValidKeys(hashes))

    def wait_until_ready(self, timeout_s: float) -> None:
        """Return when every model is served. Raises UntrustedModel or ServiceFailed with the reason where one cannot be."""
        deadline = time.monotonic() + timeout_s
        while not self.ready.wait(0.05):
            if self.ended.is_set() or time.monotonic() > deadline:
                raise ServiceFailed(self._why or f"the endpoint was not ready within {timeout_s:.0f} s")
            if self._generations.refused:
                raise UntrustedModel(self._generations.refused)
            if failed := next(iter(self._generations.failures.values()), None):
                raise ServiceFailed(f"{failed.model} version {failed.version} cannot be served: {failed.why}")

    def wait(self) -> None:
        """Block while the endpoint runs. Raises ServiceFailed when it ended by itself."""
        while not self.ended.wait(1.0):
            pass
        if self._why:
            raise ServiceFailed(self._why)

    def stop(self) -> None:
        """End the endpoint: accept no connection, and answer the requests under way within `config.drain_s`.

        With `capture` the call also waits until the writer has written the rest. An exception meanwhile, such as a second
        Ctrl-C, ends the wait and not the writer. An endpoint that has ended stays as it is.
        """
        self._mailbox.post(self._drain)
        while self._thread.is_alive() and not self.ended.wait(1.0):
            pass

    # ---- the thread

    def _run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="slipway-", ignore_cleanup_errors=True) as folder:
            self._folder = self._generations.folder = Path(folder)
            self._fork_server = ForkServer(self._env, self._log.path, self._folder)
            try:
                if self._variant:
                    (self._folder / "second").mkdir()
                    self._variant.start(self._folder / "second")
                self._fronts.start()
                while not self.ended.is_set():
                    self._mailbox.next()
            except ServiceFailed as error:
                self._log.say(str(error))
                self._why = str(error)
            except Exception as error:  # whoever waits gets the reason, and no process stays half-alive  # noqa: BLE001
                self._log.say(traceback.format_exc())
                self._why = f"the endpoint ended by itself ({type(error).__name__}); its log is {self._log.path}"
            finally:
                self._end()
                self._fork_server.stop()

    def _fork(self, target: str, *args: Any, **named: Any) -> ForkedProcess:
        if not self._fork_server.alive:  # it was killed, and with it all processes that it had forked
            self._log.say("the fork server ended; another one takes its place")
            self._fork_server.stop()
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._fork_server = ForkServer(self._env, self._log.path, self._folder)
        return self._fork_server.start(target, *args, **named)

    # ---- fronts

    def _fork_front(self, row: int) -> ForkedProcess:
        return self._fork(
            self._front, listener=self.listener, config=self.config, counters=self._counters, row=row,
            variant_link=self._variant.variant_link if self._variant else None, capture=self._capture_writer.feed,
            preload=_EVALUATING,
        )  # fmt: skip

    def _greeting(self) -> list[object]:
        news = [self._snapshot(), *self._generations.failures.values(), self._variant and self._variant.report]
        return [self._keys, *filter(None, news)]

    def _heard_front(self, message: object) -> None:
        if isinstance(message, messages.Ready):
            if not self.ready.is_set():
                self._capture_writer.start()  # not earlier: its imports would have held up the fork server
                self._mailbox.later(_LATER_S, self._preload)
            self.ready.set()
        elif isinstance(message, messages.Stuck):
            self._kill_stuck(message.back)

    def _kill_stuck(self, back: str) -> None:
        for generations in (self._generations, *([self._variant.generations] if self._variant else [])):
            generations.kill_stuck(back)

    def _preload(self) -> None:
        self._fork_server.preload(*_LATER)

    def _use_keys(self, keys: messages.ValidKeys) -> None:
        if keys != self._keys:
            self._keys = keys
            self._fronts.tell(keys)
            self._log.say("the API keys were read again")

    # ---- generations

    def _snapshot(self) -> messages.Swap | None:
        swap = self._generations.snapshot()
        return replace(swap, variant=self._variant.snapshot()) if swap and self._variant else swap

    def _changed(self) -> None:
        if swap := self._snapshot():
            self._fronts.tell(swap)
            if self._variant:
                self._variant.swapped(swap)

    # ---- the end

    def _drain(self) -> None:
        if self._draining:
            return
        self._draining = True
        self._generations.replace_none()
        if self._variant:
            self._variant.generations.replace_none()
        self._log.say("the endpoint ends; the requests under way are answered first")
        self._fronts.end(messages.Drain(self.config.drain_s), self._write_rest)
        self.listener.close()  # the fronts still have it, and accept the connections that wait before they close it
        self._mailbox.later(self.config.drain_s + _LATE_S, self._fronts.kill)
        self._mailbox.later(self.config.drain_s + 2 * _LATE_S, self._write_rest)

    def _write_rest(self) -> None:
        if not self._writing_rest:
            self._writing_rest = True
            self._capture_writer.end(self._end)

    def _end(self) -> None:
        if self.ended.is_set():
            return
        self._draining = True
        self._fronts.kill()
        self._capture_writer.close()
        self._generations.close()
        if self._variant:
            self._variant.close()
        self.listener.close()
        self._log.close()
        self.ended.set()
