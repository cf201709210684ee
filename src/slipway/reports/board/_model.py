"""The page of a model: its stages, its ledger, and the check of the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from slipway.core.release.ledger import Finding
from slipway.core.release.policies import Policies
from slipway.core.release.transitions import Action, Transition
from slipway.reports._templates import render_html
from slipway.reports.board._frame import Frame
from slipway.reports.board._overview import ModelLine
from slipway.reports.words.board import in_words, refusals


@dataclass(frozen=True)
class LedgerLine:
    """One entry of the ledger, with the path of its run in MLflow's UI."""

    transition: Transition
    run: str


@dataclass(frozen=True)
class LedgerCheck:
    """The last check of a ledger against itself and the registry; `head` is the hash of the newest entry."""

    at: datetime
    entries: int
    head: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class ModelPage:
    """The content of the page of a model.

    Attributes:
        model: The model with its StageColumns.
        lines: The lines of the ledger on this page.
        older: The time, in Unix milliseconds, at which older lines start; None on the last page.
        newest: Whether the lines are the newest of the ledger.
        links: Addresses below MLflow's UI by label.
        policies: The release policies of the model; None where they cannot be read.
    """

    model: ModelLine
    lines: tuple[LedgerLine, ...]
    older: int | None = None
    newest: bool = True
    links: Mapping[str, str] = field(default_factory=dict)
    policies: Policies | None = field(default_factory=Policies)


def model_page(page: ModelPage, verified: LedgerCheck | None, frame: Frame) -> str:
    """Write the page of a model: its stages, its transitions, and the check of its ledger.

    `verified` is None where the ledger is too long to be checked at each visit.
    """
    return render_html(
        "board_model.html.j2",
        page=page,
        model=page.model,
        verified=verified,
        frame=frame,
        in_words=in_words,
        refusals=refusals,
        refused=Action.REFUSE,
    )
