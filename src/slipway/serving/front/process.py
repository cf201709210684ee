"""A front: the process that answers HTTP requests. A front holds plans and no model, and lives through promotions.

A generation arrives over a pipe, is made ready in a thread, and is swapped in between two requests.
"""

import asyncio
import contextlib
import gc
import resource
import signal
import socket
import sys
import threading
import time
from dataclasses import replace
from multiprocessing.connection import Connection as Pipe
from typing import Any

import uvloop

from slipway.serving.config import CaptureFeed, ServingConfig
from slipway.serving.counters.models import CONNECTIONS, TURNS, WAITING, Counters
from slipway.serving.counters.variant import VariantLink
from slipway.serving.front.access_log import AccessLog
from slipway.serving.front.api_keys import KeyRing
from slipway.serving.front.app import App
from slipway.serving.front.capture import CaptureClient
from slipway.serving.front.routing import VariantRouting
from slipway.serving.front.state import FrontState
from slipway.serving.http.connection import Connection
from slipway.serving.http.server import HANDED_ON, HttpServer
from slipway.serving.http.sockets import Acceptor
from slipway.serving.inference.invoke import Invoker
from slipway.serving.inference.model_workers import ModelWorkers
from slipway.serving.inference.models import ServedModel, ServedModels, prepare
from slipway.serving.ipc import channel, messages

_TICK_S = 0.25
_LAST_S = 0.3
_OWN_FILES = 64
"""The files that a front has open beside its connections."""
# A thread that reads a large request lets go of the interpreter this often, for the small ones.
_SWITCH_S = 0.001


def front(
    listener: socket.socket, control: Pipe, config: ServingConfig, counters: Counters, row: int,
    variant_link: VariantLink | None = None, capture: CaptureFeed | None = None,
) -> None:  # fmt: skip
    """Answer on a listening socket until Drain comes, or until the other end of `control` is gone: the process' main.

    No connection is accepted before the first Swap.

    Args:
        listener: The socket that the fronts of an endpoint share.
        control: Brings and takes the messages of `ipc`, by `channel.receive` and `channel.send`.
        config: The configuration of the endpoint.
        counters: The shared counters of the endpoint.
        row: The row of this front in the counters.
        variant_link: The way to the comparer; given with `config.variant_config`.
        capture: The ring for answered requests; None where nothing is captured.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # they are meant for the supervisor, which sends Drain
        signal.signal(number, signal.SIG_IGN)
    sys.setswitchinterval(_SWITCH_S)
    counters.put(row, WAITING, 0)  # the front that had this row before may have left some
    config = replace(config, max_connections=min(config.max_connections, _connections_for(config.max_connections)))
    models, keys = ServedModels(counters, row), KeyRing(config.keys)
    state = FrontState(models, keys, capture_client=CaptureClient(capture, row) if capture else None)
    uvloop.run(_Front(listener, control, config, state, variant_link).run())


def _connections_for(connections: int) -> int:
    """Raise the limit of open files for these connections, and return the number of connections that fit in the limit.

    A front takes twice as many files as connections: refused callers stay for a moment to read why.
    """
    needed, (soft, hard) = 2 * connections + _OWN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return connections if soft == resource.RLIM_INFINITY else max(1, soft - _OWN_FILES)


class _Front:
    def __init__(
        self,
        listener: socket.socket,
        control: Pipe,
        config: ServingConfig,
        state: FrontState,
        variant_link: VariantLink | None,
    ):
        self._listener = listener
        self._control = control
        self._config = config
        self._variant_link = variant_link
        self._state = state
        self._counters = state.models.counters
        self._row = state.models.row
        self._acceptor: Acceptor | None = None
        self._drain: asyncio.Future[float]

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._drain = self._loop.create_future()
        self._backs = ModelWorkers(self._stuck)
        self._log = AccessLog(self._config.access_log)
        invoking = Invoker(self._state.models, self._config, self._backs)
        variant_config, self._variant_routing, headers = self._config.variant_config, None, HANDED_ON
        if variant_config and self._variant_link:
            headers |= {variant_config.sticky_header.lower().encode()}
            self._variant_routing = VariantRouting(
                self._state, self._config, variant_config, self._variant_link, invoking, self._backs, self._stuck
            )
        self._app = App(self._state, self._config, invoking, self._log, self._variant_routing)
        self._server = HttpServer(self._app, self._config, self._app.refused_early, handed_on=headers)
        self._tick()
        threading.Thread(target=self._listen, name="control", daemon=True).start()
        timeout_s = await self._drain
        await self._finish(timeout_s)

    def _tick(self) -> None:
        self._server.tick(self._loop.time())
        self._counters.put(self._row, CONNECTIONS, len(self._server.connections))
        self._counters.add(self._row, TURNS)
        self._log.flush()
        self._loop.call_later(_TICK_S, self._tick)

    # ---- messages of the supervisor

    def _listen(self) -> None:
        """Read messages, in a thread of its own; a large plan takes a while to read and to warm."""
        from slipway.plans import warm  # takes seconds where the fork server has not done it

        warm()
        while True:
            try:
                message = channel.receive(self._control)
            except (EOFError, OSError):  # the supervisor is gone, and nobody would replace what fails here
                message = messages.Drain()
            prepared: list[ServedModel] = []
            if isinstance(message, messages.Swap):
                most, of = self._config.max_rows, (*message.generations, *filter(None, [message.variant]))
                prepared = [prepare(each, self._counters, self._row, most) for each in of]
            try:
                self._loop.call_soon_threadsafe(self._take, message, prepared)
            except RuntimeError:  # the loop has ended
                return
            if isinstance(message, messages.Drain):
                return

    def _take(self, message: Any, prepared: list[ServedModel]) -> None:
        match message:
            case messages.Swap():
                variant = prepared.pop() if message.variant else None
                self._swap(prepared, variant)
            case messages.VariantReport():
                self._state.about_variant = message
            case messages.TakeoverFailure():
                self._state.failures[message.model] = message
            case messages.ValidKeys():
                self._state.keys = KeyRing(message.hashes)
                self._app.served()
            case messages.Drain() if not self._drain.done():
                self._drain.set_result(message.timeout_s)

    def _swap(self, prepared: list[ServedModel], variant: ServedModel | None) -> None:
        former = self._state.models.served
        self._state.models.served = {served.generation.model: served for served in prepared}
        for model, served in self._state.models.served.items():
            if model in former and former[model].generation.number != served.generation.number:
                self._state.failures.pop(model, None)
        if self._variant_routing:
            self._variant_routing.serve(variant)
        self._app.served()
        self._backs.keep([path for served in prepared for path in served.generation.backs])
        if self._acceptor is None:
            # The objects of now stay, and a collection that looked at them again would hold up answers.
            gc.collect()
            gc.freeze()
            self._acceptor = Acceptor(self._listener, self._connection, self._others_are_lighter)
            self._report(messages.Ready())
        self._report(messages.Swapped(tuple(served.generation.number for served in prepared)))

    def _connection(self) -> Connection:
        self._counters.put(self._row, CONNECTIONS, len(self._server.connections) + 1)
        return Connection(self._server)

    def _others_are_lighter(self) -> bool:
        mine = len(self._server.connections)
        return any(
            self._counters.own(row, CONNECTIONS) < mine for row in range(self._counters.fronts) if row != self._row
        )

    def _stuck(self, path: str) -> None:
        self._report(messages.Stuck(path))

    def _report(self, message: object) -> None:
        with contextlib.suppress(OSError):  # the supervisor is gone; the end is on its way
            channel.send(self._control, message)

    # ---- the end

    async def _finish(self, timeout_s: float) -> None:
        self._app.draining = True
        if self._acceptor is not None:
            self._acceptor.close()
        self._listener.close()  # at once: a connection that still came could not be answered
        # A request of this moment is answered with `connection: close`; closing at once would cut some off.
        self._server.closing = True
        await asyncio.sleep(_LAST_S)
        self._server.close()
        until = time.monotonic() + timeout_s
        while self._server.connections and time.monotonic() < until:
            await asyncio.sleep(0.02)
        self._counters.put(self._row, CONNECTIONS, 0)
        self._log.flush()
