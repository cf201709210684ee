"""The sentences of a report on a variant."""

from datetime import UTC, datetime

from slipway.core.variants import VariantRecord, VariantRole
from slipway.reports.words.spelling import moment, percent


def beside(seen: VariantRecord) -> str:
    """Say which variant served beside which primary, for whom, and when."""
    whom = "the callers" if seen.role is VariantRole.CANARY else "the requests, unheard,"
    share = "all" if seen.share == 1 else percent(seen.share)
    since, at = (moment(datetime.fromtimestamp(seconds, UTC)) for seconds in (seen.since, seen.at))
    return (
        f"Version {seen.version} ({seen.of}) answered {share} of {whom} beside version {seen.first_version}, from {since} "
        f"to {at}: {seen.requests:,} requests of {seen.rows:,} rows."
    )


def slower(seen: VariantRecord) -> str:
    """Say the guardrail of the variant's latency; a dash without one."""
    bounds = seen.bounds
    if "max_p99_ms" in bounds:
        return f"{bounds['max_p99_ms']:g} ms"
    return f"{bounds['max_slower']:g} times the primary's" if "max_slower" in bounds else "–"
