"""The board: what stands in which berth, on what grounds, and the buttons that move it. Pages of the tracking server.

Facts come in, HTML goes out. Nothing is asked of a server here, and nothing is decided: what a button may do, and why not,
is among the facts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files

from slipway.core.release.ledger import Finding
from slipway.core.release.transitions import Action, Transition
from slipway.reports._templates import render_html
from slipway.reports.card import CardDisagreement, ModelCard
from slipway.reports.words.board import gate_strip, in_words, outcome_of, refusals
from slipway.types import Stage, Verdict

ORDER = (Stage.NONE, Stage.STAGING, Stage.PRODUCTION, Stage.ARCHIVED)
"""The berths, in the order in which a version passes through them."""


@dataclass(frozen=True)
class Visitor:
    """Who looks at the board.

    name: the authenticated user; empty where the server asks nobody who they are. may: of judge, approve, promote.
    asks_name: a form asks who presses.
    """

    name: str = ""
    may: frozenset[str] = frozenset()
    asks_name: bool = False


@dataclass(frozen=True)
class ButtonOutcome:
    """What became of a button that was pressed."""

    message: str
    done: bool


@dataclass(frozen=True)
class Frame:
    """What surrounds every page.

    board, mlflow, api: where the board, MLflow's UI and Slipway's API start, each ending in a slash. outcome: told once.
    """

    visitor: Visitor
    board: str = "/slipway/"
    mlflow: str = "/"
    api: str = "/api/2.0/slipway/"
    outcome: ButtonOutcome | None = None


@dataclass(frozen=True)
class Approval:
    """One approval. expired: what the newest judgement was of is not what was approved. overrides: gates."""

    by: str
    at: datetime
    stage: Stage
    comment: str = ""
    expired: bool = False
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True)
class VersionStatus:
    """One version in its berth.

    passed: what the gates said last, before the stage `judged`; None where they were not asked.
    since, by: when it came into this berth, and who moved it there; for a version that never moved, when it was registered.
    told: False where what was read of the ledger does not reach back far enough to say all of this.
    """

    number: int
    since: datetime | None = None
    by: str = ""
    passed: bool | None = None
    judged: Stage | None = None
    approvals: tuple[Approval, ...] = ()
    told: bool = True

    @property
    def approved_by(self) -> tuple[str, ...]:
        """Who approved it and whose approval still counts, each once."""
        return tuple(dict.fromkeys(approval.by for approval in self.approvals if not approval.expired))


@dataclass(frozen=True)
class StageColumn:
    """One stage and the versions in it, newest first. more: how many older ones are not shown."""

    stage: Stage
    versions: tuple[VersionStatus, ...] = ()
    more: int = 0


@dataclass(frozen=True)
class ModelLine:
    """One registered model with its berths, in the order of ORDER."""

    name: str
    columns: tuple[StageColumn, ...]
    goal: str = ""

    @property
    def live(self) -> VersionStatus | None:
        """The version in Production."""
        return next((v for column in self.columns if column.stage is Stage.PRODUCTION for v in column.versions), None)


@dataclass(frozen=True)
class LedgerLine:
    """One line of the ledger. run: address of its run, below MLflow's UI."""

    transition: Transition
    run: str


@dataclass(frozen=True)
class LedgerCheck:
    """What was found when a ledger was last held against itself and the registry. head: the hash of its newest entry."""

    at: datetime
    entries: int
    head: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class ModelPage:
    """All that the page of a model shows.

    older: the time (Unix milliseconds) that the next lines start at; None on the last page. newest: whether these are the
    newest. links: label → address below MLflow's UI.
    """

    model: ModelLine
    lines: tuple[LedgerLine, ...]
    older: int | None = None
    newest: bool = True
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StageGates:
    """The gates before one stage, as they judged this version last.

    verdicts is empty where they were never asked; that on approval is as it is now. problems: why the judgement does not
    stand, whatever it says. evidence: hash of all that was judged. run: address of its entry, below MLflow's UI.
    """

    stage: Stage
    verdicts: tuple[Verdict, ...] = ()
    problems: tuple[str, ...] = ()
    at: datetime | None = None
    by: str = ""
    evidence: str = ""
    run: str = ""


@dataclass(frozen=True)
class Button:
    """What may be done with a version. why_not: what stands in the way now; empty where it can be pressed.

    action: promote, rollback, archive or approve. says: what happens when it is pressed. overrides: gates, by an approval.
    """

    action: str
    label: str
    says: str
    stage: Stage
    why_not: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.action}-{self.stage.lower()}"


@dataclass(frozen=True)
class AnswersCompared:
    """The version and the one that it was judged beside, on the same rows.

    champion: None where nothing was in Production. plots: the names of the figures; `key` is part of their address.
    """

    key: str
    rows: int
    champion: int | None = None
    plots: tuple[str, ...] = ()
    disagreement: CardDisagreement | None = None


@dataclass(frozen=True)
class VersionPage:
    """All that the page of a version shows.

    lineage: what it follows from, label → value. links: label → address below MLflow's UI.
    doors: before Staging and Production. buttons: empty for who may press none. card: that of its run, where it has one.
    """

    name: str
    column: Stage
    version: VersionStatus
    created: datetime
    author: str = ""
    stage_gates: tuple[StageGates, ...] = ()
    buttons: tuple[Button, ...] = ()
    lineage: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    card: ModelCard | None = None
    comparison: AnswersCompared | None = None


def overview_page(models: Sequence[ModelLine], frame: Frame, more: str | None = None) -> str:
    """Write a page of the models. more: what the next page is asked for with; None on the last."""
    return render_html("board_overview.html.j2", models=models, frame=frame, more=more)


def model_page(page: ModelPage, verified: LedgerCheck | None, frame: Frame) -> str:
    """Write the page of a model: its berths, the movements, whether the ledger adds up.

    verified: None where the ledger is too long to be read through unasked.
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


def version_page(page: VersionPage, frame: Frame) -> str:
    """Write the page of a version: gates, approvals, evidence, the version beside the champion, the buttons."""
    return render_html(
        "board_version.html.j2",
        page=page,
        card=page.card,
        comparison=page.comparison,
        frame=frame,
        gate_strip=gate_strip,
        outcome_of=outcome_of,
    )


def problem_page(title: str, message: str, frame: Frame) -> str:
    """Write a page that says why there is nothing to see."""
    return render_html("board_problem.html.j2", title=title, message=message, frame=frame)


def stylesheet() -> str:
    """Return the one stylesheet of the board: that of all reports, and what only the board needs."""
    folder = files("slipway.reports") / "templates"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in ("style.css", "board.css"))
