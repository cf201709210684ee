"""The comparer: the process that compares a variant with the primary. Fronts send it copies of what they answered and go on.

A shadow is asked in this process. A canary has answered already, so this process asks the primary for the answer that the
primary would have given. The process runs at a low priority; when it does not keep up, the sockets fill and the fronts drop
copies.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection

from slipway.core.variants import VariantRole
from slipway.serving.comparer.difference import Spread, apart, difference
from slipway.serving.config import ServingConfig
from slipway.serving.contract import Generation
from slipway.serving.counters.models import Counters
from slipway.serving.counters.variant import (
    COMPARED,
    COMPARED_ROWS,
    DISAGREEMENTS,
    DROPPED,
    ERRORS,
    PRIMARY_LATENCY,
    ROWS,
    VariantCounters,
    VariantRow,
)
from slipway.serving.http.messages import Request, Response
from slipway.serving.inference.invoke import Invoker
from slipway.serving.inference.model_workers import ModelWorkers
from slipway.serving.inference.models import ServedModel, ServedModels, prepare
from slipway.serving.ipc import channel, messages
from slipway.serving.ipc.frames import MOST_BYTES, Frames, MirroredRequest, mirrored_request
from slipway.serving.protocol.content_types import JSON
from slipway.serving.protocol.fast_path import Answered

_CHUNK = 1 << 18
_WAITING = 64
_AT_ONCE = 4
_READY_WITHIN_S = 20.0
_NICE = {VariantRole.SHADOW: 19, VariantRole.CANARY: 10}
"""The comparison of a shadow can wait until nobody asks anything; a canary answers callers, so its violation must show soon."""

log = logging.getLogger(__name__)


def comparing(listener: socket.socket, control: Connection, config: ServingConfig, numbers: VariantCounters) -> None:
    """Compare the copies that arrive on a Unix socket until the other end of `control` is gone: the process' main.

    Args:
        listener: The socket that the fronts connect to.
        control: Brings each Swap that the fronts get too, of which the last counts; takes Stuck messages.
        config: The configuration of the endpoint, with a `variant_config`.
        numbers: The shared counters of the variant.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the supervisor
        signal.signal(number, signal.SIG_IGN)
    assert config.variant_config is not None
    os.nice(_NICE[config.variant_config.role])
    asyncio.run(_Comparing(listener, control, config, numbers.row(numbers.comparing)).run())


class _AskedVersion:
    """The variant or the primary, asked as a front asks it."""

    def __init__(self, config: ServingConfig, stuck: Callable[[str], None]):
        self._models = ServedModels(Counters((), 1), 0)
        self._backs = ModelWorkers(stuck)
        self._invoking = Invoker(self._models, config, self._backs)
        self.served: ServedModel | None = None

    def serve(self, served: ServedModel) -> None:
        self.served = served
        self._models.served = {"": served}
        self._backs.keep(served.generation.backs)

    async def answer(self, copy: MirroredRequest) -> Response:
        answer = self._invoking(Request(b"POST", b"", {b"content-type": copy.content_type}, copy.body, ""), "")
        return answer if isinstance(answer, Response) else await answer


class _Comparing:
    def __init__(self, listener: socket.socket, control: Connection, config: ServingConfig, row: VariantRow):
        self._listener = listener
        self._control = control
        self._config = config
        self._row = row
        self._primary = _AskedVersion(config, self._stuck)
        self._variant = _AskedVersion(config, self._stuck)
        self._pair = (0, 0)
        self._former = set[tuple[int, int]]()
        self._spread: Spread | None = None
        self._copies: asyncio.Queue[MirroredRequest] = asyncio.Queue(_WAITING)
        self._copied_bytes = 0
        self._room = asyncio.Event()

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._served = asyncio.Event()
        threading.Thread(target=self._listen, name="control", daemon=True).start()
        async with await asyncio.start_unix_server(self._take, sock=self._listener, limit=_CHUNK):
            await asyncio.gather(*(self._work() for _ in range(_AT_ONCE)))

    def _listen(self) -> None:
        from slipway.plans import warm

        warm()
        counters = Counters(("",), 1)  # shared with nobody: this process counts in its VariantRow alone
        with contextlib.suppress(EOFError, OSError):
            while True:
                message = channel.receive(self._control)
                if isinstance(message, messages.Swap) and message.variant:
                    both = (message.generations[0], message.variant)
                    primary, variant = (_prepared(each, counters, self._config.max_rows) for each in both)
                    self._loop.call_soon_threadsafe(self._serve, primary, variant)
        os._exit(0)

    def _serve(self, primary: ServedModel, variant: ServedModel) -> None:
        self._primary.serve(primary)
        self._variant.serve(variant)
        self._former.add(self._pair)
        self._pair = primary.generation.number, variant.generation.number
        self._spread = None if primary.generation.signature.classes else Spread()
        self._served.set()
        self._served = asyncio.Event()

    def _stuck(self, path: str) -> None:
        with contextlib.suppress(OSError):
            channel.send(self._control, messages.Stuck(path))

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = Frames()
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                for content in frames.feed(data):
                    await self._keep(mirrored_request(content))
        writer.close()

    async def _keep(self, copy: MirroredRequest) -> None:
        """Queue a copy once there is room for the copy; until then the fronts keep theirs, or drop them."""
        while self._copied_bytes > MOST_BYTES:
            await self._room.wait()
        self._copied_bytes += copy.size
        await self._copies.put(copy)

    async def _next(self) -> MirroredRequest:
        copy = await self._copies.get()
        self._copied_bytes -= copy.size
        self._room.set()
        self._room = asyncio.Event()
        return copy

    async def _work(self) -> None:
        while True:
            copy = await self._next()
            if not await self._is_of_now(copy):
                self._row.add(DROPPED)
                continue
            try:
                await (self._shadow(copy) if self._is_shadow else self._canary(copy))
            except Exception:  # whatever the error is, the next copies are compared
                log.exception("an answer was not compared")
                self._row.add(DROPPED)
            await asyncio.sleep(0)

    async def _is_of_now(self, copy: MirroredRequest) -> bool:
        """Whether a copy is of the pair that is served here; a pair that the fronts serve already is waited for."""
        while copy.pair != self._pair and copy.pair not in self._former:
            try:
                await asyncio.wait_for(self._served.wait(), _READY_WITHIN_S)
            except TimeoutError:  # a pair of before this process
                self._former.add(copy.pair)
        return copy.pair == self._pair

    @property
    def _is_shadow(self) -> bool:
        return self._config.variant_config is not None and self._config.variant_config.role is VariantRole.SHADOW

    async def _shadow(self, copy: MirroredRequest) -> None:
        answer, ours_s, theirs_s = self._both_from_plans(copy) or (None, 0.0, copy.seconds)
        if answer is None:
            began = time.perf_counter()
            answer = await self._variant.answer(copy)
            ours_s = time.perf_counter() - began
        self._row.answered(answer.status, ours_s)
        self._row.took(PRIMARY_LATENCY, theirs_s)
        if answer.status != 200:
            self._row.add(ERRORS)
            return
        self._row.add(ROWS, self._compare(copy, answer.body, copy.answer))

    def _both_from_plans(self, copy: MirroredRequest) -> tuple[Response, float, float] | None:
        """Return the variant's answer and the seconds of variant and primary, where both plans answer; else None.

        The seconds are CPU time of this thread, so that they compare however often other processes interrupt this one.
        """
        answers, seconds = list[Answered | None](), list[float]()
        for served in (self._variant.served, self._primary.served):
            if served is None or served.fast_path is None or copy.content_type != JSON:
                return None
            began = time.thread_time()
            answers.append(served.fast_path.answer(copy.body))
            seconds.append(time.thread_time() - began)
        ours, theirs = answers
        if ours is None or theirs is None or (ours.finds and self._config.strict):  # a strict endpoint may refuse it
            return None
        return Response(200, ours.body), seconds[0], seconds[1]

    async def _canary(self, copy: MirroredRequest) -> None:
        answer = await self._primary.answer(copy)
        if answer.status >= 500:  # the primary has trouble of its own
            self._row.add(DROPPED)
            return
        self._compare(copy, copy.answer, answer.body if answer.status == 200 else b'{"predictions": []}')

    def _compare(self, copy: MirroredRequest, ours: bytes, theirs: bytes) -> int:
        compared = difference(ours, theirs, self._spread)
        self._row.add(COMPARED)
        self._row.add(COMPARED_ROWS, compared.rows)
        self._row.add(DISAGREEMENTS, compared.disagreements)
        self._row.apart(compared.distances or self._distances(copy))
        return compared.rows

    def _distances(self, copy: MirroredRequest) -> list[float]:
        """Return the distances of the probabilities behind two answers with labels; empty where the plans give none."""
        primary, variant = self._primary.served, self._variant.served
        if copy.content_type != JSON or not (primary and primary.fast_path and variant and variant.fast_path):
            return []
        if primary.generation.signature.classes != variant.generation.signature.classes:
            return []
        ours, theirs = variant.fast_path.probabilities(copy.body), primary.fast_path.probabilities(copy.body)
        return apart(ours, theirs) if ours is not None and theirs is not None else []


def _prepared(generation: Generation, counters: Counters, max_rows: int) -> ServedModel:
    return prepare(replace(generation, model=""), counters, 0, max_rows)
