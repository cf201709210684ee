"""The counts of what was refused at the door, as text for Prometheus at `/slipway/metrics`."""

from collections.abc import Iterator
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from slipway.server.door.connections import Connections, connections_of


class Reason(StrEnum):
    """Why a request was refused before MLflow saw it."""

    ORIGIN = "origin"
    LOGIN = "login"
    THROTTLED = "throttled"
    BUSY = "busy"
    TOO_LONG = "too_long"
    TOO_SLOW = "too_slow"


class Counts:
    """Counts of refused requests, by reason. Several threads may count."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._refused = Counter(
            "slipway_server_refused", "Requests refused before MLflow saw them", ["reason"], registry=self._registry
        )
        self._guesses = Counter(
            "slipway_server_wrong_passwords", "Wrong passwords that were compared", registry=self._registry
        )
        for reason in Reason:
            self._refused.labels(reason.value)

    def refused(self, reason: Reason) -> None:
        self._refused.labels(reason.value).inc()

    def guessed(self) -> None:
        self._guesses.inc()

    def text(self, connections: Connections | None) -> bytes:
        """Return all as Prometheus reads it."""
        beside = CollectorRegistry()
        if connections is not None:
            beside.register(_OfConnections(connections))
        return generate_latest(self._registry) + generate_latest(beside)

    async def answer(self, request: Request) -> Response:
        """Answer `/slipway/metrics`; the login comes before it, as before every page."""
        text = self.text(connections_of(request.scope))
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


class _OfConnections(Collector):
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("slipway_server_connections", "Open connections", len(self._connections))
        closed = CounterMetricFamily("slipway_server_closed", "Connections closed by the server", labels=["reason"])
        for reason, times in self._connections.closed.items():
            closed.add_metric([reason.value], times)
        yield closed
