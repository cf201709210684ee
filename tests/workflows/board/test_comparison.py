"""Two models' answers as a ledger keeps them: read from the store, compared, drawn, and each of that once."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from slipway.core.release.transitions import Action, Transition
from slipway.core.spec import Experiment
from slipway.core.statistics.metrics import Outcome
from slipway.core.tasks import Task
from slipway.registry.evidence.bundle import EvidenceBundle
from slipway.registry.evidence.test_rows import FOLDER, TestRows, save
from slipway.registry.ledger import Ledger
from slipway.registry.versions import Version
from slipway.reports.board import VersionPage, VersionStatus
from slipway.reports.card import CardData, CardSearch, ModelCard, card_json
from slipway.types import Stage, Verdict
from slipway.workflows.board.answers import COST, JudgedAnswers, answers_of, comparison, figures
from slipway.workflows.board.comparison import Comparisons, KeptComparison
from slipway.workflows.board.direct import direct_difference

# Of MLflow's own store, which is made in this process.
pytestmark = [pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"), pytest.mark.slow]
ROWS = 80
VERSION = Version("small", 4, Stage.NONE, "run", "s3://models/4", 1)


def outcome(task: Task, seed: int) -> Outcome:
    rng = np.random.default_rng(seed)
    truth = np.arange(ROWS) % (3 if task is Task.MULTICLASS else 2) * 1.0
    if task is Task.REGRESSION:
        return Outcome(truth, truth + rng.normal(0, 0.1, ROWS))
    if task is Task.BINARY:
        scores = np.clip(0.5 + 0.2 * (truth - 0.5) + rng.normal(0, 0.1, ROWS), 0, 1)
        return Outcome(truth, (scores >= 0.5) * 1.0, scores, probabilistic=True)
    scores = rng.dirichlet(np.ones(3), ROWS)
    return Outcome(truth, scores.argmax(axis=1) * 1.0, scores, probabilistic=True)


def answers(task: Task, champion: bool = True) -> JudgedAnswers:
    rows = pd.DataFrame({"minutes": np.arange(ROWS), "port": ["a", "b"] * (ROWS // 2)})
    classes = () if task is Task.REGRESSION else tuple(range(3 if task is Task.MULTICLASS else 2))
    other = (2, outcome(task, 2)) if champion else None
    return JudgedAnswers(task, classes, "late", outcome(task, 1), other, rows, ["minutes", "port"])


@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("champion", [True, False])
def test_every_figure_that_is_named_is_drawn(task: Task, champion: bool) -> None:
    told, drawn = comparison("key", answers(task, champion)), figures(answers(task, champion))
    assert told.plots and all(drawn[name].startswith(b"\x89PNG") for name in told.plots)
    assert (told.champion, told.rows) == (2 if champion else None, ROWS)
    assert (told.disagreement is not None) is champion
    if told.disagreement:
        assert told.disagreement.version == 2 and set(told.disagreement.columns) == {"minutes", "port"}


def test_scores_that_are_no_probabilities_have_no_calibration() -> None:
    margins = answers(Task.BINARY)
    margins = replace(margins, challenger=replace(margins.challenger, probabilistic=False))
    told = comparison("key", margins)
    assert "calibration" not in told.plots and set(told.plots) <= set(figures(margins))


def test_what_is_kept_is_made_once_and_the_oldest_goes() -> None:
    kept, made = KeptComparison[str](2), []

    def make(key: str) -> Callable[[], str]:
        return lambda: made.append(key) or key  # type: ignore[func-returns-value]

    for key in ("a", "b", "a", "c", "a", "b"):
        assert kept.get(key, make(key)) == key
    assert made == ["a", "b", "c", "b"]
    assert kept.get("none", lambda: None) is None and kept.get("none", lambda: "now") == "now"


@dataclass(frozen=True)
class Stored:
    client: MlflowClient
    ledger: Ledger
    run: str

    def judged(self, bundle: EvidenceBundle | None) -> str:
        """Write a judgement, with a bundle or without, and return the run of its entry."""
        verdicts = (Verdict("thresholds", True, "enough"),)
        told = Transition("small", Action.JUDGE, 4, Stage.PRODUCTION, "ci", 1, verdicts=verdicts, evidence="e")
        self.ledger.write(told, {}, bundle.files() if bundle else None)
        return self.ledger.entries(1)[0].run_id


@pytest.fixture
def stored(tmp_path: Path, migrated_database: Path, declare: Callable[..., Experiment]) -> Stored:
    """A run that keeps its test rows and its declaration, and an empty ledger."""
    shutil.copy(migrated_database, tmp_path / "mlflow.db")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = MlflowClient(uri, uri)
    run = client.create_run(client.create_experiment("small", artifact_location=str(tmp_path / "runs"))).info.run_id
    truth = outcome(Task.BINARY, 1).truth
    rows = pd.DataFrame(
        {"minutes": np.arange(ROWS) * 1.0, "port": ["a", "a", "b", "b"] * (ROWS // 4), "late": truth.astype(int)}
    )
    save(tmp_path / FOLDER, TestRows(rows, "late", (0, 1), {"prior": outcome(Task.BINARY, 3)}))
    client.log_artifacts(run, str(tmp_path / FOLDER), FOLDER)
    declared = declare(gates={"approval": {"approvers": ["kim"]}}).as_dict()
    client.log_text(run, json.dumps(declared), "experiment.json")
    entries = client.create_experiment("small/promotions", artifact_location=str(tmp_path / "ledger"))
    return Stored(client, Ledger(client, "small", entries), run)


def a_case(**changed: object) -> EvidenceBundle:
    bundle = EvidenceBundle(
        "small", 4, Stage.PRODUCTION, "d" * 64, outcome(Task.BINARY, 1), (2, "c" * 64), outcome(Task.BINARY, 2)
    )
    return replace(bundle, **changed)  # type: ignore[arg-type]


def test_answers_are_read_back_with_the_rows_that_they_answer(stored: Stored) -> None:
    found = answers_of(stored.client, stored.judged(a_case()), stored.run)
    assert found is not None and found.champion is not None
    assert (found.task, found.classes, found.champion[0]) == (Task.BINARY, (0, 1), 2)
    assert (found.challenger.rows, len(found.rows), list(found.columns)) == (ROWS, ROWS, ["minutes", "port"])


def test_only_rows_that_the_champion_was_not_trained_on_are_compared(stored: Stored) -> None:
    unseen = np.arange(ROWS) >= ROWS - 60
    found = answers_of(stored.client, stored.judged(a_case(unseen=unseen)), stored.run)
    assert found is not None and found.champion is not None
    assert (found.challenger.rows, found.champion[1].rows) == (60, 60)
    assert found.rows["minutes"].tolist() == list(range(ROWS - 60, ROWS))


def test_where_no_answers_fit_there_is_no_duel(stored: Stored) -> None:
    whole = outcome(Task.BINARY, 1)
    assert whole.scores is not None
    few = Outcome(whole.truth[:3], whole.predicted[:3], whole.scores[:3], probabilistic=True)
    for bundle in (None, a_case(challenger=few, champion=None)):
        assert answers_of(stored.client, stored.judged(bundle), stored.run) is None


def test_what_was_written_by_another_slipway_is_done_without(stored: Stored) -> None:
    stored.client.log_text(stored.run, '{"name": "of another time"}', "experiment.json")
    stored.client.log_text(stored.run, "{}", "model_card.json")
    stored.judged(a_case())
    (entry,) = stored.ledger.entries(1)
    comparisons, page = (
        Comparisons(lambda: stored.client),
        VersionPage("small", Stage.NONE, VersionStatus(4), datetime.now(UTC)),
    )
    assert comparisons.shown_on(page, stored.run, entry) == page
    record = comparisons.record(stored.client.get_run(stored.run), VERSION)
    assert record is not None and record.card is None and record.ingredients.declaration == {}
    assert record.declared is None


def test_the_duels_know_what_was_declared_and_draw_by_name(stored: Stored) -> None:
    comparisons = Comparisons(lambda: stored.client)
    record = comparisons.record(stored.client.get_run(stored.run), VERSION)
    assert record and record.declared and record.declared.gates.approval
    assert record.declared.gates.approval.approvers == ["kim"]
    stored.judged(a_case())
    (entry,) = stored.ledger.entries(1)
    drawn = comparisons.figure(entry, stored.run, "roc")
    assert drawn is not None and drawn.startswith(b"\x89PNG")
    assert (
        comparisons.figure(entry, stored.run, "roc") is drawn
        and comparisons.figure(entry, stored.run, "nothing") is None
    )


def test_both_versions_are_measured_on_the_same_rows_by_metric_and_slice(stored: Stored, declare: Any) -> None:
    scope = {"goal": "Say which rows are late.", "costs": {"false_positive": 1, "false_negative": 4}}
    declared = declare(scope=scope, evaluation={"slices": ["port"]}).as_dict()
    stored.client.log_text(stored.run, json.dumps(declared), "experiment.json")
    found = answers_of(stored.client, stored.judged(a_case()), stored.run)
    assert found is not None
    told = comparison("key", found)
    metric, cost = told.metrics[0], told.metrics[-1]
    assert (metric.metric, cost.metric) == (declared["search"]["metric"], COST)
    assert metric.better_by == pytest.approx(metric.ours - metric.theirs)
    wrong = [int((each.predicted != each.truth).sum()) for each in (found.challenger, outcome(Task.BINARY, 2))]
    assert cost.ours >= wrong[0] * 1000 / ROWS and cost.better_by == cost.theirs - cost.ours
    assert told.tested == told.rows == ROWS and set(told.slices) == {("port", "a"), ("port", "b")}


A_CARD = ModelCard(
    "late", "run", "Say it.", "", "us", "poc", "late", Task.BINARY, CardData("rows.csv", 9, "f" * 64, "at random", ()), (),
    CardSearch("roc_auc", 1, 0, ("tree",), "tree"), (),
)  # fmt: skip


def test_a_record_is_read_once_and_kept_only_with_its_card(stored: Stored) -> None:
    comparisons, run = Comparisons(lambda: stored.client), stored.client.get_run(stored.run)
    bare = comparisons.record(run, VERSION)
    assert (
        bare is not None and comparisons.record(run, VERSION) is not bare and comparisons.record(None, VERSION) is None
    )
    stored.client.log_text(stored.run, card_json(A_CARD), "model_card.json")
    whole = comparisons.record(run, VERSION)
    assert whole is not None and whole.card == A_CARD and comparisons.record(run, VERSION) is whole
    assert whole.ingredients.data["source"] == "rows.csv" and whole.ingredients.declaration["name"] == "small"


def test_two_versions_that_answered_the_same_rows_are_compared_with_one_another() -> None:
    ours = replace(answers(Task.BINARY), metric="roc_auc")
    worse = replace(ours, challenger=outcome(Task.BINARY, 5))
    worse = replace(worse, challenger=replace(worse.challenger, scores=worse.challenger.scores[::-1]))
    found, back = direct_difference(ours, worse), direct_difference(worse, ours)
    assert found and back and found.metric == "roc_auc" and found.rows == ROWS
    assert found.by.low > 0 and back.by.high < 0
    assert direct_difference(ours, replace(worse, rows=ours.rows.assign(minutes=7))) is None
    assert direct_difference(ours, replace(worse, metric="accuracy")) is None
    assert direct_difference(replace(ours, metric="own"), replace(worse, metric="own")) is None
