"""The registrar, which alone writes the ledger and moves the stages.

On a plain MLflow server a command is the registrar. Slipway's own server is its own registrar, and refuses any other.
"""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from mlflow import MlflowClient

from slipway.core.lookalikes import is_blank
from slipway.core.release.judgement import Eligibility, is_author, may_approve, may_reject
from slipway.core.release.people import Staff, StaffOf, who_may_approve
from slipway.core.release.policies import Policies
from slipway.core.release.transitions import Action, Transition, stays_in_production
from slipway.errors import PromotionRefused, Refusal, for_reasons
from slipway.identity import process_tags
from slipway.registry.artifacts.models import temporary_folder
from slipway.registry.demands.policy import policies_of
from slipway.registry.demands.redeclaration import declared_now
from slipway.registry.eligibility import eligibility, served_beside
from slipway.registry.evidence.bundle import EvidenceBundle
from slipway.registry.evidence.rescoring import verified_rows
from slipway.registry.ledger import Ledger
from slipway.registry.mutex import exclusive
from slipway.registry.permissions import Operation, not_allowed
from slipway.registry.remote import RemoteRegistrar, about
from slipway.registry.stages import put_aliases_in_step
from slipway.registry.versions import Version, get_version
from slipway.settings import Settings
from slipway.types import HELD_STAGES, Stage
from slipway.workflows.notices.telling import telling
from slipway.workflows.promotion import policy_change
from slipway.workflows.promotion.decided import describe
from slipway.workflows.promotion.judge import judged
from slipway.workflows.promotion.judged_inputs import Gathered
from slipway.workflows.promotion.redeclaration import redeclare
from slipway.workflows.promotion.rollback_target import version_before
from slipway.workflows.promotion.rule import authors, rule_of
from slipway.workflows.promotion.transition import bring_to_an_end, make, moving, open_ledger, transition_of


class Registrar(Protocol):
    """The operations of a registrar. Each raises UnknownName for a model or version that is not registered."""

    def judge(self, name: str, bundle: EvidenceBundle) -> Transition:
        """Compare a bundle with the stored inputs, run the gates, and write the judgement to the ledger. Nothing is moved."""

    def approve(
        self, name: str, version: int, stage: Stage, comment: str, overrides: tuple[str, ...] = ()
    ) -> Transition:
        """Write an approval of the newest judgement, by somebody other than the author, to the ledger. Raises Refusal.

        overrides: gates that had too few rows to compare, since the champion knows nearly all; the comment stands in for them.
        """

    def reject(self, name: str, version: int, stage: Stage, comment: str) -> Transition:
        """Write a rejection of the newest judgement, with its reason, to the ledger. Raises Refusal."""

    def comment(self, name: str, version: int, text: str) -> Transition:
        """Write a comment on a version to the ledger. Raises Refusal for one without text."""

    def redeclare(self, name: str, version: int, text: str, comment: str) -> Transition:
        """Write what is declared again about the release of a version to the ledger. Raises UsageError, Refusal."""

    def promote(
        self, name: str, version: int, stage: Stage, comment: str, bundle: EvidenceBundle | None = None
    ) -> Transition:
        """Move a version by the judgement that stands, or by that of the bundle. Raises PromotionRefused, Refusal."""

    def rollback(self, name: str, comment: str) -> Transition:
        """Bring back the version that was in Production before. Raises Refusal when there is none."""

    def archive(self, name: str, version: int, comment: str) -> Transition:
        """Archive a version. Raises Refusal when the version is archived already."""

    def reconcile(self, name: str) -> tuple[Transition, ...]:
        """Bring the transitions that were cut off to their end, and the aliases into step; return each as it ended."""

    def set_policy(self, name: str, text: str, comment: str) -> Transition:
        """Set the release policy, by the text of a policy.yaml. Raises SpecInvalid, Refusal."""

    def approve_policy(self, name: str, digest: str, comment: str, *, as_admin: bool = False) -> Transition:
        """Approve the release policy of a digest, by somebody other than the one who set it. Raises Refusal.

        as_admin: as an admin, in place of everybody whom the policy before asks for.
        """


class LocalRegistrar:
    """The registrar that writes by itself, through a client.

    Args:
        client: a client of the tracking server.
        by: the user who asks, as the ledger names them.
        gathered: an evidence bundle of this process with its verified inputs, which then are not fetched again.
        trusted: the types that the operator lets a model hold, beside those that its experiment declared.
        staff: returns the users of a server by the name of a model, each with a role; None where nobody has to log in, so that
            each name is a claim.
    """

    def __init__(
        self,
        client: MlflowClient,
        by: str,
        gathered: Gathered | None = None,
        trusted: tuple[str, ...] = (),
        *,
        staff: StaffOf | None = None,
    ) -> None:
        self._client = client
        self._by = by
        self._gathered = gathered
        self._trusted = trusted
        self._staff = staff

    def with_gathered(self, gathered: Gathered) -> "LocalRegistrar":
        """Return the same registrar, which judges a gathered bundle by the inputs that are on this disk."""
        return LocalRegistrar(self._client, self._by, gathered, self._trusted, staff=self._staff)

    def judge(self, name: str, bundle: EvidenceBundle) -> Transition:
        ledger = open_ledger(self._client, name)
        require_not_live(get_version(self._client, name, bundle.version), bundle.stage)
        judgement = self._judged(name, bundle)
        with moving(self._client, ledger):
            self._require_same_basis(policies_of(ledger), judgement)
            ledger.write(judgement, process_tags(), bundle.files())
            describe(self._client, judgement)
        return judgement

    def approve(
        self, name: str, version: int, stage: Stage, comment: str, overrides: tuple[str, ...] = ()
    ) -> Transition:
        if is_blank(comment):
            raise Refusal("an approval says why: give it a comment")
        ledger = open_ledger(self._client, name)
        wanted = get_version(self._client, name, version)
        rule = rule_of(self._client, name, version)
        theirs = authors(wanted, rule.policies)
        what = f"{name} version {version} is not approved for {stage}"
        if self._by in theirs:  # at once: no declaration is needed to say so
            raise Refusal(f"{what}: {is_author(self._by, theirs)}")
        with temporary_folder() as made:
            recorded = verified_rows(self._client, wanted, Path(made))[0].experiment
        with moving(self._client, ledger):
            stands = eligibility(self._client, ledger, wanted, stage)
            now = declared_now(ledger, version, recorded)
            asked, theirs = rule.approval_asked(now.experiment), authors(wanted, rule.policies, now.people)
            if why_not := may_approve(asked, stands, theirs, self._by, overrides):
                others = self._by in theirs or (asked.approvers and self._by not in asked.approvers)
                who = who_may_approve(name, asked, theirs, self._staff_of(name)) if others else ""
                raise Refusal(for_reasons(what, [*why_not, *([who] if who else [])]))
            assert stands.judgement is not None  # nothing can be approved otherwise
            evidence = stands.judgement.evidence
            approval = transition_of(
                self._client, self._by, wanted, Action.APPROVE, stage, comment, evidence=evidence, overrides=overrides
            )
            ledger.write(approval, process_tags())
        return approval

    def reject(self, name: str, version: int, stage: Stage, comment: str) -> Transition:
        if is_blank(comment):
            raise Refusal("a rejection says why: give it a comment")
        ledger = open_ledger(self._client, name)
        with moving(self._client, ledger):
            wanted = get_version(self._client, name, version)
            stands = eligibility(self._client, ledger, wanted, stage)
            if why_not := may_reject(stands, wanted.stage, self._by):
                raise Refusal(f"{name} version {version} is not rejected for {stage}: {why_not}")
            assert stands.judgement is not None  # nothing can be rejected otherwise
            evidence = stands.judgement.evidence
            rejection = transition_of(self._client, self._by, wanted, Action.REJECT, stage, comment, evidence=evidence)
            ledger.write(rejection, process_tags())
        return rejection

    def comment(self, name: str, version: int, text: str) -> Transition:
        if is_blank(text):
            raise Refusal("the comment is empty; say something")
        ledger = open_ledger(self._client, name)
        with moving(self._client, ledger):
            wanted = get_version(self._client, name, version)
            said = transition_of(self._client, self._by, wanted, Action.COMMENT, wanted.stage, text)
            ledger.write(said, process_tags())
        return said

    def redeclare(self, name: str, version: int, text: str, comment: str) -> Transition:
        return redeclare(self._client, self._by, name, version, text, comment)

    def promote(
        self, name: str, version: int, stage: Stage, comment: str, bundle: EvidenceBundle | None = None
    ) -> Transition:
        ledger = open_ledger(self._client, name)
        require_movable(get_version(self._client, name, version), stage)
        fresh = self._judged(name, bundle) if bundle else None
        with moving(self._client, ledger):
            wanted = get_version(self._client, name, version)
            require_movable(wanted, stage)
            if stage not in HELD_STAGES:
                return make(self._client, ledger, self._transition(wanted, Action.PROMOTE, stage, comment))
            policies = policies_of(ledger)  # once: no policy changes while the mutex is held
            if fresh:
                self._require_same_basis(policies, fresh)
            self._require_promoter(name, policies)
            stands = eligibility(self._client, ledger, wanted, stage, fresh, policies)
            return self._by_judgement(ledger, wanted, stands, comment, fresh, bundle.files() if bundle else None)

    def rollback(self, name: str, comment: str) -> Transition:
        ledger = open_ledger(self._client, name)
        with moving(self._client, ledger):
            number = version_before(self._client, ledger)
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

    def set_policy(self, name: str, text: str, comment: str) -> Transition:
        return policy_change.set_policy(self._client, self._by, name, text, comment, self._staff_of(name))

    def approve_policy(self, name: str, digest: str, comment: str, *, as_admin: bool = False) -> Transition:
        if as_admin:
            policy_change.require_admin(self._by, self._staff_of(name))
        return policy_change.approve_policy(self._client, self._by, name, digest, comment, as_admin=as_admin)

    def _by_judgement(
        self,
        ledger: Ledger,
        wanted: Version,
        stands: Eligibility,
        comment: str,
        fresh: Transition | None,
        files: dict[str, bytes] | None,
    ) -> Transition:
        stage = stands.stage
        if fresh:
            describe(self._client, fresh)
        evidence = stands.judgement.evidence if stands.judgement and not stands.problems else ""
        action = Action.PROMOTE if stands.holds else Action.REFUSE
        transition = transition_of(self._client, self._by, wanted, action, stage, comment, stands.verdicts, evidence)
        if stands.judgement:  # this entry is the newest judgement now: it went by the same policy
            transition = replace(transition, policy=stands.judgement.policy, declared=stands.judgement.declared)
        if stands.holds:
            return make(self._client, ledger, transition, files)
        if stands.judgement:  # the refusal is the newest judgement now: an approval of it may open the stage
            transition = replace(transition, replaced=stands.judgement.replaced)
        ledger.write(transition, process_tags(), files)
        raise PromotionRefused(wanted.name, wanted.number, stage, stands.verdicts)

    def _staff_of(self, name: str) -> Staff | None:
        return self._staff(name) if self._staff else None

    def _judged(self, name: str, bundle: EvidenceBundle) -> Transition:
        return judged(self._client, bundle, name, self._by, self._gathered, self._trusted, self._staff_of(name))

    def _transition(self, version: Version, action: Action, stage: Stage, comment: str) -> Transition:
        return transition_of(self._client, self._by, version, action, stage, comment)

    def _require_promoter(self, name: str, policies: Policies) -> None:
        promoters = policies.in_force.policy.promoters if policies.in_force else []
        if promoters and self._by not in promoters:
            raise Refusal(
                f"{self._by} may not promote {name}: its release policy names those who may, {', '.join(promoters)}"
            )

    def _require_same_basis(self, policies: Policies, judgement: Transition) -> None:
        """Raise Refusal when the policy, or the version in Production, is not the one that the judgement went by."""
        if policies.digest != judgement.policy:
            raise Refusal(
                f"the release policy of {judgement.name} changed while version {judgement.version} was judged; nothing was "
                "moved. Run it again"
            )
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
    """Raise Refusal for the version in Production, when Production is asked for: its champion would be itself."""
    if version.stage is stage is Stage.PRODUCTION:
        raise Refusal(f"{version.name} version {version.number} is in {stage} already")


def require_movable(version: Version, stage: Stage) -> None:
    """Raise Refusal for a version that holds the stage already, and for a move that would silently empty Production."""
    if version.stage is stage:
        raise Refusal(f"{version.name} version {version.number} is in {stage} already")
    if version.stage is Stage.PRODUCTION and stage is not Stage.ARCHIVED:
        raise Refusal(f"nothing was moved: {version.name} {stays_in_production(version.number)}")


def judging_gathered(registrar: Registrar, gathered: Gathered) -> Registrar:
    """Return a registrar that judges a bundle by the inputs on this disk; a guarded server fetches all inputs by itself."""
    return registrar.with_gathered(gathered) if isinstance(registrar, LocalRegistrar) else registrar


def registrar_of(client: MlflowClient, settings: Settings, operation: Operation, name: str) -> Registrar:
    """Return the registrar for the server that a client talks to: the server itself, if it is a guarded one.

    Raises Refusal where the server would refuse the operation, so that no work is done for it in vain.
    """
    if server := about(client.tracking_uri, name):
        if operation.right not in server.may:
            raise not_allowed(server.user or settings.user, operation, name)
        return RemoteRegistrar(client.tracking_uri, settings.user)
    told = telling(settings, client, lambda model: LocalRegistrar(client, settings.user).reconcile(model))
    return LocalRegistrar(told, settings.user, trusted=settings.trusted_types)
