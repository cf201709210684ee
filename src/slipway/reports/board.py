"""The pages of the board: models, their stage columns and ledgers, versions with their gates, and the buttons.

The module turns facts into HTML. It asks no server and decides nothing: the facts say what a button may do, or why not.
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
from slipway.reports.words.evidence import numbers_in_words
from slipway.types import Stage, Verdict

ORDER = (Stage.NONE, Stage.STAGING, Stage.PRODUCTION, Stage.ARCHIVED)
"""The stages, in the order in which a version passes through them."""


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
    """

    visitor: Visitor
    board: str = "/slipway/"
    mlflow: str = "/"
    api: str = "/api/2.0/slipway/"
    outcome: ButtonOutcome | None = None
    model: str = ""


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


@dataclass(frozen=True)
class Approval:
    """One approval of a version.

    Attributes:
        by: The person who approved.
        at: The time of the approval.
        stage: The stage that the approval is for.
        comment: The comment of the approver.
        expired: Whether the newest judgement is of other evidence than the approved one.
        overrides: The gates that the approval overrides.
    """

    by: str
    at: datetime
    stage: Stage
    comment: str = ""
    expired: bool = False
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True)
class VersionStatus:
    """The status of one version in its stage.

    Attributes:
        number: The number of the version.
        since: When the version came into its stage; for a version that never moved, when it was registered.
        by: The person who moved the version there.
        passed: Whether the gates before the stage `judged` passed last; None where the gates were not asked.
        judged: The stage of the last judgement.
        approvals: The approvals of the version.
        told: Whether the entries that were read of the ledger reach back far enough to know all of this.
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
        """The people whose approval still counts, each once."""
        return tuple(dict.fromkeys(approval.by for approval in self.approvals if not approval.expired))


@dataclass(frozen=True)
class StageColumn:
    """One stage and its versions, newest first; `more` older versions are not shown."""

    stage: Stage
    versions: tuple[VersionStatus, ...] = ()
    more: int = 0


@dataclass(frozen=True)
class ModelLine:
    """One registered model with a StageColumn for each stage, from None to Archived."""

    name: str
    columns: tuple[StageColumn, ...]
    goal: str = ""

    @property
    def live(self) -> VersionStatus | None:
        """The version in Production."""
        return next((v for column in self.columns if column.stage is Stage.PRODUCTION for v in column.versions), None)


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
    """

    model: ModelLine
    lines: tuple[LedgerLine, ...]
    older: int | None = None
    newest: bool = True
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StageGates:
    """The gates before one stage, with their last judgement of this version.

    Attributes:
        stage: The stage behind the gates.
        verdicts: The verdicts; empty where the gates were never asked. The verdict on approval is the present one.
        problems: Why the judgement does not count, whatever the verdicts are.
        at: The time of the judgement.
        by: The person who asked for the judgement.
        evidence: The hash of the judged evidence.
        run: The address of the ledger entry, below MLflow's UI.
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
    """A button on the page of a version.

    Attributes:
        action: promote, rollback, archive or approve.
        label: The text on the button.
        says: A sentence on what the button does.
        stage: The stage that the action is for.
        why_not: The reasons why the button cannot be pressed now; empty where it can.
        overrides: The gates that an approval overrides.
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
    """The answers of the version and of the champion that it was judged against, on the same rows.

    Attributes:
        key: A part of the figures' addresses.
        rows: The number of rows.
        champion: The number of the champion; None where nothing was in Production.
        plots: The names of the figures.
        disagreement: How the answers differ; None without a champion.
    """

    key: str
    rows: int
    champion: int | None = None
    plots: tuple[str, ...] = ()
    disagreement: CardDisagreement | None = None


@dataclass(frozen=True)
class VersionPage:
    """The content of the page of a version.

    Attributes:
        name: The name of the model.
        column: The stage of the version.
        version: The status of the version.
        created: When the version was registered.
        author: The author of the version.
        stage_gates: The gates before Staging and before Production.
        buttons: The buttons; empty for a Visitor who may press none.
        lineage: The origins of the version, by label.
        links: Addresses below MLflow's UI by label.
        card: The model card of its run; None without one.
        comparison: The answers beside the champion's; None where none are kept.
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
    """Write a page of the models; `more` is the start of the next page, None on the last page."""
    return render_html("board_overview.html.j2", models=models, frame=frame, more=more)


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


def version_page(page: VersionPage, frame: Frame) -> str:
    """Write the page of a version: gates, approvals, evidence, the version beside the champion, the buttons."""
    return render_html(
        "board_version.html.j2",
        page=page,
        card=page.card,
        comparison=page.comparison,
        frame=frame,
        gate_strip=gate_strip,
        numbers_in_words=numbers_in_words,
        outcome_of=outcome_of,
    )


def roles_page(page: RolesPage, frame: Frame) -> str:
    """Write the page of roles: what each may do, and what the Visitor may do on the model of the Frame."""
    return render_html("board_roles.html.j2", page=page, frame=frame)


def problem_page(title: str, message: str, frame: Frame) -> str:
    """Write a page with a title and a message in place of content."""
    return render_html("board_problem.html.j2", title=title, message=message, frame=frame)


def stylesheet() -> str:
    """Return the stylesheet of the board: the rules of all reports, then the rules of the board."""
    folder = files("slipway.reports") / "templates"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in ("style.css", "board.css"))
