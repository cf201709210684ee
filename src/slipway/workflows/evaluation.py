"""The winner on the test rows: metrics with intervals, baselines beside them, plots, card, evidence for the gates."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mlflow import MlflowClient
from sklearn.inspection import permutation_importance

from slipway.core.intervals import bootstrap
from slipway.core.metrics import METRICS, Outcome, measure, prepare_all
from slipway.core.prediction import predict
from slipway.core.trials import Trial
from slipway.registry.evidence import FOLDER, TestRows, save
from slipway.reports.card import html, markdown
from slipway.reports.plots import evaluation_figures, history_figure, importance_figure
from slipway.search import Baseline
from slipway.types import Interval
from slipway.workflows.card import card_json, model_card
from slipway.workflows.preparation import Prepared
from slipway.workflows.project import Declared

# Shuffling columns costs a prediction each; a sample of this size orders them well enough.
_IMPORTANCE_ROWS, _IMPORTANCE_REPEATS = 2000, 3


@dataclass(frozen=True)
class Evaluated:
    """The refitted winner and what it is worth on the test rows.

    intervals: each metric with its 95 % interval. baselines: each baseline's metrics on the same rows.
    """

    pipeline: Any
    metric: str
    outcome: Outcome
    intervals: Mapping[str, Interval]
    baseline_outcomes: Mapping[str, Outcome]
    baselines: Mapping[str, Mapping[str, float]]

    @property
    def rows(self) -> int:
        return self.outcome.rows

    def metrics(self) -> dict[str, float]:
        """Everything as flat metrics of a run: `test_roc_auc`, its interval, and `test_roc_auc.NAME` of each baseline."""
        flat: dict[str, float] = {}
        for name, interval in self.intervals.items():
            flat |= {
                f"test_{name}": interval.value,
                f"test_{name}_low": interval.low,
                f"test_{name}_high": interval.high,
            }
        for baseline, values in self.baselines.items():
            flat |= {f"test_{name}.{baseline}": value for name, value in values.items()}
        return flat


def evaluate(pipeline: Any, spec: Declared, prepared: Prepared, baselines: Sequence[Baseline]) -> Evaluated:
    """Score a fitted pipeline and the baselines on the test rows."""
    experiment = spec.experiment
    rows, truth = prepared.splits.test[list(experiment.data.features)], prepared.splits.test[experiment.data.target]
    outcome = predict(pipeline, rows, truth, experiment.task, prepared.classes)
    others = {baseline.name: baseline.predict(rows, truth) for baseline in baselines}
    intervals = bootstrap(prepare_all(experiment.task, outcome), outcome.rows, seed=experiment.search.seed)
    values = {name: measure(experiment.task, other) for name, other in others.items()}
    return Evaluated(pipeline, experiment.search.metric, outcome, intervals, others, values)


def log_evaluation(
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
    client.set_tag(run_id, "mlflow.note.content", _note(spec, evaluated, trials, winner))


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


def _note(spec: Declared, evaluated: Evaluated, trials: Sequence[Trial], winner: Trial) -> str:
    metric, experiment = evaluated.metric, spec.experiment
    failed = sum(trial.failed for trial in trials)
    beaten = ", ".join(
        f"{name} {values[metric]:.4f}" for name, values in evaluated.baselines.items() if metric in values
    )
    return (
        f"**{experiment.scope.goal}**\n\n"
        f"- test: {metric} {evaluated.intervals[metric]} on {evaluated.rows:,} rows; baselines: {beaten}\n"
        f"- won: {winner.candidate} (trial {winner.number}), validation {metric} {winner.score:.4f}\n"
        f"- searched: {len(trials)} trials ({failed} failed) of {', '.join(experiment.search.candidates)}\n"
        f"- the model card is among the artifacts: `model_card.html`\n"
    )
