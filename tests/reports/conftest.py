"""A card and a page as a workflow would fill them, and a strict reader of the HTML that comes out."""

from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from slipway.core.promises import Promise
from slipway.core.release.transitions import Action, Transition
from slipway.core.statistics.calibration import Calibration, CalibrationBin
from slipway.core.statistics.disagreement import DisputedRow, Gap, OneAnswer
from slipway.core.statistics.slices import Slice
from slipway.core.tasks import Task
from slipway.core.trials import Trial
from slipway.core.variants import VariantRecord, VariantRole, VariantState
from slipway.reports.card import (
    CardColumn,
    CardData,
    CardDecision,
    CardDisagreement,
    CardFairness,
    CardGate,
    CardGroup,
    CardLineage,
    CardPart,
    CardResult,
    CardSearch,
    ModelCard,
)
from slipway.reports.page import ExperimentPage, LiveVersion, VersionRow
from slipway.types import Interval, Stage, Verdict

VOID = {"meta", "link", "br", "img", "line", "rect", "circle", "input"}


class Read(HTMLParser):
    """Tags, attributes and text of an HTML page; refuses a page whose elements are not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing, at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        self.text += data


def _filled_card(word: str = "", **changed: object) -> ModelCard:
    """A card with every field filled; with a `word`, that word is every text of it."""

    def say(text: str) -> str:
        return word or text

    fields: dict[str, object] = {
        "name": say("flight_delays"),
        "run_id": say("8f1c2d3e4a5b46c7"),
        "goal": say("Say whether a flight will land late."),
        "decision": say("Rebook passengers."),
        "owner": say("ops"),
        "maturity": say("mvp"),
        "target": say("late"),
        "task": Task.BINARY,
        "positive_class": say("late"),
        "unit": say("minutes"),
        "version": 3,
        "created": datetime(2026, 11, 3, 14, 5, tzinfo=UTC),
        "data": CardData(
            say("flights.csv"),
            327_346,
            say("sha256:da7a"),
            say("by time"),
            (CardPart(say("train"), 137_211, say("2013-01-01"), say("2013-05-31")),),
            say("2013-01-01"),
            say("2013-12-31"),
        ),
        "columns": (
            CardColumn(say("carrier"), say("category"), say("printed in the schedule"), 0.0042, say("feature")),
        ),
        "search": CardSearch(
            metric="roc_auc",
            trials_done=58,
            trials_failed=2,
            candidates=(say("boosting"),),
            winner=say("boosting"),
            parameters={say("max_iter"): say("312")},
            validation_value=0.7612,
            duration_s=312.0,
            seed=7,
            within_noise=8,
            preferred="simplest",
            folds=5,
            let_go=31,
        ),
        "slices": (
            Slice(say("origin"), say("LGA"), 4321, Interval(0.651, 0.641, 0.662), "", Interval(-0.071, -0.082, -0.06)),
            Slice(say("origin"), say("HOU"), 12, None, say("fewer than 30 rows")),
        ),
        "fairness": (
            CardFairness(
                say("region"),
                (
                    CardGroup(say("north"), 880, {say("selection rate"): 0.3125, say("precision"): None}),
                    CardGroup(say("south"), 17, {say("selection rate"): 0.4375}),
                ),
                {say("demographic parity difference"): 0.1275},
                (say("south"),),
            ),
        ),
        "decided": CardDecision(0.1725, 1.0, 4.5, Interval(0.3456, 0.3401, 0.3511), 0.4567, 0.6789, 0.7891),
        "calibration": Calibration(0.0234, (CalibrationBin(0.1, 0.11, 500), CalibrationBin(0.6543, 0.5678, 500))),
        "disagreement": CardDisagreement(
            2,
            0.0312,
            0.0456,
            Gap.SCORE,
            50_123,
            (
                DisputedRow(
                    9,
                    {say("carrier"): say("MQ"), say("hour"): 7.0},
                    say("late"),
                    OneAnswer(say("on time"), 0.4812),
                    OneAnswer(say("late"), 0.7123),
                    0.2311,
                ),
            ),
        ),
        "results": (
            CardResult("roc_auc", Interval(0.7143, 0.7112, 0.7171), {say("prior"): 0.5}),
            CardResult("log_loss", Interval(0.4861, 0.4838, 0.4885), {say("prior"): 0.5332}),
        ),
        "gates": (CardGate(say("threshold"), say("roc_auc at least 0.68"), say("Staging")),),
        "promises": (Promise(say("sla.availability"), say("0.993"), say("not measured yet")),),
        "caveats": (say("The late rate moves."),),
        "lineage": CardLineage(
            say("4f2a9c"), say("sha256:5bec"), say("sha256:10c4"), say("sha256:a27f"), (say("f.py"),)
        ),
    }
    return ModelCard(**(fields | changed))  # type: ignore[arg-type]


def _filled_page(word: str = "", card: ModelCard | None = None, **changed: object) -> ExperimentPage:
    """A page with every field filled; with a `word`, that word is every text of it."""

    def say(text: str) -> str:
        return word or text

    def at(day: int) -> datetime:
        return datetime(2026, 11, day, 9, 12, tzinfo=UTC)

    verdict = Verdict(say("not_worse"), False, say("0.0132 lower than version 3"))
    fields: dict[str, object] = {
        "card": card or _filled_card(word),
        "made": at(6),
        "standings": (LiveVersion(Stage.PRODUCTION, 3, at(4), say("mara"), say("8f1c")),),
        "trials": (
            Trial(0, say("boosting"), 0.75, {say("max_iter"): say("312")}, 3.2),
            Trial(1, say("boosting"), None, {say("max_iter"): say("1")}, 0.1, say("did not converge")),
        ),
        "plots": {say("roc"): b"\x89PNG roc"},
        "history_png": b"\x89PNG history",
        "parallel_png": b"\x89PNG parallel",
        "versions": (VersionRow(4, Stage.NONE, at(5), say("99aa2d3e4a5b"), 0.7011, (verdict,)),),
        "transitions": (_refusal(say, verdict, at(5)),),
        "arms": (_canary(say, at(5)),),
        "links": {say("run in MLflow"): "http://127.0.0.1:5000/#/runs/8f1c"},
    }
    return ExperimentPage(**(fields | changed))  # type: ignore[arg-type]


def _read_self_contained(page: str) -> Read:
    """Read a page that has no script and no handler, loads nothing, and links to nothing but its own parts and http."""
    read = Read(page)
    assert not {"script", "iframe", "object", "embed", "base", "form"} & set(read.tags)
    assert not [name for _, name, _ in read.attributes if name.startswith("on")]
    for tag, name, value in read.attributes:
        if name in ("src", "srcset", "href", "action", "data", "xlink:href", "poster"):
            assert value.startswith(("data:", "#")) or (tag == "a" and value.startswith(("http://", "https://")))
        assert name != "style", "one stylesheet, no inline style"
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style and "@import" not in style
    return read


@pytest.fixture
def filled_card() -> Callable[..., ModelCard]:
    return _filled_card


@pytest.fixture
def filled_page() -> Callable[..., ExperimentPage]:
    return _filled_page


@pytest.fixture
def self_contained() -> Callable[[str], Read]:
    return _read_self_contained


@pytest.fixture
def read() -> type[Read]:
    return Read


@pytest.fixture
def card() -> ModelCard:
    return _filled_card()


@pytest.fixture
def page() -> ExperimentPage:
    return _filled_page()


def _canary(say, when: datetime) -> VariantRecord:
    bounds = {"max_disagreement": 0.1, "max_errors": 0.01, "max_slower": 3.0}
    why = say("42.5 % of 1,200 compared rows were answered otherwise; the bound is 10 %")
    return VariantRecord(
        say("flight_delays"), VariantRole.CANARY, say("Staging"), 0.05, VariantState.ENDED, 4, 3, when.timestamp() - 600,
        when.timestamp(), why, 1300, 1350, 2, 1180, 1200, 510, 0.1312, 7, 4.2, 1.3, bounds,
    )  # fmt: skip


def _refusal(say, verdict: Verdict, when: datetime) -> Transition:
    at_ms = int(when.timestamp() * 1000)
    why = say("not worse failed")
    return Transition(say("flights"), Action.REFUSE, 4, Stage.PRODUCTION, say("jo"), at_ms, None, why, (verdict,))
