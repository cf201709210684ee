"""Routing between the primary and a variant: the version that answers each caller, and the copies that go to the comparer.

No caller is worse off for the variant. A shadow answers later, in the comparer. When a canary does not answer a request, the
primary does, in the second half of the time that the request has.
"""

import random
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from hashlib import blake2b
from time import perf_counter
from typing import Any

from prometheus_client.core import Metric

from slipway.core.variants import VariantRole
from slipway.serving.config import ServingConfig, VariantConfig
from slipway.serving.counters.variant import ERRORS, PRIMARY_LATENCY, CanaryCounters, VariantLink
from slipway.serving.front.api_keys import key_of
from slipway.serving.front.mirror import Mirror
from slipway.serving.front.readiness import variant_readiness
from slipway.serving.front.state import FrontState
from slipway.serving.front.variant_metrics import variant_metrics
from slipway.serving.http.messages import Request, Response
from slipway.serving.inference.invoke import Invoker
from slipway.serving.inference.model_workers import ModelWorkers
from slipway.serving.inference.models import ServedModel, ServedModels
from slipway.serving.ipc.frames import MirroredRequest
from slipway.serving.protocol.content_types import normalised

Later = Coroutine[Any, Any, Response]


class VariantRouting:
    """Answers POST /invocations of the one model while the endpoint has a variant beside the primary.

    Args:
        state: The state of the front.
        config: The limits of the endpoint.
        variant_config: The role and the share of the variant.
        variant_link: The counters of the variant and the way to the comparer.
        primary: Asks the primary.
        backs: The links to the backs of the primary.
        stuck: Called with the socket of a back that let a deadline pass.
    """

    def __init__(
        self,
        state: FrontState,
        config: ServingConfig,
        variant_config: VariantConfig,
        variant_link: VariantLink,
        primary: Invoker,
        backs: ModelWorkers,
        stuck: Callable[[str], None],
    ):
        self._state = state
        self._primary = primary
        self._row = variant_link.numbers.row(state.models.row)
        self._variant_config = variant_config
        self._numbers = variant_link.numbers
        self._canary = variant_config.role is VariantRole.CANARY
        self._share = variant_config.share
        self._header = variant_config.sticky_header.lower().encode()
        self._limit = lowest(variant_config.share)
        self._mirror = Mirror(variant_link.copies, self._row)
        half = replace(config, timeout_s=config.timeout_s / 2)  # so that the primary has as much time left
        self._aside = ServedModels(state.models.counters, state.models.row)
        self._backs = ModelWorkers(stuck, patient=False)
        self._variant = Invoker(self._aside, half, self._backs, tries=1, final=False)
        self._instead = Invoker(state.models, half, backs)

    def serve(self, variant: ServedModel | None) -> None:
        """Answer with this variant too from now on; None where there is none. Call `serve` between two requests."""
        self._state.variant = variant
        if variant is None:  # requests under way are answered by the former variant
            return
        model = variant.generation.model
        part = CanaryCounters(self._state.models.counters, self._state.models.row, model, self._row)
        self._aside.served = {model: replace(variant, part=part)}
        self._backs.keep(variant.generation.backs)

    def metrics(self) -> Iterable[Metric]:
        """Return the metrics of the variant."""
        return variant_metrics(self._state, self._variant_config, self._numbers)

    def readiness(self) -> dict[str, Any]:
        """Return the entry of the variant in /ready, by its role."""
        return {self._variant_config.role.value: variant_readiness(self._state, self._variant_config)}

    def __call__(self, request: Request, model: str) -> Response | Later:
        """Answer a request by the version that its caller belongs to, at once where that version can."""
        began = perf_counter()
        if self._canary and bucket(request, self._header) < self._limit:
            answered = self._variant(request, model)
            return _then(answered, lambda answer: self._by_variant(request, model, answer, perf_counter() - began))
        return _then(self._primary(request, model), lambda answer: self._by_primary(request, model, answer, began))

    def _by_primary(self, request: Request, model: str, answer: Response, began: float) -> Response:
        seconds = perf_counter() - began
        if self._canary:
            self._row.took(PRIMARY_LATENCY, seconds)
        elif self._share >= 1 or random.random() < self._share:  # noqa: S311
            self._hand_on(request, answer, seconds, self._state.models.served[model])
        return answer

    def _by_variant(self, request: Request, model: str, answer: Response, seconds: float) -> Response | Later:
        self._row.answered(answer.status, seconds)
        if answer.status >= 400:
            return _then(self._instead(request, model), self._counted_error)
        if self._state.variant is not None:
            self._hand_on(request, answer, seconds, self._state.variant)
        return answer

    def _counted_error(self, answer: Response) -> Response:
        if answer.status < 400:  # else the request was to blame
            self._row.add(ERRORS)
        return answer

    def _hand_on(self, request: Request, answer: Response, seconds: float, by: ServedModel) -> None:
        """Send an answer to the comparer, unless the version that made the answer is no longer served."""
        variant, served = self._state.variant, self._state.models.served[by.generation.model]
        if answer.status != 200 or variant is None or answer.by is None:
            return
        if answer.by.version == by.generation.version:
            kind = normalised(request.headers.get(b"content-type", b""))
            pair = served.generation.number, variant.generation.number
            self._mirror.offer(MirroredRequest(pair, seconds, kind, request.body, answer.body))


def _then(answer: Response | Later, do: Callable[[Response], Response | Later]) -> Response | Later:
    """Go on with an answer, at once if the answer is there."""
    return do(answer) if isinstance(answer, Response) else _later(answer, do)


async def _later(answer: Later, do: Callable[[Response], Response | Later]) -> Response:
    done = do(await answer)
    return done if isinstance(done, Response) else await done


BUCKETS = 10_000


def bucket(request: Request, header: bytes) -> int:
    """Return the bucket of a request's caller, 0 to BUCKETS - 1, by a header, else by the API key, else by the address."""
    caller = request.headers.get(header) or key_of(request.headers) or request.peer.encode()
    return int.from_bytes(blake2b(caller, digest_size=8).digest(), "big") % BUCKETS


def lowest(share: float) -> int:
    """Return the number of buckets whose callers a canary of this share answers."""
    return round(share * BUCKETS)
