"""A second version beside the one that answers: what it is there for, and what is written down of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class VariantRole(StrEnum):
    """shadow: it answers what the first version was asked, and nobody hears it. canary: it answers some of the callers."""

    SHADOW = "shadow"
    CANARY = "canary"


class VariantState(StrEnum):
    """What becomes of a second version. none: there is no version for the role. ended: it passed a bound."""

    NONE = "none"
    SERVING = "serving"
    ENDED = "ended"


@dataclass(frozen=True)
class VariantRecord:
    """What was seen of a second version, from when it and the first one were there together.

    of: the stage or the version that was asked for. share: of the callers, or of the requests that a shadow answers too.
    since, at: seconds since 1970. why: which number passed which bound, "" for none.
    requests: those it was asked, with `rows` rows; errors: those that it did not answer while the first version did.
    compared: requests whose answers were held beside the first version's, with `compared_rows` rows; disagreements: of these
    rows. mean_distance: of the scores or values; None where there were none. dropped: requests there was no time to compare.
    p99_ms, first_p99_ms: of the answers of both; None where there were none. bounds: what it is held to, by name.
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
        """Share of its requests, 0 to 1."""
        return self.errors / self.requests if self.requests else None

    @property
    def disagreement(self) -> float | None:
        """Share of the compared rows, 0 to 1."""
        return self.disagreements / self.compared_rows if self.compared_rows else None
