"""The demands on a version that its own declaration may not undercut: the release policy, and the declaration in Production."""

from collections.abc import Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from pydantic import ValidationError

from slipway.core.release.policies import Policies
from slipway.core.release.policy_gate import Floor, Rule, authors_of
from slipway.core.release.transitions import ServedBeside
from slipway.errors import Refusal
from slipway.registry.artifacts.models import temporary_folder
from slipway.registry.eligibility import served_beside
from slipway.registry.ledger import ledger_of
from slipway.registry.policy import declared_by, policies_of
from slipway.registry.trust import AUTHOR, EVIDENCE_DIGEST, MADE_BY
from slipway.registry.versions import Version, get_version


def rule_of(client: MlflowClient, name: str, version: int) -> Rule:
    """Return the demands on a version. Raises Refusal where the release policy is not what was kept of it."""
    served = served_beside(client, name, version)
    floor = floor_of(client, name, served) if served and served.version != version else None
    return Rule(name, policies_of(ledger_of(client, name)), floor)


def floor_of(client: MlflowClient, name: str, served: ServedBeside) -> Floor:
    """Return the declaration of the champion, or why it cannot be read."""
    version = get_version(client, name, served.version)
    try:
        with temporary_folder() as folder:
            return Floor(served, declared_by(client, version, Path(folder)))
    except (MlflowException, OSError, ValidationError, Refusal) as error:
        # A version that was registered past Slipway never kept a declaration; that is no reason to refuse each later one.
        kept = EVIDENCE_DIGEST in version.tags
        return Floor(served, None, next(iter(str(error).splitlines()), "no message") if kept else "")


def authors(version: Version, policies: Policies) -> Mapping[str, str]:
    """Return the authors of a version, none of whom may approve it, each with the reason."""
    made = (version.tags.get(AUTHOR, ""), *version.tags.get(MADE_BY, "").splitlines())
    return authors_of(version.number, made, policies)
