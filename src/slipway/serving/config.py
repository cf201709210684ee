"""The configuration of an endpoint: limits, times, keys, its second version, and what it captures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.core.variants import VariantRole
from slipway.sharedmem import Ring

DISAGREEMENT, ERROR, LATENCY = "disagreement", "errors", "latency"


@dataclass(frozen=True)
class Guardrails:
    """max_disagreement: share of the compared rows, 0 to 1. max_errors: share of its requests, 0 to 1.

    max_slower: how many times the 99th percentile of the first version's latency that of the second may be.
    max_p99_ms: how high that may be instead, where it is given. min_requests: from how many on it is judged.
    """

    max_disagreement: float = 0.1
    max_errors: float = 0.01
    max_slower: float = 3.0
    max_p99_ms: float | None = None
    min_requests: int = 200

    def as_dict(self) -> dict[str, float]:
        slower = {"max_slower": self.max_slower} if self.max_p99_ms is None else {"max_p99_ms": self.max_p99_ms}
        return {"max_disagreement": self.max_disagreement, "max_errors": self.max_errors, **slower}


STICKY_HEADER = "X-Slipway-Key"


@dataclass(frozen=True)
class VariantConfig:
    """A second version and what it is for. of: the stage or the version that was asked for.

    share: of the callers that a canary answers, or of the requests that a shadow answers too; 0 to 1.
    sticky_header: whose value says which requests are of one caller.
    """

    role: VariantRole
    of: str
    share: float
    guardrails: Guardrails = field(default_factory=Guardrails)
    sticky_header: str = STICKY_HEADER


SILENT_S = 5.0
"""After how long a writer that does nothing is in trouble."""


@dataclass(frozen=True)
class Capture:
    """share: of the requests, 0 to 1; whole requests are kept or not.

    writer: module:function of the process that writes, called with `ring`, `folder`, `control` and these arguments; it ends
    when anything comes over `control`, once it has written what is in the ring.
    folder: where it writes, and where that is left which no writer could write at the end.
    preload: modules that it needs. ring: given to `Ring`, such as its size.
    hung_s: after how long a writer that does nothing is killed and replaced.
    """

    share: float
    writer: str
    folder: Path
    arguments: Mapping[str, Any] = field(default_factory=dict)
    preload: Sequence[str] = ()
    ring: Mapping[str, Any] = field(default_factory=dict)
    hung_s: float = 60.0


@dataclass(frozen=True)
class CaptureFeed:
    """What a front gets of it."""

    ring: Ring
    share: float


@dataclass(frozen=True)
class ServingConfig:
    """What the processes of an endpoint have to keep to.

    fronts: processes that answer. keys: SHA-256 of the API keys in hex; None asks for none.
    max_body_bytes, max_json_depth, max_rows: of a request; more is refused with 413 or 400.
    max_bodies_bytes: of the large bodies of a front together, those that arrive and those under way; more are refused with 503.
    max_waiting: requests of a front that wait for the back; more are refused with 503.
    max_connections: of a front; more are refused with 503.
    timeout_s: for an answer of the back, then 504. header_timeout_s, body_timeout_s: for a request to arrive, then 408.
    keep_alive_s: how long a connection may be idle. drain_s: what requests under way get when the endpoint ends.
    keep_warm_s: how long a former generation is kept for a rollback.
    access_log: share of the answers that are logged, 0 to 1.
    strict: whether a request is refused that breaks the contract of the model; else what breaks it is counted alone.
    arm: what a second version is there for; None where there is to be none. Only with one model.
    """

    fronts: int = 1
    keys: tuple[str, ...] | None = None
    max_body_bytes: int = 10_000_000
    max_bodies_bytes: int = 100_000_000
    max_json_depth: int = 16
    max_rows: int = 10_000
    max_waiting: int = 256
    max_connections: int = 1000
    timeout_s: float = 30.0
    header_timeout_s: float = 10.0
    body_timeout_s: float = 30.0
    keep_alive_s: float = 75.0
    drain_s: float = 8.0
    keep_warm_s: float = 300.0
    access_log: float = 0.0
    strict: bool = False
    variant_config: VariantConfig | None = None
