"""The gate on the specification: a problem without one is never released."""

from collections.abc import Mapping

from slipway.core.gates._evidence import Evidence
from slipway.core.spec import undeclared
from slipway.types import Interval, Verdict


def specified(evidence: Evidence, _: Mapping[str, Interval]) -> Verdict:
    """Pass when goal, owner and target metric are declared."""
    if missing := undeclared(evidence.experiment):
        keys = "; ".join(map(str, missing))
        return Verdict(
            "specified", False, f"experiment.yaml does not say {keys}; say it, and `slipway redeclare` the version"
        )
    owner = evidence.experiment.scope.owner
    return Verdict("specified", True, f"goal, owner ({owner}) and target metric are declared")
