"""`slipway policy`: the release policy of a registered model is shown, set and approved."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from slipway.core.release.policies import Policies, SetPolicy
from slipway.core.release.policy import demands_of
from slipway.core.release.transitions import ServedBeside, Transition
from slipway.core.spec import ReleasePolicy
from slipway.core.spec._yaml import read_policy, write_policy
from slipway.errors import FileUnusable, Refusal
from slipway.registry.artifacts.models import temporary_folder
from slipway.registry.demands.policy import policies_of, trained_with
from slipway.registry.demands.redeclaration import declared_now
from slipway.registry.eligibility import served_beside
from slipway.registry.ledger import ledger_of
from slipway.registry.permissions import Operation
from slipway.registry.versions import get_version
from slipway.settings import Settings
from slipway.workflows.promotion.registrar import registrar_of
from slipway.workflows.promotion.transition import open_ledger
from slipway.workflows.session import open_client

_NO_VERSION = 0


@dataclass(frozen=True)
class PolicyShown:
    """The release policy of a model, or what stands in for one.

    Attributes:
        name: the registered model.
        policies: the policy in force, and the one that waits for approvals.
        served: the version whose declaration stands in without a policy; None before the first in Production.
    """

    name: str
    policies: Policies
    served: ServedBeside | None = None

    def as_dict(self) -> dict[str, Any]:
        now, waiting = self.policies.in_force, self.policies.waiting
        return {
            "name": self.name,
            "in_force": now.as_dict() if now else None,
            "waiting": waiting.as_dict() if waiting else None,
            "approvals_needed": self.policies.change.approvals if waiting else 0,
            "stands_in": self.served.version if self.served and not now else None,
        }

    def __str__(self) -> str:
        now, waiting = self.policies.in_force, self.policies.waiting
        parts = [_written(f"in force: {now}", now) if now else self._instead]
        if waiting:
            given, needed = len(waiting.approved_by), self.policies.change.approvals
            parts.append(_written(f"waits, with {given} of {needed} approvals: {waiting}", waiting))
        return "\n".join(parts)

    @property
    def _instead(self) -> str:
        stands = (
            f"the declaration of {self.served} stands in" if self.served else "each version goes by its own declaration"
        )
        return f"# {self.name} has no release policy: {stands}. `slipway policy {self.name} --set policy.yaml` sets one"


@dataclass(frozen=True)
class PolicyDraft:
    """The demands of a version, as the start of a policy."""

    name: str
    version: int
    policy: ReleasePolicy

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "policy": self.policy.as_dict()}

    def __str__(self) -> str:
        return f"# the demands of {self.name} version {self.version}\n{write_policy(self.policy)}".rstrip()


def show_policy(settings: Settings, name: str) -> PolicyShown:
    """Return the release policy of a model. Raises UnknownName when no such model is registered."""
    client = open_client(settings)
    open_ledger(client, name)
    return policy_shown(client, name)


def policy_shown(client: MlflowClient, name: str) -> PolicyShown:
    """Return the release policy of a registered model, with a client at hand."""
    return PolicyShown(name, policies_of(ledger_of(client, name)), served_beside(client, name, _NO_VERSION))


def draft_policy(settings: Settings, name: str, version: int) -> PolicyDraft:
    """Return the demands of a version as a policy. Raises UntrustedModel where its declaration is not what was registered."""
    client = open_client(settings)
    wanted = get_version(client, name, version)
    with temporary_folder() as folder:
        try:
            trained = trained_with(client, wanted, Path(folder))
            return PolicyDraft(
                name, version, demands_of(declared_now(ledger_of(client, name), version, trained).experiment)
            )
        except (MlflowException, OSError):
            raise Refusal(f"{name} version {version} keeps no declaration: Slipway did not train it") from None


def set_policy(settings: Settings, name: str, file: Path, comment: str) -> Transition:
    """Set the release policy of a model. Raises SpecInvalid with each mistake and its line, and Refusal."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise FileUnusable(f"{file} cannot be read: {why}") from None
    read_policy(text, str(file))
    client = open_client(settings)
    return registrar_of(client, settings, Operation.POLICY, name).set_policy(name, text, comment)


def approve_policy(settings: Settings, name: str, comment: str, *, as_admin: bool = False) -> Transition:
    """Approve the policy that waits, or the one in force, as somebody other than the one who set it. Raises Refusal.

    as_admin: as an admin, in place of everybody whom the policy before asks for.
    """
    client = open_client(settings)
    registrar = registrar_of(client, settings, Operation.APPROVE, name)
    known = policies_of(ledger_of(client, name))
    asked = known.waiting or known.in_force
    return registrar.approve_policy(name, asked.digest if asked else "", comment, as_admin=as_admin)


def _written(what: str, policy: SetPolicy) -> str:
    lines = [f"# {line}" for line in f"{what}: {policy.comment}".splitlines()]
    return "\n".join([*lines, policy.text.strip() or "{}"])
