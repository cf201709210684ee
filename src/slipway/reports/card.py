"""The model card: the purpose of a model, its data and search, its results, and its caveats.

The form follows Mitchell et al., Model Cards for Model Reporting (2019). The caller fills in plain values; the module looks
nothing up. The Markdown and the HTML escape every value.
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

    Attributes:
        name: The name of the column.
        type: The declared type.
        known: How the value is known at the time of prediction.
        null_share: The share of missing values in the data, 0 to 1; None where it was not measured.
        role: feature, target, id, time, weight, kept beside, or left out: a feature that the model does not get.
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
    """The data of a model.

    Attributes:
        source: The source of the rows.
        rows: The number of rows that were read.
        digest: The fingerprint of the rows.
        split: How the rows were cut into parts, such as `by time (time_hour)`.
        parts: The parts of the split.
        first: The first time over all rows; empty without a time column.
        last: The last time over all rows; empty without a time column.
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
    """The search for a model.

    Attributes:
        metric: The metric of the search.
        trials_done: The number of trials that ended with a score.
        trials_failed: The number of failed trials.
        candidates: The names of the candidates.
        winner: The candidate of the winner.
        parameters: The parameters of the winner, named as in the space.
        validation_value: The metric of the winner on the validation rows.
        duration_s: The wall time of the search.
        seed: The seed of the search.
        within_noise: How many complete trials are not worse than the best beyond the noise, the best included; None where
            unknown.
        preferred: The preference among these trials: best, fastest or simplest.
        folds: The number of folds; None with one validation part.
        let_go: How many trials halving ended on a part of the rows; None without halving.
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
    """The rows with one value of a sensitive column, and each measure by name; None for one not defined on these rows."""

    value: str
    rows: int
    measures: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class CardFairness:
    """The fairness of a model to the groups of a sensitive column, as `slipway.reports.fairness` measures it.

    Attributes:
        column: The sensitive column.
        groups: The groups with their measures.
        differences: Differences by name between the groups furthest apart; None where fewer than two can be compared.
        left_out: The groups with too few rows to be compared.
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
    """The decision threshold of a binary model, and its costs by the declared costs of wrong answers.

    Attributes:
        threshold: The probability from which on the answer is yes.
        false_positive: The declared cost of a false positive.
        false_negative: The declared cost of a false negative.
        cost: The mean cost of a test row at the threshold, with its 95 % interval.
        at_half: The mean cost at a threshold of 0.5.
        always_yes: The mean cost of answering yes to every row.
        always_no: The mean cost of answering no to every row.
        calibrated: Whether the probabilities were calibrated before.
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
    """The disagreement of this model (left) with the version in Production (right) on the same test rows.

    Attributes:
        version: The number of the version in Production.
        rate: The share of the rows with different answers, 0 to 1.
        mean: The mean gap over all rows, in the unit of `measured`.
        measured: The measure of the gaps.
        rows: The number of compared rows.
        disputed: The rows with the widest gaps, the widest first; MOST of them are shown.
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
    """One gate in words; `stage` is the first stage behind the gate, empty for a gate that does not stand."""

    name: str
    demand: str
    stage: str = ""


@dataclass(frozen=True)
class CardLineage:
    """The lineage of a model; `code` lists the files of the experiment's own code that travel with the model."""

    git_commit: str = ""
    spec_digest: str = ""
    lock_digest: str = ""
    artifact_digest: str = ""
    code: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelCard:
    """The content of a model card.

    Attributes:
        name: The name of the experiment.
        run_id: The MLflow run.
        goal: The goal of the experiment.
        decision: The decision that the model serves.
        owner: The owner of the model.
        maturity: poc, mvp or production.
        target: The target column.
        task: The task.
        data: The data of the model.
        columns: The columns of the data contract.
        search: The search for the model.
        results: The metrics on the test rows.
        gates: The gates in words.
        caveats: One sentence a doubt, with the uses that the model is not made for.
        lineage: The lineage of the model.
        version: The registered version; None before registration.
        positive_class: The positive class of a binary task; empty for other tasks.
        unit: The unit of a regression's target, if it is known.
        created: When the card was written.
        slices: The search metric on parts of the test rows, column by column.
        fairness: The fairness to the groups of each sensitive column.
        decided: The decision threshold; None without declared costs.
        calibration: The calibration on the test rows.
        disagreement: The disagreement with the version in Production; None where nothing was in Production.
        promises: The promises for the time after a release.
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
    """Write the card as JSON for `read_card`. NaN stays NaN; pydantic's own JSON would turn it into null."""
    return json.dumps(_adapter().dump_python(card, mode="json"), indent=2, ensure_ascii=False)


def read_card(text: str | bytes) -> ModelCard:
    """Read a card that `card_json` wrote. Raises ValueError for a text that is not a card."""
    return _adapter().validate_json(text)


@cache  # building the adapter is slow, so only readers and writers of JSON pay for it
def _adapter() -> TypeAdapter[ModelCard]:
    return TypeAdapter(ModelCard)
