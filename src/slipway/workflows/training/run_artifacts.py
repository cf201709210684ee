"""The artifacts of a run: plots, tables, model card and note for reviewers, test rows for the gates."""

import posixpath
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mlflow import MlflowClient

from slipway.core.trials import Trial
from slipway.progress import step
from slipway.registry.evidence import sealed_trials
from slipway.registry.evidence.test_rows import CODE, FOLDER, TestRows, save
from slipway.reports.card import card_json, html, markdown
from slipway.reports.drawing import Drawing
from slipway.settings import Settings
from slipway.tracking.runs import write
from slipway.workflows.project import Declared
from slipway.workflows.training.analysis import Findings
from slipway.workflows.training.card import model_card
from slipway.workflows.training.evaluate import Evaluated
from slipway.workflows.training.importance import importance
from slipway.workflows.training.note import note
from slipway.workflows.training.prepare import Prepared


def log_run_artifacts(
    client: MlflowClient,
    settings: Settings,
    run_id: str,
    spec: Declared,
    prepared: Prepared,
    evaluated: Evaluated,
    findings: Findings,
    trials: Sequence[Trial],
    winner: Trial,
    drawing: Drawing,
) -> None:
    """Write plots, tables, model card, test rows and lock file to the run in one upload, and its note."""
    card = model_card(run_id, spec, prepared, evaluated, findings, trials, winner)
    with (
        step("artifacts: plots, model card, test rows"),
        tempfile.TemporaryDirectory(prefix="slipway-artifacts-") as made,
    ):
        folder = Path(made)
        for name, table in findings.tables().items():
            table.to_csv(folder / f"{name}.csv", index=False)
        (folder / "model_card.md").write_text(markdown(card))
        (folder / "model_card.html").write_text(html(card))
        (folder / "model_card.json").write_text(card_json(card))
        save(folder / FOLDER, rows_tested(spec, prepared, evaluated))
        sealed_trials.save(folder / FOLDER, trials)
        if (lock := settings.project / "requirements.lock").is_file():
            shutil.copyfile(lock, folder / lock.name)
        (folder / "plots").mkdir()
        for name, picture in drawing.pictures().items():  # last, since they are drawn meanwhile
            (folder / "plots" / f"{name}.png").write_bytes(picture)
        client.log_artifacts(run_id, str(folder))
    description = note(spec.experiment, evaluated, trials, winner, card.caveats)
    write(client, run_id, metrics=findings.metrics(), tags={"mlflow.note.content": description})


def order_figures(
    drawing: Drawing,
    spec: Declared,
    prepared: Prepared,
    evaluated: Evaluated,
    findings: Findings,
    trials: Sequence[Trial],
) -> None:
    """Order the figures of a run, which `log_run_artifacts` waits for."""
    experiment, metric, outcome = spec.experiment, evaluated.metric, evaluated.outcome
    drawing.order("search_history", "history_figure", trials, metric)
    drawing.order("search_parallel", "parallel_figure", trials, metric)
    classes = [str(value) for value in prepared.classes]
    facts = (experiment.task, outcome, classes, evaluated.baseline_outcomes)
    drawing.order("", "evaluation_figures", *facts, target=experiment.data.target)
    if findings.slices:
        drawing.order("slices", "slices_figure", findings.slices, evaluated.intervals[metric], metric)
    if findings.decided and experiment.scope.costs:
        drawing.order("cost", "cost_figure", outcome, experiment.scope.costs, findings.decided.threshold)
    with step("importance: each column shuffled"):
        found = importance(spec, prepared, evaluated)
    drawing.order(
        "permutation_importance", "importance_figure", found.columns, found.mean, found.deviation, metric=metric
    )


def log_gate_code(client: MlflowClient, run_id: str, spec: Declared) -> None:
    """Keep the experiment's Python files with the evidence of a run, where it has gates of its own, which they are run by."""
    if spec.experiment.gates.own or spec.experiment.search.metrics:  # both judge the run by its own copy
        for path in sorted(spec.folder.rglob("*.py")):
            within = path.relative_to(spec.folder).parent.as_posix()
            client.log_artifact(run_id, str(path), posixpath.normpath(f"{FOLDER}/{CODE}/{within}"))


def rows_tested(spec: Declared, prepared: Prepared, evaluated: Evaluated) -> TestRows:
    """Return the test rows as a run keeps them, with the baselines' answers to them."""
    data = spec.experiment.data
    rows = prepared.splits.test[list(data.columns)]
    return TestRows(rows, data.target, prepared.classes, evaluated.baseline_outcomes)
