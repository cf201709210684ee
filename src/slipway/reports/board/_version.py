"""The page of a version: its gates, evidence and answers beside the champion, and the buttons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from slipway.core.release.work import Asked
from slipway.reports._templates import render_html
from slipway.reports.board._beside import ChampionBeside, MetricBeside
from slipway.reports.board._frame import Frame
from slipway.reports.board._overview import VersionStatus
from slipway.reports.board._thread import Thread
from slipway.reports.card import CardDisagreement, ModelCard
from slipway.reports.words.board import gate_strip, outcome_of
from slipway.reports.words.decision import gate_name
from slipway.reports.words.evidence import numbers_in_words
from slipway.types import Stage, Verdict


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
        action: promote, rollback, archive, approve or reject.
        label: The text on the button.
        says: A sentence on what the button does.
        stage: The stage that the action is for.
        why_not: The reasons why the button cannot be pressed now; empty where it can.
        overrides: The gates that an approval overrides.
        sure: The words of a box that has to be ticked first; empty for none.
    """

    action: str
    label: str
    says: str
    stage: Stage
    why_not: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    sure: str = ""

    @property
    def name(self) -> str:
        return f"{self.action}-{self.stage.lower()}"

    @property
    def route(self) -> str:
        """The last part of the address in the API that the button's form is sent to."""
        return {"approve": "approvals", "reject": "rejections"}.get(self.action, "movements")

    @property
    def asks_why(self) -> bool:
        """Whether the form cannot be sent without a comment."""
        return self.action in ("approve", "reject")


@dataclass(frozen=True)
class AnswersCompared:
    """The answers of the version and of the champion that it was judged against, on the same rows.

    Attributes:
        key: A part of the figures' addresses.
        rows: The number of rows.
        champion: The number of the champion; None where nothing was in Production.
        plots: The names of the figures.
        disagreement: How the answers differ; None without a champion.
        tested: The number of all test rows, of which `rows` were compared; 0 where it is not known.
        metrics: The metrics of both on the compared rows; empty without a champion.
        slices: The champion's search metric on slices of the compared rows, by column and value.
    """

    key: str
    rows: int
    champion: int | None = None
    plots: tuple[str, ...] = ()
    disagreement: CardDisagreement | None = None
    tested: int = 0
    metrics: tuple[MetricBeside, ...] = ()
    slices: Mapping[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True)
class RivalLine:
    """Another version of the model that waits, too.

    Attributes:
        number: The version.
        asked: What people are asked to do with it.
        stage: The stage that it waits for.
        found: What its judgement found, in a sentence.
        beside: How the version of the page compares with it on the same rows, in a sentence; empty where that is not known.
        link: The address of a comparison of both below MLflow's UI; empty for none.
    """

    number: int
    asked: Asked
    stage: Stage
    found: str
    beside: str = ""
    link: str = ""


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
        decision: The sentence that a reviewer decides by.
        next_steps: Sentences on what happened to the version, and on what has to happen next, by whom.
        rivals: The other versions of the model that wait for an approval or a promotion.
        tone: How the sentence is marked: good, bad, waits or plain.
        difference: The verdict whose interval is drawn below the sentence; None for none.
        beside: The version in Production, or the one that was there before; None where there is none.
        thread: What people said of the version.
        foreign: Whether the version was registered past Slipway, so that no gate can judge it.
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
    decision: str = ""
    next_steps: tuple[str, ...] = ()
    rivals: tuple[RivalLine, ...] = ()
    tone: str = "plain"
    difference: Verdict | None = None
    beside: ChampionBeside | None = None
    thread: Thread = field(default_factory=Thread)
    foreign: bool = False


def version_page(page: VersionPage, frame: Frame) -> str:
    """Write the page of a version: gates, approvals, evidence, the version beside the champion, the buttons."""
    return render_html(
        "board_version.html.j2",
        page=page,
        card=page.card,
        comparison=page.comparison,
        beside=page.beside,
        frame=frame,
        gate_strip=gate_strip,
        numbers_in_words=numbers_in_words,
        outcome_of=outcome_of,
        gate_name=gate_name,
    )
