"""The configuration of an endpoint: limits, times, keys, its variant, and its capture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.core.variants import VariantRole
from slipway.sharedmem import Ring

DISAGREEMENT, ERROR, LATENCY = "disagreement", "errors", "latency"


@dataclass(frozen=True)
class Guardrails:
    """The bounds that a variant has to keep.

    Attributes:
        max_disagreement: Share of the compared rows that may be answered otherwise, 0 to 1.
        max_errors: Share of the variant's requests that may fail where the primary answers, 0 to 1.
        max_slower: How many times the primary's 99th percentile of latency the variant's may be.
        max_p99_ms: The most that the variant's 99th percentile may be; given, it takes the place of max_slower.
        min_requests: Requests from which on a variant is judged.
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
    """A variant beside the primary.

    Attributes:
        role: Shadow or canary.
        of: The stage or the version that was asked for.
        share: Share of the callers that a canary answers, or of the requests that a shadow answers too; 0 to 1.
        guardrails: The bounds that the variant has to keep.
        sticky_header: Header whose value tells which requests are of one caller.
    """

    role: VariantRole
    of: str
    share: float
    guardrails: Guardrails = field(default_factory=Guardrails)
    sticky_header: str = STICKY_HEADER


SILENT_S = 5.0
"""After how long a capture writer that does nothing is reported."""


@dataclass(frozen=True)
class Capture:
    """The capture of requests and answers.

    Attributes:
        share: Share of the requests, 0 to 1; a request is captured whole or not at all.
        writer: `module:function` of the capture writer, called with `ring`, `folder`, `control` and `arguments`. It ends when
            anything comes over `control`, once it has written the rest of the ring.
        folder: Where the writer writes, and where records are left that no writer could write at the end.
        arguments: Further arguments of the writer.
        preload: Modules that the writer needs.
        ring: Arguments of Ring, such as its size.
        hung_s: After how long a writer that does nothing is killed and replaced.
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
    """The part of a Capture that a front needs: the ring, and the share of the requests."""

    ring: Ring
    share: float


@dataclass(frozen=True)
class ServingConfig:
    """The limits and times of an endpoint, which all its processes keep to.

    Attributes:
        fronts: Number of processes that answer HTTP requests.
        keys: SHA-256 of the API keys in hex; None asks for no key.
        max_body_bytes: Bytes of a body; a larger one is refused with 413.
        max_bodies_bytes: Bytes of the large bodies of a front together, those that arrive and those under way; more are
            refused with 503.
        max_json_depth: Depth of a JSON body; a deeper one is refused with 400.
        max_rows: Rows of a request; more are refused with 413.
        max_waiting: Requests of a front that wait for a back; more are refused with 503.
        max_connections: Connections of a front; more are refused with 503.
        timeout_s: For the answer of a back, then 504.
        header_timeout_s: For the headers of a request to arrive, then 408.
        body_timeout_s: For the body of a request to arrive, then 408.
        keep_alive_s: How long a connection may be idle.
        drain_s: Time for the requests under way when the endpoint ends.
        keep_warm_s: How long a former generation is kept for a rollback.
        access_log: Share of the answers that are logged, 0 to 1.
        strict: Whether a request that breaks the contract of the model is refused; otherwise its values are only counted.
        variant_config: The variant; None for none. Only with one model.
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
