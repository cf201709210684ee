"""Who may approve now, and whom a release policy names though nobody is called so."""

import pytest

from slipway.core.release.people import unknown_people, who_may_approve
from slipway.core.spec import ApprovalGate
from slipway.core.spec._yaml import read_policy
from slipway.types import UserRole

STAFF = {
    "ada": UserRole.AUTHOR,
    "edi": UserRole.APPROVER,
    "pia": UserRole.PROMOTER,
    "rea": UserRole.READER,
    "root": UserRole.ADMIN,
}
MAKE = "`slipway user NAME approver --model loans` makes somebody an approver"
SET = f"{MAKE}, and `slipway policy loans --set policy.yaml` names others"


@pytest.mark.parametrize(
    ("asked", "authors", "said"),
    [
        (ApprovalGate(), ("ada",), "edi, pia or root may"),
        (ApprovalGate(), ("pia", "root"), "edi may"),
        (ApprovalGate(approvers=["pia", "edi"]), ("pia",), "edi may"),
        (
            ApprovalGate(number=2, approvers=["pia", "edi"]),
            ("pia",),
            f"edi alone may now; pia is an author of it; {SET}",
        ),
        (ApprovalGate(number=2), ("pia", "root"), f"edi alone may now; pia and root may not, as author; {MAKE}"),
        (
            ApprovalGate(approvers=["ben", "ada"]),
            (),
            f"nobody may now; ben is no user; ada has no role that approves; {SET}",
        ),
    ],
)
def test_the_people_who_may_approve_are_named_and_where_nobody_may_it_is_said_why(
    asked: ApprovalGate, authors: tuple[str, ...], said: str
) -> None:
    assert who_may_approve("loans", asked, authors, STAFF) == said


def test_where_nobody_has_to_log_in_only_those_are_known_whom_the_gate_names() -> None:
    assert who_may_approve("loans", ApprovalGate(), ("ada",), None) == ""
    assert who_may_approve("loans", ApprovalGate(approvers=["edi", "ada"]), ("ada",), None) == "edi may"
    nobody = who_may_approve("loans", ApprovalGate(approvers=["ada"]), ("ada",), None)
    assert nobody == f"nobody may now; ada is an author of it; {SET}"


def test_of_many_people_a_few_are_named() -> None:
    many = {f"user{at}": UserRole.APPROVER for at in range(9)}
    assert who_may_approve("loans", ApprovalGate(), (), many) == "user0, user1, user2, user3, user4 or 4 more may"


def test_a_policy_names_people_whom_nobody_knows() -> None:
    policy = read_policy(
        "gates: {approval: {approvers: [edi, pai]}}\nchange: {approvals: 1, approvers: [ghost]}\npromoters: [pia]\n"
    )
    first, second = unknown_people(policy, STAFF)
    assert first.startswith("gates.approval.approvers: there is no user 'pai'; did you mean 'pia'?")
    assert second.startswith("change.approvers: there is no user 'ghost'; there is: ada, edi")
    assert unknown_people(read_policy("gates: {}"), STAFF) == ()
