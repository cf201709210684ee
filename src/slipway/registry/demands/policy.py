"""The release policies of a model as its ledger keeps them, and the declaration that a version was trained with."""

from pathlib import Path

from mlflow import MlflowClient

from slipway.core.release.ledger import Entry, digest_of
from slipway.core.release.policies import Policies, policies
from slipway.core.release.transitions import Action
from slipway.core.spec import Experiment
from slipway.errors import Refusal
from slipway.registry.artifacts.models import recorded_experiment
from slipway.registry.evidence.rescoring import verified_rows
from slipway.registry.ledger import Ledger
from slipway.registry.trust import SPEC_DIGEST
from slipway.registry.versions import Version

POLICY_FILE = "policy.yaml"
"""The name of the file that an entry on a policy keeps."""
# The server filters, so the question takes the same time in a ledger of any length.
_OF_POLICY = "tags.`slipway.version` = '0'"


def policies_of(ledger: Ledger | None) -> Policies:
    """Return the release policies of a model, by one question to its ledger and the file of each policy.

    Raises Refusal for a file that is not what was written down with its entry.
    """
    if ledger is None:
        return Policies()
    return policies((entry.transition, _text(ledger, entry)) for entry in ledger.entries(where=_OF_POLICY))


def trained_with(client: MlflowClient, version: Version, folder: Path) -> Experiment:
    """Download the declaration that a version was trained with, as it was registered.

    Raises UntrustedModel where none was registered, or another than there is now.
    """
    if SPEC_DIGEST in version.tags:
        declared = recorded_experiment(client, version.run_id, folder)
        if declared.digest == version.tags[SPEC_DIGEST]:
            return declared
    return verified_rows(client, version, folder)[0].experiment


def _text(ledger: Ledger, entry: Entry) -> str:
    transition = entry.transition
    if transition.action is not Action.POLICY or not transition.complete:
        return ""
    kept = ledger.kept(entry)
    if POLICY_FILE not in kept or digest_of(kept) != transition.kept:
        raise Refusal(
            f"the release policy of {ledger.name} that {transition.by} set on {transition.at:%Y-%m-%d} is not what was kept: "
            f"`slipway history {ledger.name} --verify` says what happened; bring the file back from a backup"
        )
    return kept[POLICY_FILE].decode()
