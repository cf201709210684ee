"""The facts of the board's page of roles: the table of `slipway.registry.permissions`, seen by one visitor."""

from slipway.registry.permissions import ABILITIES, PERMISSIONS, Ability
from slipway.reports.board import RoleLine, RolesPage
from slipway.types import UserRole

_BUTTONS = ("approve", "promote")


def roles_page(role: UserRole | None, model: str, who: str) -> RolesPage:
    """Return the facts of the page of roles.

    Args:
        role: the visitor's role; None on a server where nobody has to log in.
        model: the model that it is the role for; empty for no certain one.
        who: the visitor's name.
    """
    lines = tuple(map(_line, ABILITIES.values()))
    missing = tuple(
        f"You may not {ABILITIES[key].words.replace(' and ', ' or ')}: "
        f"that takes the role {ABILITIES[key].least}, which an admin gives with "
        f"`slipway user {who} {ABILITIES[key].least}{f' --model {model}' if model else ''}`."
        for key in _BUTTONS
        if role is not None and not ABILITIES[key].of(role)
    )
    return RolesPage(lines, {each.value: words for each, words in PERMISSIONS.items()}, role or "", missing)


def _line(ability: Ability) -> RoleLine:
    return RoleLine(ability.words, {role.value: ability.of(role) for role in UserRole}, ability.but)
