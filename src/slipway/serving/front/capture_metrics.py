"""What was captured, what was dropped and which labels came, in the text form of Prometheus."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from slipway.serving.front.capture import CaptureClient
from slipway.sharedmem.ring import REASONS


def capture_metrics(sink: CaptureClient | None) -> Iterable[Metric]:
    """Return the metrics; none where nothing is captured."""
    if sink is None:
        return
    rows = CounterMetricFamily("slipway_captured_rows", "Rows that are on disk.", labels=["model"])
    dropped = CounterMetricFamily(
        "slipway_capture_dropped",
        "Requests that were not captured: no room before the writer, too large, the disk full, or they ended the writer.",
        labels=["model", "reason"],
    )
    labels = CounterMetricFamily("slipway_feedback", "Labels that were taken.", labels=["model"])
    for model in sink.ring.names:
        rows.add_metric([model], sink.ring.total(model, "rows"))
        labels.add_metric([model], sink.ring.total(model, "labels"))
        for reason in REASONS:
            dropped.add_metric([model, reason], sink.ring.total(model, reason))
    trouble = GaugeMetricFamily(
        "slipway_capture_trouble", "1 while nothing is written; /ready says why.", value=bool(sink.trouble)
    )
    yield from (rows, dropped, labels, trouble)
