"""The demands on a version that its own declaration may not undercut: the release policy, and the declaration in Production."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from pydantic import ValidationError

from slipway.core.release.policies import Policies
from slipway.core.release.policy import demands_of, stricter
from slipway.core.release.policy_gate import Floor, Rule, authors_of
from slipway.core.release.transitions import Action, ServedBeside
from slipway.core.spec import Experiment
from slipway.errors import Refusal
from slipway.registry.artifacts.models import temporary_folder
from slipway.registry.demands.policy import policies_of, trained_with
from slipway.registry.demands.redeclaration import by_entries, redeclarations
from slipway.registry.eligibility import served_beside
from slipway.registry.ledger import MADE, ledger_of
from slipway.registry.ledger_tags import ACTION
from slipway.registry.trust import AUTHOR, EVIDENCE_DIGEST, MADE_BY
from slipway.registry.versions import Version, get_version
from slipway.types import Stage


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
            return Floor(served, _strictest(client, version, trained_with(client, version, Path(folder))))
    except (MlflowException, OSError, ValidationError, Refusal) as error:
        # A version that was registered past Slipway never kept a declaration; that is no reason to refuse each later one.
        kept = EVIDENCE_DIGEST in version.tags
        return Floor(served, None, next(iter(str(error).splitlines()), "no message") if kept else "")


def authors(version: Version, policies: Policies, redeclared_by: Iterable[str] = ()) -> Mapping[str, str]:
    """Return the authors of a version, none of whom may approve it, each with the reason.

    redeclared_by: everybody who declared the version again: a declaration is not approved by whoever wrote it.
    """
    made = (version.tags.get(AUTHOR, ""), *version.tags.get(MADE_BY, "").splitlines())
    again = dict.fromkeys(redeclared_by, f"declared version {version.number} again")
    return {**again, **authors_of(version.number, made, policies)}


def _strictest(client: MlflowClient, version: Version, trained: Experiment) -> Experiment:
    """Return the declaration by which a version came into Production, made stricter by what was declared of it since.

    What is declared again of a version in Production is judged by nobody, so it never lowers what the next version has to meet.
    """
    ledger = ledger_of(client, version.name)
    entries = ledger.entries(where=redeclarations(version.number)) if ledger else []
    if ledger is None or not entries:
        return trained
    came = ledger.transitions(1, f"{MADE} and tags.`slipway.stage` = '{Stage.PRODUCTION}' and {_of(version)}")
    by = by_entries(ledger, entries, trained, came[0].declared if came else "").experiment
    now = by_entries(ledger, entries, trained).experiment
    return by if by == now else stricter(by, demands_of(now))


def _of(version: Version) -> str:
    return f"tags.`slipway.version` = '{version.number}' and tags.`{ACTION}` = '{Action.PROMOTE}'"
