"""The page of roles: what each role may do, and what the visitor may do on one model."""

from collections.abc import Mapping
from dataclasses import dataclass

from slipway.reports._templates import render_html
from slipway.reports.board._frame import Frame


@dataclass(frozen=True)
class RoleLine:
    """One line of the table of roles: something to do, whether each role may do it, and the exception."""

    words: str
    allowed: Mapping[str, bool]
    but: str = ""


@dataclass(frozen=True)
class RolesPage:
    """The content of the page of roles.

    Attributes:
        lines: What there is to do.
        permissions: The roles, in their order, with MLflow's words for them.
        role: The role of the Visitor; empty on a server where nobody has to log in.
        missing: Why the Visitor does not see a button, a sentence each.
    """

    lines: tuple[RoleLine, ...]
    permissions: Mapping[str, str]
    role: str = ""
    missing: tuple[str, ...] = ()


def roles_page(page: RolesPage, frame: Frame) -> str:
    """Write the page of roles: what each may do, and what the Visitor may do on the model of the Frame."""
    return render_html("board_roles.html.j2", page=page, frame=frame)
