"""The model card: what a model is for, what it was made from, how good it is, and what to doubt.

After Mitchell et al., Model Cards for Model Reporting (2019). The caller fills in plain values; nothing is looked
up here. Both texts escape whatever they are given.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from pydantic import TypeAdapter

from slipway.core.promises import Promise
from slipway.core.statistics.calibration import Calibration
from slipway.core.statistics.disagreement import DisputedRow, Gap
from slipway.core.statistics.slices import Slice
from slipway.core.tasks import Task
from slipway.reports._templates import render_html, render_markdown
from slipway.types import Interval


@dataclass(frozen=True)
class CardColumn:
    """One column of the data contract.

    role: feature, target, id, time, kept beside, or left out: a feature that the model is not given.
    null_share: share of missing values in the data read, 0 to 1; None where it was not measured.
    known: how the value is known at the time of prediction.
    """

    name: str
    type: str
    known: str = ""
    null_share: float | None = None
    role: str = "feature"


@dataclass(frozen=True)
class CardPart:
    """One part of the split, such as train: its rows, and the ends of its time column where there is one."""

    name: str
    rows: int
    first: str = ""
    last: str = ""


@dataclass(frozen=True)
class CardData:
    """The data that was read.

    split: how the parts were cut, such as `by time (time_hour)`.
    first, last: the ends of the time column over all rows; empty without one.
    digest: the fingerprint of the content.
    """

    source: str
    rows: int
    digest: str
    split: str
    parts: tuple[CardPart, ...]
    first: str = ""
    last: str = ""


@dataclass(frozen=True)
class CardSearch:
    """The search. `metric` is the one that was searched for, `parameters` are the winner's, named as in the space.

    within_noise: complete trials that are not worse than the best beyond the noise, the best among them; None where unknown.
    preferred: what was taken of those: best, fastest or simplest.
    folds: of cross-validation; None where there was one validation part.
    let_go: trials that halving ended on a part of the rows; None without halving.
    """

    metric: str
    trials_done: int
    trials_failed: int
    candidates: tuple[str, ...]
    winner: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    validation_value: float | None = None
    duration_s: float | None = None
    seed: int | None = None
    within_noise: int | None = None
    preferred: str = ""
    folds: int | None = None
    let_go: int | None = None


@dataclass(frozen=True)
class CardResult:
    """One metric on the test rows: the model's value with its 95 % interval, and each baseline's value by its name."""

    metric: str
    interval: Interval
    baselines: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CardGroup:
    """The rows with one value of a sensitive column. measures: by name, None where one is not defined on these rows."""

    value: str
    rows: int
    measures: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class CardFairness:
    """How the groups of a sensitive column are treated, as `slipway.reports.fairness` measures it.

    differences: by name, between the groups that are furthest apart; None where fewer than two can be compared.
    left_out: groups of too few rows to be compared.
    """

    column: str
    groups: tuple[CardGroup, ...]
    differences: Mapping[str, float | None] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def measures(self) -> tuple[str, ...]:
        """Every measure that some group has, in the order of first mention."""
        return tuple(dict.fromkeys(name for group in self.groups for name in group.measures))


@dataclass(frozen=True)
class CardDecision:
    """The threshold from which on the answer is yes, and what answers cost by the declared costs of wrong ones.

    cost: the mean of a test row at the threshold, with its 95 % interval. at_half: at a threshold of 0.5.
    always_yes, always_no: what answering all rows alike costs. calibrated: whether the probabilities were, before.
    """

    threshold: float
    false_positive: float
    false_negative: float
    cost: Interval
    at_half: float
    always_yes: float
    always_no: float
    calibrated: bool = False


@dataclass(frozen=True)
class CardDisagreement:
    """How this model (left) and the version in Production (right) differ on the same test rows.

    rate: share of the rows with different answers, 0 to 1; `rows` of them were compared. mean: of the gaps of all rows, in the
    unit of `measured`. disputed: the rows that they differ on most, the widest gap first; MOST of them are shown.
    """

    version: int
    rate: float
    mean: float
    measured: Gap
    rows: int
    disputed: tuple[DisputedRow, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that some disputed row has, in the order of first mention."""
        return tuple(dict.fromkeys(name for row in self.disputed for name in row.values))


@dataclass(frozen=True)
class CardGate:
    """One gate, in words. stage: the first stage that it stands before; empty where it does not stand."""

    name: str
    demand: str
    stage: str = ""


@dataclass(frozen=True)
class CardLineage:
    """Where the model comes from. code: the files of the experiment's own code that travel with it."""

    git_commit: str = ""
    spec_digest: str = ""
    lock_digest: str = ""
    artifact_digest: str = ""
    code: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelCard:
    """Everything a model card says.

    maturity: poc, mvp or production.
    positive_class: what 1 means in a binary task; empty in others.
    unit: the unit of a regression's target, if it is known.
    caveats: what to doubt, one sentence each; put what the model must not be used for here too.
    version: the registered version; None before registration.
    slices: parts of the test rows by column, measured by the search metric, the columns together.
    decided: where costs are declared. disagreement: where a version was in Production.
    promises: what is declared for the time after a release, and by what it is measured.
    """

    name: str
    run_id: str
    goal: str
    decision: str
    owner: str
    maturity: str
    target: str
    task: Task
    data: CardData
    columns: tuple[CardColumn, ...]
    search: CardSearch
    results: tuple[CardResult, ...]
    gates: tuple[CardGate, ...] = ()
    caveats: tuple[str, ...] = ()
    lineage: CardLineage = field(default_factory=CardLineage)
    version: int | None = None
    positive_class: str = ""
    unit: str = ""
    created: datetime | None = None
    slices: tuple[Slice, ...] = ()
    fairness: tuple[CardFairness, ...] = ()
    decided: CardDecision | None = None
    calibration: Calibration | None = None
    disagreement: CardDisagreement | None = None
    promises: tuple[Promise, ...] = ()

    @property
    def baseline_names(self) -> tuple[str, ...]:
        """Every baseline that some result names, in the order of first mention."""
        return tuple(dict.fromkeys(name for result in self.results for name in result.baselines))


def markdown(card: ModelCard) -> str:
    """Write the card as GitHub-flavoured Markdown."""
    return render_markdown("card.md.j2", card=card)


def html(card: ModelCard) -> str:
    """Write the card as one HTML file that needs nothing else: no script, no font, no address."""
    return render_html("card.html.j2", card=card)


def card_json(card: ModelCard) -> str:
    """Write the card as JSON, to be read back by `read_card`; NaN stays NaN, which pydantic's own JSON would make null."""
    return json.dumps(_adapter().dump_python(card, mode="json"), indent=2, ensure_ascii=False)


def read_card(text: str | bytes) -> ModelCard:
    """Read a card that `card_json` wrote. Raises ValueError for a text that is no card."""
    return _adapter().validate_json(text)


@cache  # what it costs is paid by those who read or write JSON
def _adapter() -> TypeAdapter[ModelCard]:
    return TypeAdapter(ModelCard)
