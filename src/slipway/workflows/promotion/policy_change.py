"""A change of the release policy: an entry of the ledger, of no version, that keeps the policy's file."""

from mlflow import MlflowClient

from slipway.core.lookalikes import is_blank
from slipway.core.release.judgement import WEAKENED
from slipway.core.release.policies import Policies
from slipway.core.release.policy import weakened
from slipway.core.release.transitions import POLICY, Action, Transition
from slipway.core.spec import ReleasePolicy
from slipway.core.spec._yaml import read_policy
from slipway.errors import Refusal
from slipway.identity import process_tags
from slipway.registry.demands.policy import POLICY_FILE, policies_of
from slipway.registry.ledger import now_ms
from slipway.types import Stage, Verdict
from slipway.workflows.promotion.transition import moving, open_ledger

_MOST_SHOWN = 12


def set_policy(client: MlflowClient, by: str, name: str, text: str, comment: str) -> Transition:
    """Write a release policy to the ledger; it is in force at once, unless the policy before asks for approvals.

    Args:
        client: a client of the tracking server.
        by: the person.
        name: the registered model.
        text: the text of a policy.yaml.
        comment: the reason; it may not be empty.

    Raises SpecInvalid, UnknownName, and Refusal for a policy that is in force, or waits, already.
    """
    _require_comment(comment)
    policy, ledger = read_policy(text), open_ledger(client, name)
    with moving(client, ledger):
        known = policies_of(ledger)
        if known.waiting is None and known.in_force and policy.digest == known.in_force.digest:
            raise Refusal(f"this release policy of {name} is in force already; nothing was written")
        if known.waiting and policy.digest == known.waiting.digest:
            raise Refusal(
                f"this release policy of {name} waits for approvals already: `slipway policy {name} --approve`"
            )
        verdict = _changes(policy, known)
        transition = _of_policy(name, Action.POLICY, by, comment, policy.digest, (verdict,))
        ledger.write(transition, process_tags(), {POLICY_FILE: text.encode()})
    return transition


def approve_policy(client: MlflowClient, by: str, name: str, digest: str, comment: str) -> Transition:
    """Write an approval of the policy that waits, or of the one in force, to the ledger.

    digest: of the policy that the person has seen. Other arguments as for `set_policy`.

    Raises Refusal where another policy waits by now, and for a person who may not approve.
    """
    _require_comment(comment)
    ledger = open_ledger(client, name)
    with moving(client, ledger):
        known = policies_of(ledger)
        asked = known.waiting or known.in_force
        if asked and asked.digest != digest:
            raise Refusal(f"another release policy of {name} was set meanwhile; read it with `slipway policy {name}`")
        if why_not := known.why_not_approved_by(by):
            raise Refusal(f"the release policy of {name} is not approved: {why_not}")
        transition = _of_policy(name, Action.APPROVE, by, comment, digest)
        ledger.write(transition, process_tags())
    return transition


def _changes(policy: ReleasePolicy, known: Policies) -> Verdict:
    """Return what a policy changes, in words: people read it in the history and on the board."""
    now = known.in_force
    weaker = weakened(policy, now.policy) if now else ()
    more = f" and {len(weaker) - _MOST_SHOWN} more" if len(weaker) > _MOST_SHOWN else ""
    words = f"weaker than before: {', '.join(map(str, weaker[:_MOST_SHOWN]))}{more}" if weaker else "nothing is weaker"
    needed = known.change.approvals
    waits = f"; it waits for {needed} approval{'s' if needed > 1 else ''}" if needed else ""
    return Verdict(POLICY, True, (words if now else "the first") + waits, {WEAKENED: float(len(weaker))})


def _of_policy(
    name: str, action: Action, by: str, comment: str, digest: str, verdicts: tuple[Verdict, ...] = ()
) -> Transition:
    return Transition(name, action, 0, Stage.NONE, by, now_ms(), comment=comment, verdicts=verdicts, evidence=digest)


def _require_comment(comment: str) -> None:
    if is_blank(comment):
        raise Refusal("a release policy is set and approved with a reason: give it a comment")
