"""The release policy in force by the entries of a ledger, the one that waits for approvals, and the people behind both."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from slipway.core.release.policy import weakened
from slipway.core.release.transitions import Action, Transition
from slipway.core.spec import PolicyChange, ReleasePolicy
from slipway.core.spec._yaml import read_policy

AS_ADMIN = "change"
"""The override of an approval of a policy by an admin: the approvals that the policy before asks for."""
IN_PLACE = "an admin, in place of those whom the policy before asked for"


@dataclass(frozen=True)
class SetPolicy:
    """A release policy as somebody set it.

    Attributes:
        policy: the policy.
        text: the text of its file.
        by: the person who set it.
        at_ms: the time, in Unix milliseconds.
        comment: the reason of that person.
        approved_by: the people who approved it, each once.
        as_admin: the admin among them who approved it in place of everybody whom the policy before asks for; empty for nobody.
    """

    policy: ReleasePolicy
    text: str
    by: str
    at_ms: int
    comment: str = ""
    approved_by: tuple[str, ...] = ()
    as_admin: str = ""

    @property
    def digest(self) -> str:
        return self.policy.digest

    @property
    def people(self) -> tuple[str, ...]:
        """The people who stand behind the policy."""
        return (self.by, *self.approved_by)

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)

    def as_dict(self) -> dict[str, Any]:
        return {
            "policy": self.policy.as_dict(),
            "text": self.text,
            "digest": self.digest,
            "by": self.by,
            "at": self.at.isoformat(timespec="seconds"),
            "comment": self.comment,
            "approved_by": list(self.approved_by),
            "as_admin": self.as_admin,
        }

    def __str__(self) -> str:
        named = [f"{by}, {IN_PLACE}" if by == self.as_admin else by for by in self.approved_by]
        approved = f", approved by {' and '.join(named)}" if named else ""
        return f"the release policy that {self.by} set on {self.at:%Y-%m-%d}{approved}"


@dataclass(frozen=True)
class Policies:
    """The release policies of a model, by its ledger.

    Attributes:
        in_force: the policy in force; None without one.
        waiting: a later policy that waits for approvals; None without one.
        before: each policy that was in force before, with the person who replaced it, oldest first.
    """

    in_force: SetPolicy | None = None
    waiting: SetPolicy | None = None
    before: tuple[tuple[ReleasePolicy, str], ...] = ()

    @property
    def digest(self) -> str:
        """The digest of the policy in force and of those before it; empty without one.

        A policy that is set back to what it was is another one, so that no verdict and no approval of then counts again:
        other people may stand behind it now, and whoever set it back may have approved before.
        """
        if not self.in_force or not self.before:
            return self.in_force.digest if self.in_force else ""
        digests = [*(was.digest for was, _ in self.before), self.in_force.digest]
        return hashlib.sha256(json.dumps(digests).encode()).hexdigest()

    @property
    def change(self) -> PolicyChange:
        """The approvals that a change needs."""
        return self.in_force.policy.change if self.in_force else PolicyChange()

    @property
    def weakened_by(self) -> tuple[str, ...]:
        """The people who replaced a policy than which the one in force is weaker, each once.

        Every policy before counts and not the last alone: weakened in two steps, a policy is as weak as in one.
        """
        now = self.in_force
        return tuple(dict.fromkeys(by for was, by in self.before if now and weakened(now.policy, was)))

    def why_not_approved_by(self, by: str, *, as_admin: bool = False) -> str:
        """Return why a person may not approve the policy that waits, or the one in force without one; empty when it is fine.

        as_admin: whether an admin approves in place of everybody whom the policy before asks for.
        """
        asked = self.waiting or self.in_force
        if asked is None:
            return "no release policy is set"
        if by == asked.by:
            return f"{by} set this policy: somebody else has to approve it"
        if as_admin:
            return (
                ""
                if self.waiting
                else "no change waits, so nobody has to be stood in for; approve it without --as-admin"
            )
        if self.change.approvers and by not in self.change.approvers:
            return f"{by} is not among those who may approve a change: {', '.join(self.change.approvers)}"
        return f"{by} has approved this policy already" if by in asked.approved_by else ""


def policies(entries: Iterable[tuple[Transition, str]]) -> Policies:
    """Return the policies by the entries of a ledger on them, oldest first, each with the text that is kept with it.

    An entry is written by whoever was allowed to write it; the approvals that the policy before asked for are counted here.
    """
    found = Policies()
    for entry, text in entries:
        if not entry.complete:
            continue
        if entry.action is Action.POLICY:
            proposed = SetPolicy(read_policy(text), text, entry.by, entry.at_ms, entry.comment)
            found = _with_due(replace(found, waiting=proposed))
        elif entry.action is Action.APPROVE:
            found = _approved(found, entry)
    return found


def _approved(found: Policies, entry: Transition) -> Policies:
    asked = found.waiting or found.in_force
    as_admin = AS_ADMIN in entry.overrides
    if asked is None or asked.digest != entry.evidence or found.why_not_approved_by(entry.by, as_admin=as_admin):
        return found
    people = dict.fromkeys((*asked.approved_by, entry.by))
    approved = replace(asked, approved_by=tuple(people), as_admin=entry.by if as_admin else asked.as_admin)
    return _with_due(replace(found, waiting=approved)) if found.waiting else replace(found, in_force=approved)


def _with_due(found: Policies) -> Policies:
    """Let the waiting policy come into force, if it has the approvals that the policy in force asks for."""
    due = found.waiting
    if due is None or (len(due.approved_by) < found.change.approvals and not due.as_admin):
        return found
    before = (*found.before, (found.in_force.policy, due.by)) if found.in_force else found.before
    return Policies(due, None, before)
