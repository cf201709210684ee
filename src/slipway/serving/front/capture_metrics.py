"""Metrics of the capture: captured rows, dropped requests and labels, as metrics of Prometheus."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from slipway.serving.front.capture import CaptureClient
from slipway.sharedmem.ring import REASONS


def capture_metrics(capture_client: CaptureClient | None) -> Iterable[Metric]:
    """Return the metrics of the capture; none where nothing is captured."""
    if capture_client is None:
        return
    rows = CounterMetricFamily("slipway_captured_rows", "Rows that are on disk.", labels=["model"])
    dropped = CounterMetricFamily(
        "slipway_capture_dropped",
        "Requests that were not captured: no room before the writer, too large, the disk full, or they ended the writer.",
        labels=["model", "reason"],
    )
    labels = CounterMetricFamily("slipway_feedback", "Labels that were taken.", labels=["model"])
    for model in capture_client.ring.names:
        rows.add_metric([model], capture_client.ring.total(model, "rows"))
        labels.add_metric([model], capture_client.ring.total(model, "labels"))
        for reason in REASONS:
            dropped.add_metric([model, reason], capture_client.ring.total(model, reason))
    trouble = GaugeMetricFamily(
        "slipway_capture_trouble", "1 while nothing is written; /ready says why.", value=bool(capture_client.trouble)
    )
    yield from (rows, dropped, labels, trouble)
