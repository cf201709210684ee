"""The gate on the signature: a new version accepts every request that callers of the version in Production send."""

from collections.abc import Mapping

from slipway.core.gates._evidence import Evidence, Fields
from slipway.types import Interval, Verdict

# MLflow's schema enforcement accepts a value of the first type where a model asks for one of the others.
_WIDER = {
    "integer": {"long", "double"},
    "long": {"double"},
    "float": {"double"},
    "boolean": set(),
}


def signature(evidence: Evidence, _: Mapping[str, Interval]) -> Verdict:
    """Pass when every request to the champion is still accepted, and the answers are of the same type."""
    if evidence.champion is None:
        return Verdict("signature", True, "nothing is served yet that callers rely on")
    breaks = [*_input_breaks(evidence.champion.inputs, evidence.inputs)]
    breaks += [
        f"the answer's type changes from {old} to {new}"
        for (old, _r), (new, _s) in zip(evidence.champion.outputs.values(), evidence.outputs.values(), strict=False)
        if old != new
    ]
    served = evidence.champion.served.subject if not evidence.champion.live else f"version {evidence.champion.version}"
    if breaks:
        return Verdict("signature", False, f"callers of {served} would break: {'; '.join(breaks)}")
    return Verdict("signature", True, f"everything that callers of {served} send is accepted")


def _input_breaks(old: Fields, new: Fields) -> list[str]:
    breaks = []
    for name, (kind, required) in new.items():
        if name not in old:
            if required:
                breaks.append(f"'{name}' ({kind}) is now required and was not sent before")
            continue
        old_kind, old_required = old[name]
        if kind != old_kind and kind not in _WIDER.get(old_kind, ()):
            breaks.append(f"'{name}' changes from {old_kind} to {kind}")
        if required and not old_required:
            breaks.append(f"'{name}' could be left out before and is now required")
    return breaks
