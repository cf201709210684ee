"""The page /metrics: the counters of all fronts together, in the text form of Prometheus.

A new metric is a number of `slipway.serving.counters`, counted where it happens, and a family here.
"""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from slipway.core.expectations import Unexpected
from slipway.serving.counters.models import (
    BACKS_REPLACED,
    BOUNDS_S,
    CONNECTIONS,
    FAILED_GENERATIONS,
    FRONTS_REPLACED,
    SWAPS,
    WAITING,
    found_by_column,
    totals,
)
from slipway.serving.front.capture_metrics import capture_metrics
from slipway.serving.front.state import FrontState
from slipway.serving.protocol.values import kinds_of

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

_OF_SUPERVISOR = {
    "slipway_swaps": (SWAPS, "Generations that took over."),
    "slipway_generations_failed": (FAILED_GENERATIONS, "Versions that did not take over."),
    "slipway_fronts_replaced": (FRONTS_REPLACED, "Processes that answer, replaced after they ended."),
    "slipway_backs_replaced": (
        BACKS_REPLACED,
        "Processes that hold the model, replaced after they ended or were stuck.",
    ),
}


def metrics(state: FrontState, more: Callable[[], Iterable[Metric]] | None = None) -> bytes:
    """Return the page. more: gives the metrics that not every endpoint has."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(state, more))
    return generate_latest(registry)


class _Collector(Collector):
    def __init__(self, state: FrontState, more: Callable[[], Iterable[Metric]] | None):
        self._state, self._more = state, more

    def collect(self) -> Iterable[Metric]:
        yield from self._of_models()
        yield from self._of_generations()
        yield self._of_columns()
        counters = self._state.models.counters
        yield GaugeMetricFamily("slipway_connections", "Open connections.", value=counters.total(CONNECTIONS))
        yield GaugeMetricFamily(
            "slipway_waiting_requests", "Requests that wait for a model or a thread.", value=counters.total(WAITING)
        )
        for name, (number, help_text) in _OF_SUPERVISOR.items():
            yield CounterMetricFamily(name, help_text, value=counters.total(number))
        if self._more:
            yield from self._more()
        yield from capture_metrics(self._state.capture_client)

    def _of_models(self) -> Iterable[Metric]:
        requests = CounterMetricFamily("slipway_requests", "Answers by status.", labels=["model", "status"])
        seconds = HistogramMetricFamily(
            "slipway_request_seconds", "From a request's last byte to its answer.", labels=["model"]
        )
        rows = CounterMetricFamily("slipway_rows", "Rows answered from a plan.", labels=["model"])
        path = CounterMetricFamily(
            "slipway_answers", "Answers with 200 by what made them: a plan or the model itself.", labels=["model", "by"]
        )
        for model in (*self._state.models.counters.models, ""):
            counts = totals(self._state.models.counters, model)
            for status, count in counts.statuses.items():
                if count:
                    requests.add_metric([model, str(status) if status else "other"], count)
            seconds.add_metric([model], _cumulative(counts.buckets), counts.seconds)
            if model:
                rows.add_metric([model], counts.rows)
                path.add_metric([model, "plan"], counts.fast_path)
                path.add_metric([model, "model"], counts.back)
        return [requests, seconds, rows, path]

    def _of_generations(self) -> Iterable[Metric]:
        version = GaugeMetricFamily("slipway_model_version", "The version that answers.", labels=["model"])
        number = GaugeMetricFamily("slipway_generation", "The number of the generation that answers.", labels=["model"])
        compiled = GaugeMetricFamily(
            "slipway_compiled", "1 when a plan answers, 0 when only the model itself.", labels=["model"]
        )
        failed = GaugeMetricFamily(
            "slipway_last_failed_version", "The version that last did not take over; 0 for none.", labels=["model"]
        )
        for model, served in self._state.models.served.items():
            version.add_metric([model], served.generation.version)
            number.add_metric([model], served.generation.number)
            compiled.add_metric([model], served.fast_path is not None)
            failure = self._state.failures.get(model)
            failed.add_metric([model], failure.version if failure else 0)
        return [version, number, compiled, failed]

    def _of_columns(self) -> Metric:
        """Return the unexpected values by the columns of the served versions alone, so that callers can add no label."""
        unexpected = CounterMetricFamily(
            "slipway_unexpected_values",
            "Values of requests that the contract does not expect.",
            labels=["model", "column", "kind"],
        )
        for model, served in self._state.models.served.items():
            variant = self._state.variant.values.columns if self._state.variant else ()
            expected = {column.name: kinds_of(column) for column in (*variant, *served.values.columns)}
            counted = found_by_column(self._state.models.counters, model, [*expected, ""])
            for name, counts in counted.items():
                for kind, count in zip(Unexpected, counts, strict=True):
                    if count or kind in expected.get(name, ()):
                        unexpected.add_metric([model, name, kind.name.lower()], count)
        return unexpected


def _cumulative(buckets: Iterable[float]) -> list[tuple[str, float]]:
    total, cumulated = 0.0, []
    for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), buckets, strict=True):
        total += count
        cumulated.append((bound, total))
    return cumulated
