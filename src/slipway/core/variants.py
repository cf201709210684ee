"""Variants beside the primary of an endpoint: their roles, their states, and the record of one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class VariantRole(StrEnum):
    """The role of a variant: a shadow answers the primary's requests unheard, a canary answers some of the callers."""

    SHADOW = "shadow"
    CANARY = "canary"


class VariantState(StrEnum):
    """The state of a variant: none without a version for the role, serving, or ended after a violation of a guardrail."""

    NONE = "none"
    SERVING = "serving"
    ENDED = "ended"


@dataclass(frozen=True)
class VariantRecord:
    """The numbers of a variant since it has served beside the primary.

    Attributes:
        model: The name of the registered model.
        role: Shadow or canary.
        of: The stage or version that was asked for.
        share: The share of the callers that a canary answers, or of the requests that a shadow answers too, 0 to 1.
        state: The state at the time of the record.
        version: The number of the variant.
        first_version: The number of the primary.
        since: Start of the time that the record covers, in seconds since 1970.
        at: End of that time, in seconds since 1970.
        why: The violation of a guardrail in words; empty without one.
        requests: Requests that the variant was asked.
        rows: Rows of these requests.
        errors: Requests that the variant did not answer while the primary did.
        compared: Requests whose answers were compared with the primary's.
        compared_rows: Rows of the compared requests.
        disagreements: Compared rows on which the two answers differ.
        mean_distance: Mean distance of the scores or values over the compared rows; None without compared rows.
        dropped: Requests that there was no time to compare.
        p99_ms: 99th percentile of the variant's latency; None without answers.
        first_p99_ms: 99th percentile of the primary's latency; None without answers.
        bounds: The guardrails by name.
    """

    model: str
    role: VariantRole
    of: str
    share: float
    state: VariantState
    version: int
    first_version: int
    since: float
    at: float
    why: str = ""
    requests: int = 0
    rows: int = 0
    errors: int = 0
    compared: int = 0
    compared_rows: int = 0
    disagreements: int = 0
    mean_distance: float | None = None
    dropped: int = 0
    p99_ms: float | None = None
    first_p99_ms: float | None = None
    bounds: Mapping[str, float] = field(default_factory=dict)

    @property
    def error_rate(self) -> float | None:
        """The errors as a share of the requests, 0 to 1; None without requests."""
        return self.errors / self.requests if self.requests else None

    @property
    def disagreement(self) -> float | None:
        """The disagreements as a share of the compared rows, 0 to 1; None without compared rows."""
        return self.disagreements / self.compared_rows if self.compared_rows else None
