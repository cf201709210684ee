"""The one table of roles, and its copy in the documentation."""

from itertools import pairwise
from pathlib import Path

from slipway.registry.permissions import ABILITIES, PERMISSIONS, Right, rights_of
from slipway.types import UserRole

DOCS = Path(__file__).parents[2] / "docs"


def test_each_role_has_the_rights_of_the_role_before_it_and_every_right_is_somebody_s() -> None:
    rights = [rights_of(role) for role in UserRole]
    assert all(less <= more for less, more in pairwise(rights))
    assert (rights[0], rights[-1]) == (frozenset(), frozenset(Right))
    assert rights_of(UserRole.APPROVER) == {Right.APPROVE}


def test_the_documentation_has_the_same_table() -> None:
    lines = [f"| may | {' | '.join(UserRole)} |", f"|---|{'---|' * len(UserRole)}"]
    for ability in ABILITIES.values():
        allowed = ("yes" if ability.of(role) else "no" for role in UserRole)
        lines.append(f"| {ability.words}{f'; {ability.but}' if ability.but else ''} | {' | '.join(allowed)} |")
    lines.append(f"| *in MLflow's words* | {' | '.join(PERMISSIONS[role] for role in UserRole)} |")
    table = "\n".join(lines)
    assert table in (DOCS / "team.md").read_text(), table
