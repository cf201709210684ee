"""Whether an endpoint is ready, and what it serves: /ready."""

import json
from datetime import UTC, datetime
from typing import Any

from slipway.serving.state import Served, State
from slipway.serving.wire import Failure


def readiness(state: State, *, ready: bool, in_full: bool) -> bytes:
    """Return the body of /ready. in_full: with what only those who may ask should read."""
    said: dict[str, Any] = {"ready": ready}
    if in_full:
        said["models"] = {name: _of(served, state.failures.get(name)) for name, served in state.served.items()}
        if state.sink is not None:
            said["capture"] = {"share": state.sink.share, "trouble": state.sink.trouble or None}
    return json.dumps(said).encode()


def _of(served: Served, failure: Failure | None) -> dict[str, Any]:
    generation = served.generation
    said: dict[str, Any] = {
        "version": generation.version,
        "stage": generation.stage,
        "generation": generation.number,
        "digest": generation.digest,
        "compiled": served.narrow is not None,
    }
    if served.narrow is None:
        said["not_compiled_because"] = served.why_not
    if failure is not None:
        at = datetime.fromtimestamp(failure.at, UTC).isoformat(timespec="seconds")
        said["last_failure"] = {"version": failure.version, "why": failure.why, "at": at}
    return said
