"""The people whom a release asks for, held to the users that a server has."""

from collections.abc import Callable, Collection, Iterable, Mapping

from slipway.core.spec import ApprovalGate, ReleasePolicy
from slipway.errors import did_you_mean
from slipway.types import UserRole

Staff = Mapping[str, UserRole]
"""Every user of a server, each with the role for one registered model."""
StaffOf = Callable[[str], Staff]
"""Returns the staff by the name of a registered model."""
_APPROVES = (UserRole.APPROVER, UserRole.PROMOTER, UserRole.ADMIN)
_MOST_NAMED = 5


def unknown_people(policy: ReleasePolicy, staff: Staff) -> tuple[str, ...]:
    """Return a sentence for each name in a release policy that is of no user; a policy that waits for nobody is for ever."""
    approval = policy.gates.approval
    named = {
        "gates.approval.approvers": approval.approvers if approval else [],
        "change.approvers": policy.change.approvers,
        "promoters": policy.promoters,
    }
    return tuple(
        f"{key}: there is no user '{name}'{did_you_mean(name, sorted(staff))}"
        for key, names in named.items()
        for name in names
        if name not in staff
    )


def approvers(asked: ApprovalGate, authors: Collection[str], staff: Staff | None) -> tuple[str, ...]:
    """Return the people who may approve a version now.

    Args:
        asked: the approval that is asked for.
        authors: the authors of the version, who may not.
        staff: the users of the server; None where nobody has to log in, so that only those are known whom the gate names.
    """
    named = asked.approvers if asked.approvers or staff is None else staff
    return tuple(name for name in named if name not in authors and (staff is None or staff.get(name) in _APPROVES))


def who_may_approve(name: str, asked: ApprovalGate, authors: Collection[str], staff: Staff | None) -> str:
    """Return who may approve a version now, in words; empty where that is not known.

    name: the registered model. Other arguments as for `approvers`.
    """
    may = approvers(asked, authors, staff)
    if len(may) >= asked.number:
        return f"{listed(may)} may"
    if staff is None and not asked.approvers:
        return ""
    found = f"{listed(may)} alone may" if may else "nobody may"
    why = [_why_not(each, authors, staff) for each in asked.approvers if each not in may] or (
        [f"{listed(authors, 'and')} may not, as author"] if authors else []
    )
    mend = f"`slipway user NAME approver --model {name}` makes somebody an approver"
    if asked.approvers:
        mend = f"{mend}, and `slipway policy {name} --set policy.yaml` names others"
    return "; ".join([f"{found} now", *why, mend])


def listed(names: Iterable[str], joined: str = "or") -> str:
    """Return names in words; of many the first few."""
    known = list(names)
    if len(known) > _MOST_NAMED:
        return f"{', '.join(known[:_MOST_NAMED])} {joined} {len(known) - _MOST_NAMED} more"
    *first, last = known
    return f"{', '.join(first)} {joined} {last}" if first else last


def _why_not(name: str, authors: Collection[str], staff: Staff | None) -> str:
    if name in authors:
        return f"{name} is an author of it"
    if staff is not None and name not in staff:
        return f"{name} is no user"
    return f"{name} has no role that approves"
