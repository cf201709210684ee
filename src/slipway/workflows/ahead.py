"""What the model's server demands of the next version of an experiment, if a server answers."""

from slipway.core.release.policy_gate import Rule
from slipway.errors import SlipwayError
from slipway.settings import Settings
from slipway.workflows.session import resolve_tracking_uri


def next_version(settings: Settings, name: str) -> tuple[int, Rule | None]:
    """Return the number of the next version and the demands on it; (1, None) where no server answers."""
    try:
        uri = resolve_tracking_uri(settings)
    except SlipwayError:
        return 1, None
    # Imported here: MLflow takes seconds, and an experiment can be checked without a server.
    from mlflow.exceptions import MlflowException

    from slipway.registry.demands.policy import policies_of
    from slipway.registry.ledger import ledger_of
    from slipway.registry.versions import list_versions
    from slipway.tracking.client import connect
    from slipway.workflows.promotion.rule import rule_of

    try:
        client = connect(uri)
        newest = next(iter(list_versions(client, name)), None)
        if newest is None:  # nothing is registered under the name, so nothing can be in Production
            return 1, Rule(name, policies_of(ledger_of(client, name)))
        return newest.number + 1, rule_of(client, name, newest.number + 1)
    except (SlipwayError, MlflowException, OSError):
        return 1, None
