"""Requests to a model: answered by the fast path or by a back, within the limits of the endpoint."""

import asyncio
import json
import time
from collections.abc import Awaitable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from slipway.core.expectations import Find
from slipway.serving.config import ServingConfig
from slipway.serving.counters.models import BACK, FAST_PATH, WAITING
from slipway.serving.http.messages import LARGE_BODY_BYTES, Request, Response, refusal
from slipway.serving.inference.model_workers import ModelWorkers, WorkerLost
from slipway.serving.inference.models import ServedModel, ServedModels
from slipway.serving.protocol.content_types import JSON, normalised
from slipway.serving.protocol.fast_path import Answered
from slipway.serving.protocol.limits import TooManyRows, is_deeper

_TRIES = 2
"""A request that makes backs end must not end a third back."""


class Invoker:
    """Answers POST /invocations of the models that a process serves.

    Args:
        models: The models.
        config: The limits of the endpoint.
        backs: The links to the backs of the models.
        tries: How many backs are asked where one after the other ends.
        final: Whether callers get the refusals too. Else another version is asked then, which counts the unexpected values.
    """

    def __init__(
        self,
        models: ServedModels,
        config: ServingConfig,
        backs: ModelWorkers,
        *,
        tries: int = _TRIES,
        final: bool = True,
    ):
        self._models = models
        self._config = config
        self._backs = backs
        self._tries = tries
        self._final = final
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, "fast path")

    def __call__(self, request: Request, model: str) -> Response | Coroutine[Any, Any, Response]:
        """Answer a request to a served model, at once where the fast path can."""
        served = self._models.served[model]
        kind = normalised(request.headers.get(b"content-type", b""))
        if served.fast_path is not None and kind == JSON:
            if len(request.body) > LARGE_BODY_BYTES:
                return self._queued(self._answer_large(request, model, served))
            if (answer := _answer_fast(request.body, served)) is not None:
                return self._counted_rows(answer, served)
        return self._queued(self._answer_by_back(request, model, kind))

    def _queued(self, answer: Coroutine[Any, Any, Response]) -> Response | Coroutine[Any, Any, Response]:
        if self._waiting >= self._config.max_waiting:
            answer.close()
            return Response(
                503, refusal(503, "too many requests are waiting; try again in a moment"), headers=b"retry-after: 1\r\n"
            )
        return self._counted(answer)

    async def _counted(self, answer: Awaitable[Response]) -> Response:
        self._count(1)
        try:
            return await answer
        finally:
            self._count(-1)

    def _count(self, more: int) -> None:
        self._waiting += more
        self._models.counters.add(self._models.row, WAITING, more)

    async def _answer_large(self, request: Request, model: str, served: ServedModel) -> Response:
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._thread, _answer_fast, request.body, served)
        if answer is None:
            return await self._answer_by_back(request, model, JSON)
        return self._counted_rows(answer, served)

    async def _answer_by_back(self, request: Request, model: str, kind: bytes) -> Response:
        if wrong := await self._refused_before(request, kind):
            return wrong
        deadline = time.monotonic() + self._config.timeout_s
        for _ in range(self._tries):
            served = self._models.served[model]  # a promotion may have come since the last try
            try:
                answer = await self._backs.ask(served.generation.backs, kind.decode("latin-1"), request.body, deadline)
            except WorkerLost:
                continue
            except TimeoutError:
                message = f"the model did not answer within {self._config.timeout_s:g} s"
                return Response(504, refusal(504, message), headers=served.headers, by=served.generation)
            if answer.finds and (broken := self._broken(answer.finds, served, failed=answer.status >= 400)):
                return broken
            if answer.status == 200:
                served.part.count_rows(0, BACK)
            body = answer.body if answer.status < 400 else cleaned(answer.status, answer.body)
            mimetype = JSON if answer.status >= 400 else answer.mimetype.encode()
            return Response(answer.status, body, mimetype, served.headers, served.generation)
        message = "the process that was to answer ended, twice; another one is being started"
        return Response(503, refusal(503, message), headers=b"retry-after: 5\r\n")

    def _counted_rows(self, answer: Answered | Response, served: ServedModel) -> Response:
        if isinstance(answer, Response):
            return answer
        if answer.finds and (broken := self._broken(answer.finds, served)):
            return broken
        served.part.count_rows(answer.rows, FAST_PATH)
        return Response(200, answer.body, headers=served.headers, by=served.generation)

    def _broken(self, finds: Sequence[Find], served: ServedModel, *, failed: bool = False) -> Response | None:
        """Count the finds; return a refusal where they break the contract and the endpoint is strict, else None."""
        why = served.values.breach(finds) if self._config.strict else None
        if self._final or not (why or failed):
            served.part.count_finds((served.values.columns[find.column].name, find) for find in finds)
        return Response(400, refusal(400, why), headers=served.headers, by=served.generation) if why else None

    async def _refused_before(self, request: Request, kind: bytes) -> Response | None:
        if not kind:
            return Response(415, refusal(415, "name the format of the body: Content-Type: application/json"))
        if not kind.startswith(JSON):
            return None
        look, most = partial(is_deeper, request.body, self._config.max_json_depth), self._config.max_json_depth
        large = len(request.body) > LARGE_BODY_BYTES
        if await asyncio.get_running_loop().run_in_executor(self._thread, look) if large else look():
            message = f"the JSON is nested deeper than {most}, or its brackets are not closed"
            return Response(400, refusal(400, message))
        return None


def _answer_fast(body: bytes, served: ServedModel) -> Answered | Response | None:
    """Return the answer of the fast path, or a refusal; None when the request is for a back."""
    assert served.fast_path is not None
    try:
        return served.fast_path.answer(body)
    except TooManyRows as many:
        return Response(413, refusal(413, str(many)), headers=served.headers, by=served.generation)


def cleaned(status: int, body: bytes) -> bytes:
    """Return the body of an error with nothing but the code and a short message of the back's answer."""
    try:
        error = json.loads(body)
        return refusal(status, str(error["message"])[:1000], str(error["error_code"])[:100])
    except (ValueError, KeyError, TypeError):
        return refusal(status, "the model refused the request")
