"""The registrar: who writes the ledger and moves the stages.

On a plain MLflow server that is the command itself. Slipway's own server is its own registrar, and nobody else there may.
"""

from collections.abc import Container
from pathlib import Path
from typing import Protocol

from mlflow import MlflowClient

from slipway.core.release.judgement import may_approve
from slipway.core.release.transitions import Action, Transition, before_production, stays_in_production
from slipway.core.spec import ApprovalGate
from slipway.errors import PromotionRefused, Refusal
from slipway.identity import process_tags
from slipway.registry.artifacts.models import temporary_folder
from slipway.registry.eligibility import eligibility, live_version, served_beside
from slipway.registry.evidence.bundle import EvidenceBundle
from slipway.registry.evidence.rescoring import verified_rows
from slipway.registry.ledger import MADE, Ledger, now_ms
from slipway.registry.mutex import exclusive
from slipway.registry.permissions import Operation, not_allowed
from slipway.registry.remote import RemoteRegistrar, about
from slipway.registry.stages import put_aliases_in_step
from slipway.registry.trust import AUTHOR
from slipway.registry.versions import Version, get_version, list_versions
from slipway.settings import Settings
from slipway.types import HELD_STAGES, Stage
from slipway.workflows.promotion.judge import judged
from slipway.workflows.promotion.judged_inputs import Gathered
from slipway.workflows.promotion.transition import bring_to_an_end, make, moving, open_ledger, transition_of

_READ_FIRST = 100


class Registrar(Protocol):
    """What may be asked of a registrar; each raises UnknownName for what is not registered."""

    def judge(self, name: str, bundle: EvidenceBundle) -> Transition:
        """Hold a case against what is stored, run the gates, write the judgement down. Nothing is moved."""

    def approve(
        self, name: str, version: int, stage: Stage, comment: str, overrides: tuple[str, ...] = ()
    ) -> Transition:
        """Write down that somebody who is not the author says yes to the newest judgement. Raises Refusal.

        overrides: gates that compared with a champion which knows nearly all of the rows; the comment speaks in their place.
        """

    def promote(
        self, name: str, version: int, stage: Stage, comment: str, bundle: EvidenceBundle | None = None
    ) -> Transition:
        """Move a version by the judgement that stands, or by that of the case. Raises PromotionRefused, Refusal."""

    def rollback(self, name: str, comment: str) -> Transition:
        """Bring the version back that was in Production before. Raises Refusal when there is none."""

    def archive(self, name: str, version: int, comment: str) -> Transition:
        """Take a version out of its stage. Raises Refusal when it is out already."""

    def reconcile(self, name: str) -> tuple[Transition, ...]:
        """Bring to an end what was cut off, stages, aliases and ledger in step; return each movement as it ended."""


class LocalRegistrar:
    """The registrar that writes by itself, through a client.

    by: who asks; it is written down. gathered: what this process gathered a case from, which it then does not fetch again.
    """

    def __init__(self, client: MlflowClient, by: str, gathered: Gathered | None = None):
        self._client, self._by, self._gathered = client, by, gathered

    def with_gathered(self, gathered: Gathered) -> "LocalRegistrar":
        """Return the same registrar, which judges what was gathered from where it is."""
        return LocalRegistrar(self._client, self._by, gathered)

    def judge(self, name: str, bundle: EvidenceBundle) -> Transition:
        ledger = open_ledger(self._client, name)
        require_not_live(get_version(self._client, name, bundle.version), bundle.stage)
        judgement = judged(self._client, bundle, name, self._by, self._gathered)
        with moving(self._client, ledger):
            self._require_same_champion(judgement)
            ledger.write(judgement, process_tags(), bundle.files())
        return judgement

    def approve(
        self, name: str, version: int, stage: Stage, comment: str, overrides: tuple[str, ...] = ()
    ) -> Transition:
        if not comment.strip():
            raise Refusal("an approval says why: give it a comment")
        ledger = open_ledger(self._client, name)
        wanted = get_version(self._client, name, version)
        with temporary_folder() as made:
            experiment = verified_rows(self._client, wanted, Path(made))[0].experiment
        with moving(self._client, ledger):
            found = eligibility(self._client, ledger, wanted, stage)
            asked = experiment.gates.approval or ApprovalGate()
            if why_not := may_approve(asked, found, wanted.tags.get(AUTHOR, ""), self._by, overrides):
                raise Refusal(f"{name} version {version} is not approved for {stage}: {why_not}")
            assert found.judgement is not None  # nothing can be approved otherwise
            evidence = found.judgement.evidence
            approval = transition_of(
                self._client, self._by, wanted, Action.APPROVE, stage, comment, evidence=evidence, overrides=overrides
            )
            ledger.write(approval, process_tags())
        return approval

    def promote(
        self, name: str, version: int, stage: Stage, comment: str, bundle: EvidenceBundle | None = None
    ) -> Transition:
        ledger = open_ledger(self._client, name)
        require_movable(get_version(self._client, name, version), stage)
        fresh = judged(self._client, bundle, name, self._by, self._gathered) if bundle else None
        with moving(self._client, ledger):
            wanted = get_version(self._client, name, version)
            require_movable(wanted, stage)
            if fresh:
                self._require_same_champion(fresh)
            files = bundle.files() if bundle else None
            if stage not in HELD_STAGES:
                return make(self._client, ledger, self._transition(wanted, Action.PROMOTE, stage, comment))
            return self._by_judgement(ledger, wanted, stage, comment, fresh, files)

    def rollback(self, name: str, comment: str) -> Transition:
        ledger = open_ledger(self._client, name)
        with moving(self._client, ledger):
            existing = {version.number for version in list_versions(self._client, name)}
            number = _before(ledger, live_version(self._client, name), existing)
            if number is None:
                raise Refusal(f"there is no version of {name} that was in Production before; nothing was moved")
            wanted = get_version(self._client, name, number)
            return make(self._client, ledger, self._transition(wanted, Action.ROLLBACK, Stage.PRODUCTION, comment))

    def archive(self, name: str, version: int, comment: str) -> Transition:
        ledger = open_ledger(self._client, name)
        with moving(self._client, ledger):
            wanted = get_version(self._client, name, version)
            if wanted.stage is Stage.ARCHIVED:
                raise Refusal(f"{name} version {version} is archived already")
            return make(self._client, ledger, self._transition(wanted, Action.ARCHIVE, Stage.ARCHIVED, comment))

    def reconcile(self, name: str) -> tuple[Transition, ...]:
        ledger = open_ledger(self._client, name)
        with exclusive(self._client, name):
            ended = bring_to_an_end(self._client, ledger)
            put_aliases_in_step(self._client, name)
        return ended

    def _by_judgement(
        self,
        ledger: Ledger,
        wanted: Version,
        stage: Stage,
        comment: str,
        fresh: Transition | None,
        files: dict[str, bytes] | None,
    ) -> Transition:
        found = eligibility(self._client, ledger, wanted, stage, fresh)
        evidence = found.judgement.evidence if found.judgement and not found.problems else ""
        action = Action.PROMOTE if found.holds else Action.REFUSE
        transition = transition_of(self._client, self._by, wanted, action, stage, comment, found.verdicts, evidence)
        if found.holds:
            return make(self._client, ledger, transition, files)
        ledger.write(transition, process_tags(), files)
        raise PromotionRefused(wanted.name, wanted.number, stage, found.verdicts)

    def _transition(self, version: Version, action: Action, stage: Stage, comment: str) -> Transition:
        return transition_of(self._client, self._by, version, action, stage, comment)

    def _require_same_champion(self, judgement: Transition) -> None:
        """What else came into Production while the gates were asked was not compared with. Raises Refusal."""
        if judgement.stage is not Stage.PRODUCTION:
            return
        served = served_beside(self._client, judgement.name, judgement.version)
        now = served.version if served else None
        if now != judgement.replaced:
            came = (
                f"version {now} of {judgement.name} came into" if now else f"no version of {judgement.name} is left in"
            )
            compared = f"version {judgement.replaced}" if judgement.replaced else "nothing"
            raise Refusal(
                f"{came} Production while version {judgement.version} was compared with {compared}; "
                "nothing was moved. Run it again"
            )


def require_not_live(version: Version, stage: Stage) -> None:
    """Raise Refusal where gates before Production are asked of the version that is there: it has no champion but itself."""
    if version.stage is stage is Stage.PRODUCTION:
        raise Refusal(f"{version.name} version {version.number} is in {stage} already")


def require_movable(version: Version, stage: Stage) -> None:
    """Raise Refusal for a version that is where it is to go, and for one that would leave Production empty unsaid."""
    if version.stage is stage:
        raise Refusal(f"{version.name} version {version.number} is in {stage} already")
    if version.stage is Stage.PRODUCTION and stage is not Stage.ARCHIVED:
        raise Refusal(f"nothing was moved: {version.name} {stays_in_production(version.number)}")


def _before(ledger: Ledger, live: int | None, existing: Container[int]) -> int | None:
    """Return the version that a rollback returns to, from as many of the newest movements as that takes."""
    most = _READ_FIRST
    while True:
        made = ledger.transitions(most, MADE)
        # What is live may have got there past the ledger: by the UI, by a script.
        now = [Transition(ledger.name, Action.PROMOTE, live, Stage.PRODUCTION, "", now_ms())] if live else []
        number = before_production([*made, *now], existing)
        if number is not None or len(made) < most:
            return number
        most *= 10


def by_case(registrar: Registrar, gathered: Gathered) -> Registrar:
    """Return the registrar that judges a case of this process: a guarded server believes nobody, and fetches all by itself."""
    return registrar.with_gathered(gathered) if isinstance(registrar, LocalRegistrar) else registrar


def registrar_of(client: MlflowClient, settings: Settings, operation: Operation, name: str) -> Registrar:
    """Return the registrar of the server that a client talks to: a guarded server is its own.

    Raises Refusal where the server would refuse what is to be done to a model, before anything was worked out for that.
    """
    if found := about(client.tracking_uri, name):
        if operation.right not in found.may:
            raise not_allowed(found.user or settings.user, operation, name)
        return RemoteRegistrar(client.tracking_uri, settings.user)
    return LocalRegistrar(client, settings.user)
