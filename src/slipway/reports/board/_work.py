"""The page of what waits for the visitor."""

from dataclasses import dataclass

from slipway.reports._templates import render_html
from slipway.reports.board._frame import Frame
from slipway.reports.board._lists import Pages, WorkLine


@dataclass(frozen=True)
class WorkPage:
    """A page of what waits for the visitor, oldest first. total: how many things wait in all."""

    lines: tuple[WorkLine, ...]
    total: int
    pages: Pages


def work_page(page: WorkPage, frame: Frame) -> str:
    """Write the page of what waits for the visitor; on a server without users, of what waits for anybody."""
    return render_html("board_work.html.j2", page=page, frame=frame)
