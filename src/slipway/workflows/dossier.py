"""The dossier of a run: what a reviewer reads and the gates judge by. Plots, model card, evidence, note."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mlflow import MlflowClient
from sklearn.inspection import permutation_importance

from slipway.core.metrics import METRICS
from slipway.core.prediction import predict
from slipway.core.trials import Trial
from slipway.registry.evidence import FOLDER, TestRows, save
from slipway.reports.card import html, markdown
from slipway.reports.plots import evaluation_figures, history_figure, importance_figure
from slipway.workflows.card import card_json, model_card
from slipway.workflows.evaluation import Evaluated
from slipway.workflows.note import note
from slipway.workflows.preparation import Prepared
from slipway.workflows.project import Declared

# Shuffling columns costs a prediction each; a sample of this size orders them well enough.
_IMPORTANCE_ROWS, _IMPORTANCE_REPEATS = 2000, 3


def log_dossier(
    client: MlflowClient,
    run_id: str,
    spec: Declared,
    prepared: Prepared,
    evaluated: Evaluated,
    trials: Sequence[Trial],
    winner: Trial,
) -> None:
    """Write plots, card and evidence to the run, in one upload a folder."""
    card = model_card(run_id, spec, prepared, evaluated.intervals, evaluated.baselines, trials, winner)
    with tempfile.TemporaryDirectory(prefix="slipway-evaluation-") as made:
        folder = Path(made)
        for name, figure in _figures(spec, prepared, evaluated, trials).items():
            (folder / "plots").mkdir(exist_ok=True)
            figure.savefig(folder / "plots" / f"{name}.png")
        (folder / "model_card.md").write_text(markdown(card))
        (folder / "model_card.html").write_text(html(card))
        (folder / "model_card.json").write_text(card_json(card))
        save(
            folder / FOLDER,
            TestRows(
                _evidence_rows(spec, prepared),
                spec.experiment.data.target,
                prepared.classes,
                evaluated.baseline_outcomes,
            ),
        )
        client.log_artifacts(run_id, str(folder))
    client.set_tag(run_id, "mlflow.note.content", note(spec.experiment, evaluated, trials, winner, card.caveats))


def _evidence_rows(spec: Declared, prepared: Prepared) -> Any:
    return prepared.splits.test[list(spec.experiment.data.columns)]


def _figures(spec: Declared, prepared: Prepared, evaluated: Evaluated, trials: Sequence[Trial]) -> dict[str, Any]:
    experiment = spec.experiment
    classes = [str(value) for value in prepared.classes]
    figures = evaluation_figures(
        experiment.task, evaluated.outcome, classes, evaluated.baseline_outcomes, target=experiment.data.target
    )
    names, mean, std = _importance(spec, prepared, evaluated)
    figures["permutation_importance"] = importance_figure(names, mean, std, metric=evaluated.metric)
    figures["search_history"] = history_figure(trials, evaluated.metric)
    return figures


def _importance(spec: Declared, prepared: Prepared, evaluated: Evaluated) -> tuple[list[str], Any, Any]:
    """By how much the search metric falls when a column is shuffled, on a sample of the test rows."""
    experiment, metric = spec.experiment, METRICS[evaluated.metric]
    sample = prepared.splits.test.sample(
        min(_IMPORTANCE_ROWS, len(prepared.splits.test)), random_state=experiment.search.seed
    )
    sign = 1.0 if metric.greater_is_better else -1.0

    def scorer(model: Any, rows: Any, truth: Any) -> float:
        outcome = predict(model, rows, truth, experiment.task, prepared.classes)
        return sign * metric.prepare(outcome)(np.ones(outcome.rows))

    features = list(experiment.data.features)
    found = permutation_importance(
        evaluated.pipeline,
        sample[features],
        sample[experiment.data.target],
        scoring=scorer,
        n_repeats=_IMPORTANCE_REPEATS,
        random_state=experiment.search.seed,
    )
    return features, found.importances_mean, found.importances_std
