"""A change of the release policy: an entry of the ledger, of no version, that keeps the policy's file."""

from dataclasses import replace

from mlflow import MlflowClient

from slipway.core.lookalikes import is_blank
from slipway.core.release.judgement import WEAKENED
from slipway.core.release.people import Staff, listed, unknown_people
from slipway.core.release.policies import AS_ADMIN, Policies
from slipway.core.release.policy import weakened
from slipway.core.release.transitions import POLICY, Action, Transition
from slipway.core.spec import ReleasePolicy
from slipway.core.spec._yaml import read_policy
from slipway.errors import Refusal, for_reasons, some_of
from slipway.identity import process_tags
from slipway.registry.demands.policy import POLICY_FILE, policies_of
from slipway.registry.ledger import now_ms
from slipway.types import Stage, UserRole, Verdict
from slipway.workflows.promotion.transition import moving, open_ledger

_MOST_SHOWN = 12


def set_policy(
    client: MlflowClient, by: str, name: str, text: str, comment: str, staff: Staff | None = None
) -> Transition:
    """Write a release policy to the ledger; it is in force at once, unless the policy before asks for approvals.

    Args:
        client: a client of the tracking server.
        by: the person.
        name: the registered model.
        text: the text of a policy.yaml.
        comment: the reason; it may not be empty.
        staff: the users of the server, among whom everybody has to be whom the policy names; None where nobody has to log in.

    Raises SpecInvalid, UnknownName, and Refusal for a policy that names somebody unknown, and for one that is in force, or
    waits, already.
    """
    _require_comment(comment)
    policy, ledger = read_policy(text), open_ledger(client, name)
    if unknown := unknown_people(policy, staff) if staff is not None else ():
        why = f"the release policy of {name} is not set, as it names people whom this server does not know"
        raise Refusal(for_reasons(why, [*unknown, "an admin makes a user: `slipway user NAME approver`"]))
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


def require_admin(by: str, staff: Staff | None) -> None:
    """Raise Refusal for a person who is no admin, and where nobody has to log in, so that nobody is one."""
    if staff is None:
        raise Refusal(
            "nobody has to log in on this server, so nobody is an admin of it: --as-admin is for a server with users"
        )
    if staff.get(by) is not UserRole.ADMIN:
        admins = listed(name for name, role in staff.items() if role is UserRole.ADMIN)
        raise Refusal(f"{by} is no admin, who alone may stand in for those whom a policy asks for: ask {admins}")


def approve_policy(
    client: MlflowClient, by: str, name: str, digest: str, comment: str, *, as_admin: bool = False
) -> Transition:
    """Write an approval of the policy that waits, or of the one in force, to the ledger.

    Args:
        client: a client of the tracking server.
        by: the person.
        name: the registered model.
        digest: of the policy that the person has seen.
        comment: the reason; it may not be empty.
        as_admin: whether the person, an admin, approves in place of everybody whom the policy before asks for. Otherwise
            approvers who never approve would keep a policy for ever. Nobody may do so with a change of his or her own.

    Raises Refusal where another policy waits by now, and for a person who may not approve.
    """
    _require_comment(comment)
    ledger = open_ledger(client, name)
    with moving(client, ledger):
        known = policies_of(ledger)
        asked = known.waiting or known.in_force
        if asked and asked.digest != digest:
            raise Refusal(f"another release policy of {name} was set meanwhile; read it with `slipway policy {name}`")
        if why_not := known.why_not_approved_by(by, as_admin=as_admin):
            raise Refusal(f"the release policy of {name} is not approved: {why_not}")
        transition = _of_policy(name, Action.APPROVE, by, comment, digest)
        if as_admin:
            transition = replace(transition, overrides=(AS_ADMIN,))
        ledger.write(transition, process_tags())
    return transition


def _changes(policy: ReleasePolicy, known: Policies) -> Verdict:
    """Return what a policy changes, in words: people read it in the history and on the board."""
    now = known.in_force
    weaker = weakened(policy, now.policy) if now else ()
    words = f"weaker than before: {some_of(weaker, _MOST_SHOWN)}" if weaker else "nothing is weaker"
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
