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

    from slipway.registry.versions import list_versions
    from slipway.tracking.client import connect
    from slipway.workflows.promotion.rule import rule_of

    try:
        client = connect(uri)
        number = 1 + max((version.number for version in list_versions(client, name)), default=0)
        return number, rule_of(client, name, number)
    except (SlipwayError, MlflowException, OSError):
        return 1, None
