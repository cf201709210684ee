"""The frame of every page of the board: the visitor, the addresses, the outcome of a button; and a page that says no."""

from dataclasses import dataclass
from importlib.resources import files

from slipway.colours import COLOURS
from slipway.reports._templates import render_html


@dataclass(frozen=True)
class Visitor:
    """The person who looks at the board.

    Attributes:
        name: The authenticated user; empty on a server without authentication.
        may: The operations that the Visitor may do: judge, approve, promote.
        asks_name: Whether a form asks for the name of the Visitor.
    """

    name: str = ""
    may: frozenset[str] = frozenset()
    asks_name: bool = False


@dataclass(frozen=True)
class ButtonOutcome:
    """The outcome of a pressed button."""

    message: str
    done: bool


@dataclass(frozen=True)
class Frame:
    """The frame of every page.

    Attributes:
        visitor: The person who looks at the page.
        board: The address of the board, with a slash at the end.
        mlflow: The address of MLflow's UI, with a slash at the end.
        api: The address of Slipway's API, with a slash at the end.
        outcome: The outcome of a button, shown once; None without one.
        model: The name of the model that the page is about; empty for none.
        warning: What is wrong with the server itself; empty for nothing.
    """

    visitor: Visitor
    board: str = "/slipway/"
    mlflow: str = "/"
    api: str = "/api/2.0/slipway/"
    outcome: ButtonOutcome | None = None
    model: str = ""
    warning: str = ""


def problem_page(title: str, message: str, frame: Frame) -> str:
    """Write a page with a title and a message in place of content."""
    return render_html("board_problem.html.j2", title=title, message=message, frame=frame)


def stylesheet() -> str:
    """Return the stylesheet of the board: the colours, the rules of all reports, then the rules of the board."""
    folder = files("slipway.reports") / "templates"
    own = ("style.css", "board.css", "board_lists.css")
    return "\n".join((COLOURS, *((folder / name).read_text(encoding="utf-8") for name in own)))
