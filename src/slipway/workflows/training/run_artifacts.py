"""The artifacts of a run: plots, tables, model card and note for reviewers, test rows for the gates."""

import posixpath
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mlflow import MlflowClient
from sklearn.inspection import permutation_importance

from slipway.core.prediction import predict, weighted
from slipway.core.trials import Trial
from slipway.progress import step
from slipway.registry.evidence import sealed_trials
from slipway.registry.evidence.test_rows import CODE, FOLDER, TestRows, save
from slipway.reports.card import card_json, html, markdown
from slipway.reports.plots import (
    cost_figure,
    evaluation_figures,
    history_figure,
    importance_figure,
    parallel_figure,
    slices_figure,
)
from slipway.search import search_metric
from slipway.settings import Settings
from slipway.tracking.runs import write
from slipway.workflows.project import Declared
from slipway.workflows.training.analysis import Findings, find
from slipway.workflows.training.card import model_card
from slipway.workflows.training.evaluate import Evaluated
from slipway.workflows.training.note import note
from slipway.workflows.training.prepare import Prepared
from slipway.workflows.training.winner import Winner

# Shuffling columns costs a prediction each; a sample of this size orders them well enough.
_IMPORTANCE_ROWS, _IMPORTANCE_REPEATS = 2000, 3


def log_run_artifacts(
    client: MlflowClient,
    settings: Settings,
    run_id: str,
    spec: Declared,
    prepared: Prepared,
    evaluated: Evaluated,
    trials: Sequence[Trial],
    winner: Trial,
    chosen: Winner,
) -> None:
    """Write plots, tables, model card, test rows and lock file to the run in one upload, and its note."""
    tested = _tested(spec, prepared, evaluated)
    findings = find(client, settings, spec, tested, evaluated, chosen)
    card = model_card(run_id, spec, prepared, evaluated, findings, trials, winner)
    with (
        step("artifacts: plots, model card, test rows"),
        tempfile.TemporaryDirectory(prefix="slipway-artifacts-") as made,
    ):
        folder = Path(made)
        (folder / "plots").mkdir()
        for name, figure in _figures(spec, prepared, evaluated, findings, trials).items():
            figure.savefig(folder / "plots" / f"{name}.png")
        for name, table in findings.tables().items():
            table.to_csv(folder / f"{name}.csv", index=False)
        (folder / "model_card.md").write_text(markdown(card))
        (folder / "model_card.html").write_text(html(card))
        (folder / "model_card.json").write_text(card_json(card))
        save(folder / FOLDER, tested)
        sealed_trials.save(folder / FOLDER, trials)
        if (lock := settings.project / "requirements.lock").is_file():
            shutil.copyfile(lock, folder / lock.name)
        client.log_artifacts(run_id, str(folder))
    description = note(spec.experiment, evaluated, trials, winner, card.caveats)
    write(client, run_id, metrics=findings.metrics(), tags={"mlflow.note.content": description})


def log_gate_code(client: MlflowClient, run_id: str, spec: Declared) -> None:
    """Keep the experiment's Python files with the evidence of a run, where it has gates of its own, which they are run by."""
    if spec.experiment.gates.own or spec.experiment.search.metrics:  # both judge the run by its own copy
        for path in sorted(spec.folder.rglob("*.py")):
            within = path.relative_to(spec.folder).parent.as_posix()
            client.log_artifact(run_id, str(path), posixpath.normpath(f"{FOLDER}/{CODE}/{within}"))


def _tested(spec: Declared, prepared: Prepared, evaluated: Evaluated) -> TestRows:
    data = spec.experiment.data
    rows = prepared.splits.test[list(data.columns)]
    return TestRows(rows, data.target, prepared.classes, evaluated.baseline_outcomes)


def _figures(
    spec: Declared, prepared: Prepared, evaluated: Evaluated, findings: Findings, trials: Sequence[Trial]
) -> dict[str, Any]:
    experiment, metric = spec.experiment, evaluated.metric
    classes = [str(value) for value in prepared.classes]
    figures = evaluation_figures(
        experiment.task, evaluated.outcome, classes, evaluated.baseline_outcomes, target=experiment.data.target
    )
    if findings.slices:
        figures["slices"] = slices_figure(findings.slices, evaluated.intervals[metric], metric)
    if findings.decided and experiment.scope.costs:
        figures["cost"] = cost_figure(evaluated.outcome, experiment.scope.costs, findings.decided.threshold)
    names, mean, std = _importance(spec, prepared, evaluated)
    figures["permutation_importance"] = importance_figure(names, mean, std, metric=metric)
    figures["search_history"] = history_figure(trials, metric)
    figures["search_parallel"] = parallel_figure(trials, metric)
    return figures


def _importance(spec: Declared, prepared: Prepared, evaluated: Evaluated) -> tuple[list[str], Any, Any]:
    """Return the columns, and by how much (mean, deviation) the search metric falls when each is shuffled.

    Measured on a sample of the test rows.
    """
    experiment, metric = spec.experiment, search_metric(spec.folder, spec.experiment, prepared.classes)
    sample = prepared.splits.test.sample(
        min(_IMPORTANCE_ROWS, len(prepared.splits.test)), random_state=experiment.search.seed
    )
    sign = 1.0 if metric.greater_is_better else -1.0

    def scorer(model: Any, rows: Any, truth: Any) -> float:
        answers = predict(model, rows, truth, experiment.task, prepared.classes)
        outcome = weighted(answers, sample, experiment.data)
        return sign * metric.prepare(outcome)(np.ones(outcome.rows))

    inputs = list(evaluated.inputs)
    importance = permutation_importance(
        evaluated.pipeline,
        sample[inputs],
        sample[experiment.data.target],
        scoring=scorer,
        n_repeats=_IMPORTANCE_REPEATS,
        random_state=experiment.search.seed,
    )
    return inputs, importance.importances_mean, importance.importances_std
