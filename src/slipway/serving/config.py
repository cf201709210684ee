"""How an endpoint is guarded: its limits, its times, its keys."""

from dataclasses import dataclass

from slipway.serving.arm import Arm


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
    arm: Arm | None = None
