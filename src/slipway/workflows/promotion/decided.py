"""The decision on a version as commands tell it, and as MLflow's description of the version keeps it."""

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from slipway.core.release.decision import Decision, Surroundings, decide, decision_of
from slipway.core.release.judgement import Eligibility
from slipway.core.release.transitions import Transition
from slipway.registry.eligibility import live_version
from slipway.registry.same_model import same_model
from slipway.registry.versions import Version
from slipway.reports.words.decision import description_with

MOST_CHARACTERS = 5000
"""The most characters that MLflow's registry keeps of a description."""


def decision_on(client: MlflowClient, version: Version, found: Eligibility) -> Decision:
    """Return the decision on a version that may move, by its eligibility and by the registry as it is now."""
    around = Surroundings(live=live_version(client, version.name), same_as=same_model(client, version))
    return decide(found, around)


def describe(client: MlflowClient, judgement: Transition) -> None:
    """Write the findings of a judgement into MLflow's description of the version; all else in it stays as it is.

    The ledger keeps the judgement: a description that cannot be written, or would be too long, is left as it was.
    """
    decision = decision_of(judgement)
    if decision is None:
        return
    try:
        present = client.get_model_version(judgement.name, str(judgement.version)).description or ""
        text = description_with(present, decision, judgement.at)
        if text != present and len(text) <= MOST_CHARACTERS:
            client.update_model_version(judgement.name, str(judgement.version), text)
    except MlflowException:
        return
