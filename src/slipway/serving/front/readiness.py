"""The page /ready: whether an endpoint is ready, and the versions that it serves."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from slipway.serving.config import VariantConfig
from slipway.serving.front.state import FrontState
from slipway.serving.inference.models import ServedModel
from slipway.serving.ipc.messages import TakeoverFailure


def readiness(state: FrontState, *, ready: bool, in_full: bool, more: Mapping[str, Any] | None = None) -> bytes:
    """Return the body of /ready.

    Args:
        state: The state of the front.
        ready: Whether the front serves a model and is not ending.
        in_full: Whether the caller may read about models and capture too.
        more: Further entries of each model.
    """
    report: dict[str, Any] = {"ready": ready}
    if in_full:
        report["models"] = {
            name: _of(served, state.failures.get(name)) | dict(more or {})
            for name, served in state.models.served.items()
        }
        if state.capture_client is not None:
            report["capture"] = {"share": state.capture_client.share, "trouble": state.capture_client.trouble or None}
    return json.dumps(report).encode()


def variant_readiness(state: FrontState, variant_config: VariantConfig) -> dict[str, Any]:
    """Return the entry of the variant in /ready, also where there is no variant at present."""
    about, variant = state.about_variant, state.variant
    report: dict[str, Any] = {
        "of": variant_config.of,
        "share": variant_config.share,
        "state": about.state.value if about else "none",
    }
    if variant is not None:
        report |= _of(variant, None)
    elif about and about.version:
        report["version"] = about.version
    if about and about.why:
        report |= {"past_bound": about.bound, "why": about.why, "at": _moment(about.at)}
    if about and about.failure:
        report["last_failure"] = _of_failure(about.failure)
    return report


def _of(served: ServedModel, failure: TakeoverFailure | None) -> dict[str, Any]:
    generation = served.generation
    report: dict[str, Any] = {
        "version": generation.version,
        "stage": generation.stage,
        "generation": generation.number,
        "digest": generation.digest,
        "compiled": served.fast_path is not None,
        "contract": any(column.expectation for column in generation.signature.inputs),
    }
    if served.fast_path is None:
        report["not_compiled_because"] = served.why_not
    if failure is not None:
        report["last_failure"] = _of_failure(failure)
    return report


def _of_failure(failure: TakeoverFailure) -> dict[str, Any]:
    return {"version": failure.version, "why": failure.why, "at": _moment(failure.at)}


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
