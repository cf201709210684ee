"""The routes of an endpoint: the handler of each path, the key that a caller needs, and the headers of each answer."""

import asyncio
import itertools
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version as installed
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from slipway.serving.config import ServingConfig
from slipway.serving.counters.models import ModelCounters
from slipway.serving.front import try_page
from slipway.serving.front.access_log import AccessLog
from slipway.serving.front.feedback import Feedback
from slipway.serving.front.metrics import CONTENT_TYPE, metrics
from slipway.serving.front.openapi import document
from slipway.serving.front.readiness import readiness
from slipway.serving.front.routing import VariantRouting
from slipway.serving.front.state import FrontState
from slipway.serving.http.messages import Request, Response, refusal
from slipway.serving.inference.invoke import Invoker
from slipway.serving.inference.models import ServedModel
from slipway.serving.protocol.content_types import JSON

Answer = Response | Awaitable[Response]

_MOST_FORM_BYTES = 100_000
_SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_UNNAMED = b'www-authenticate: Bearer, Basic realm="slipway"\r\n'


@dataclass(frozen=True)
class Route:
    """A path of an endpoint.

    Attributes:
        methods: The methods that the path takes.
        do: The handler.
        open: Whether a caller needs no key.
        model: The model that the path belongs to; "" for none.
    """

    methods: tuple[bytes, ...]
    do: Callable[[Request], Answer]
    open: bool = False
    model: str = ""


class App:
    """Handles the requests of a front.

    Args:
        state: The state of the front.
        config: The limits and keys of the endpoint.
        invoking: Answers POST /invocations, also behind the page to try a model.
        access_log: Takes a line for each answer.
        variant_routing: Answers POST /invocations in place of `invoking` while there is a variant; None without one.
    """

    def __init__(
        self,
        state: FrontState,
        config: ServingConfig,
        invoking: Invoker,
        access_log: AccessLog,
        variant_routing: VariantRouting | None = None,
    ):
        self._state = state
        self._config = config
        self._invoking = invoking
        self._log = access_log
        self._variant_routing = variant_routing
        self._feedback = Feedback(state, config)
        self._others = ModelCounters(state.models.counters, state.models.row, "")
        self._ids = map(f"{secrets.token_hex(6)}-%x".__mod__, itertools.count(1))
        self._version = installed("mlflow").encode()
        self.draining = False
        self._routes: dict[bytes, Route] = {}
        self._document = b""
        self.served()

    def served(self) -> None:
        """Build the routes and the OpenAPI document anew for the models that are served now."""
        get = (b"GET", b"HEAD")
        routes = {
            b"/ping": Route(get, lambda _: Response(200, b"\n"), open=True),
            b"/health": Route(get, lambda _: Response(200, b"\n"), open=True),
            b"/version": Route(get, lambda _: Response(200, self._version), open=True),
            b"/ready": Route(get, self._ready, open=True),
            b"/metrics": Route(get, self._metrics),
            b"/openapi.json": Route(get, lambda _: Response(200, self._document)),
            b"/style.css": Route(get, lambda _: _asset("style.css", b"text/css; charset=utf-8"), open=True),
            b"/sliders.js": Route(get, lambda _: _asset("sliders.js", b"text/javascript; charset=utf-8"), open=True),
            b"/": Route(get, self._page),
            b"/try": Route((b"POST",), self._try),
        }
        models = self._state.models.served
        ask = self._variant_routing if self._variant_routing and self._state.variant else self._invoking
        for model in models:
            invoke = Route((b"POST",), lambda request, model=model: ask(request, model), model=model)  # type: ignore[misc]
            feedback = Route((b"POST",), lambda request, model=model: self._feedback(request, model))  # type: ignore[misc]
            routes[f"/models/{model}/invocations".encode()] = invoke
            routes[f"/endpoints/{model}/invocations".encode()] = invoke  # where MLflow's deployment client asks
            routes[f"/models/{model}/feedback".encode()] = feedback
            if len(models) == 1:
                routes |= {b"/invocations": invoke, b"/feedback": feedback}
        self._routes = routes
        generations = [served.generation for served in models.values()]
        self._document = json.dumps(
            document(
                generations,
                self._config.max_rows,
                keyed=not self._state.keys.open,
                feedback=self._state.capture_client is not None,
            )
        ).encode()

    def __call__(self, request: Request) -> Answer:
        began = perf_counter()
        request_id = request.headers.get(b"x-request-id", b"")
        if not _SANE_ID.fullmatch(request_id):
            request_id = next(self._ids).encode()
        path = request.target.partition(b"?")[0]
        route = self._routes.get(unquote_to_bytes(path) if b"%" in path else path)
        answer = self._refused(request, route) or route.do(request)  # type: ignore[union-attr]
        model = route.model if route is not None else ""
        if isinstance(answer, Response):
            return self._finished(request, answer, request_id, model, began)
        return self._finished_later(request, answer, request_id, model, began)

    def refused_early(self, status: int) -> None:
        """Count a request that was refused before it had arrived whole."""
        self._others.count(status, 0.0)

    def _refused(self, request: Request, route: Route | None) -> Response | None:
        if (route is None or not route.open) and not self._state.keys.admits(request.headers):
            message = "this needs a valid API key: Authorization: Bearer KEY, or X-Api-Key: KEY"
            return Response(401, refusal(401, message), headers=_UNNAMED)
        if route is None:
            return Response(404, refusal(404, self._no_such_path()))
        if request.method not in route.methods:
            allowed = b", ".join(route.methods)
            return Response(
                405, refusal(405, f"this path takes {allowed.decode()}"), headers=b"allow: " + allowed + b"\r\n"
            )
        return None

    def _no_such_path(self) -> str:
        names = ", ".join(f"/models/{model}/invocations" for model in self._state.models.served)
        return f"there is nothing at this path; models answer at {names or 'none yet'}"

    def _finished(self, request: Request, answer: Response, request_id: bytes, model: str, began: float) -> Response:
        seconds = perf_counter() - began
        served = self._state.models.served.get(model)
        (served.part if served is not None else self._others).count(answer.status, seconds)
        if model and answer.status == 200 and self._state.capture_client is not None:
            self._state.capture_client.answered(model, request, request_id, answer)
        answer.headers = b"%bx-request-id: %b\r\n" % (answer.headers, request_id)
        if self._log.wants(answer.status):
            version = _version(answer, served)
            self._log.write(request, answer, request_id, model, version, seconds)
        return answer

    async def _finished_later(
        self, request: Request, answer: Awaitable[Response], request_id: bytes, model: str, began: float
    ) -> Response:
        return self._finished(request, await answer, request_id, model, began)

    def _ready(self, request: Request) -> Response:
        ready = bool(self._state.models.served) and not self.draining
        more = self._variant_routing.readiness() if self._variant_routing else None
        body = readiness(self._state, ready=ready, in_full=self._state.keys.admits(request.headers), more=more)
        return Response(200 if ready else 503, body)

    def _metrics(self, _: Request) -> Response:
        return Response(
            200, metrics(self._state, self._variant_routing.metrics if self._variant_routing else None), CONTENT_TYPE
        )

    # ---- the page

    def _page(self, request: Request) -> Response:
        query = dict(parse_qsl(request.target.partition(b"?")[2].decode("latin-1")))
        served = self._chosen(query)
        if served is None:
            return Response(404, refusal(404, self._no_such_path()))
        return Response(200, try_page.page(served, self._names(served)), try_page.CONTENT_TYPE, try_page.HEADERS)

    async def _try(self, request: Request) -> Response:
        if len(request.body) > _MOST_FORM_BYTES:
            return Response(413, refusal(413, f"a filled form has at most {_MOST_FORM_BYTES} bytes"))
        try:
            values = dict(parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=2000))
        except ValueError:
            return Response(400, refusal(400, "this is not a filled form"))
        served = self._chosen(values)
        if served is None:
            return Response(404, refusal(404, self._no_such_path()))
        signature, model = served.generation.signature, served.generation.model
        body = try_page.request_of(signature, values)
        answer = await self._ask(model, body)
        probabilities = b""
        if signature.probabilities and answer.status == 200:
            more = await self._ask(model, try_page.request_of(signature, values, "probabilities"))
            probabilities = more.body if more.status == 200 else b""
        outcome = try_page.TriedAnswer(body, answer.status, answer.body, probabilities)
        html = try_page.page(served, self._names(served), values, outcome, request.headers.get(b"host", b""))
        return Response(200, html, try_page.CONTENT_TYPE, try_page.HEADERS + served.headers)

    async def _ask(self, model: str, body: bytes) -> Response:
        request = Request(b"POST", b"", {b"content-type": JSON}, body, "")
        answer = self._invoking(request, model)
        return await answer if asyncio.iscoroutine(answer) else answer

    def _chosen(self, named: Mapping[str, Any]) -> ServedModel | None:
        served = self._state.models.served
        return served.get(named.get("model", next(iter(served), "")))

    def _names(self, served: ServedModel) -> list[str]:
        return [name for name in self._state.models.served if name != served.generation.model]


def _version(answer: Response, served: ServedModel | None) -> int:
    """Return the version that answered, or would have; 0 for a path of no model."""
    by = answer.by or (served.generation if served is not None else None)
    return by.version if by is not None else 0


def _asset(name: str, kind: bytes) -> Response:
    return Response(200, try_page.asset(name), kind)
