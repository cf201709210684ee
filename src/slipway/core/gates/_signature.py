"""The gate on the signature: a new version accepts every request that callers of the version in Production send."""

from collections.abc import Mapping

from slipway.core.gates._evidence import Evidence
from slipway.core.signatures import ModelFields, breaks
from slipway.types import Interval, Verdict


def signature(evidence: Evidence, _: Mapping[str, Interval]) -> Verdict:
    """Pass when every request to the champion is still accepted, and the answers are of the same type."""
    if evidence.champion is None:
        return Verdict("signature", True, "nothing is served yet that callers rely on")
    champion = ModelFields(evidence.champion.inputs, evidence.champion.outputs)
    wrong = breaks(champion, ModelFields(evidence.inputs, evidence.outputs))
    served = evidence.champion.served.subject if not evidence.champion.live else f"version {evidence.champion.version}"
    if wrong:
        return Verdict("signature", False, f"callers of {served} would break: {'; '.join(wrong)}")
    return Verdict("signature", True, f"everything that callers of {served} send is accepted")
