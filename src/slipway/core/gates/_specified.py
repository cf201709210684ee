"""A problem without a specification is never released."""

from collections.abc import Mapping

from slipway.core.gates._evidence import Evidence
from slipway.types import Interval, Verdict


def specified(evidence: Evidence, _: Mapping[str, Interval]) -> Verdict:
    """Goal, owner and target metric are there."""
    experiment = evidence.experiment
    wanted = {
        "scope.goal": experiment.scope.goal,
        "scope.owner": experiment.scope.owner,
        f"gates.thresholds.{experiment.search.metric}": experiment.search.metric in experiment.gates.thresholds,
    }
    missing = [key for key, value in wanted.items() if not value]
    if missing:
        return Verdict("specified", False, f"experiment.yaml does not say {', '.join(missing)}; say it and train again")
    return Verdict("specified", True, f"goal, owner ({experiment.scope.owner}) and target metric are declared")
