"""Metrics of a variant. Each name starts with the role of the variant: slipway_shadow_… or slipway_canary_…"""

from collections.abc import Iterable
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from slipway.core.variants import VariantRole, VariantState
from slipway.serving.config import DISAGREEMENT, ERROR, LATENCY, VariantConfig
from slipway.serving.counters.variant import (
    COMPARED,
    COMPARED_ROWS,
    DISAGREEMENTS,
    DROPPED,
    ERRORS,
    ROWS,
    Histogram,
    Tally,
    VariantCounters,
)
from slipway.serving.front.state import FrontState

_COUNTED = {
    "rows": (ROWS, "Rows that the variant answered."),
    "errors": (ERRORS, "Requests that the variant did not answer and the primary did."),
    "compared": (COMPARED, "Requests whose two answers were compared."),
    "compared_rows": (COMPARED_ROWS, "Rows of these."),
    "disagreements": (DISAGREEMENTS, "Rows of these on which variant and primary disagree."),
    "dropped": (DROPPED, "Answers that were not compared for want of time."),
}


def variant_metrics(state: FrontState, variant_config: VariantConfig, numbers: VariantCounters) -> Iterable[Metric]:
    """Return the metrics of the variant of the one model that is served."""
    tally, model, start = numbers.tally(), next(iter(state.models.served), ""), f"slipway_{variant_config.role}"
    yield from _of_requests(tally, model, start, variant_config.role)
    for name, (number, help_text) in _COUNTED.items():
        yield _one(CounterMetricFamily(f"{start}_{name}", help_text, labels=["model"]), model, tally[number])
    distance = HistogramMetricFamily(
        f"{start}_distance", "How far apart the scores or values of variant and primary are.", labels=["model"]
    )
    distance.add_metric([model], *_buckets(tally.distances, each=1))
    yield distance
    yield from _of_state(state, variant_config, model, start)


def _of_requests(tally: Tally, model: str, start: str, role: VariantRole) -> Iterable[Metric]:
    requests = CounterMetricFamily(f"{start}_requests", "Answers of the variant by status.", labels=["model", "status"])
    for status, count in tally.statuses.items():
        if count or status == 200:
            requests.add_metric([model, str(status) if status else "other"], count)
    seconds = HistogramMetricFamily(
        f"{start}_seconds",
        "The time that answers took, of variant and primary while there were both.",
        labels=["model", "by"],
    )
    seconds.add_metric([model, role], *_buckets(tally.variant_latency))
    seconds.add_metric([model, "first"], *_buckets(tally.primary_latency))
    return [requests, seconds]


def _of_state(state: FrontState, variant_config: VariantConfig, model: str, start: str) -> Iterable[Metric]:
    variant, about = state.variant, state.about_variant
    version = GaugeMetricFamily(f"{start}_version", "The version that has the role; 0 for none.", labels=["model"])
    yield _one(version, model, variant.generation.version if variant else 0)
    share = GaugeMetricFamily(f"{start}_share", "The share that it answers now, 0 to 1.", labels=["model"])
    yield _one(share, model, variant_config.share if variant else 0)
    past = GaugeMetricFamily(f"{start}_past_bound", "1 for the bound that it passed.", labels=["model", "bound"])
    for bound in (DISAGREEMENT, ERROR, LATENCY):
        past.add_metric([model, bound], about is not None and about.bound == bound)
    yield past
    ended = GaugeMetricFamily(f"{start}_ended_version", "The version that was ended; 0 for none.", labels=["model"])
    yield _one(ended, model, about.version if about and about.state is VariantState.ENDED else 0)
    failed = GaugeMetricFamily(
        f"{start}_last_failed_version", "The version that last did not take the role; 0 for none.", labels=["model"]
    )
    yield _one(failed, model, about.failure.version if about and about.failure else 0)


def _one(
    family: CounterMetricFamily | GaugeMetricFamily, model: str, value: float
) -> CounterMetricFamily | GaugeMetricFamily:
    family.add_metric([model], value)
    return family


def _buckets(histogram: Histogram, each: int = 2) -> tuple[list[tuple[str, float]], float]:
    """Return cumulated buckets and the sum. each: the step from one shown bound to the next, from the first on."""
    bounds, cumulated = (*map(str, histogram.bounds), "+Inf"), list(accumulate(histogram.counts))
    shown = [*range(0, len(histogram.bounds), each), len(histogram.bounds)]
    return [(bounds[number], cumulated[number]) for number in shown], histogram.total
