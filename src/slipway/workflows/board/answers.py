"""The answers of two models to the same rows, read from the evidence of a judgement. No model is loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from slipway.core.gates import rows_to_compare
from slipway.core.spec import Costs
from slipway.core.statistics.costs import mean_cost
from slipway.core.statistics.disagreement import disagreement, disputed_rows
from slipway.core.statistics.metrics import METRICS, Outcome, measure, named
from slipway.core.statistics.slices import slice_labels, values_beside
from slipway.core.tasks import Task
from slipway.errors import UsageError
from slipway.registry.artifacts.models import temporary_folder
from slipway.registry.evidence.bundle import EvidenceBundle
from slipway.registry.evidence.rescoring import SameRows, rows_of
from slipway.registry.ledger import EVIDENCE
from slipway.reports.board import AnswersCompared, MetricBeside
from slipway.reports.card import CardDisagreement

COST = "cost per 1,000 rows"
_ROWS_OF_A_COST = 1000


@dataclass(frozen=True)
class JudgedAnswers:
    """The answers of challenger and champion to the rows that they were compared on.

    Attributes:
        task: the task of both.
        classes: the classes that both answer; empty for a regression.
        target: the target's column.
        challenger: the challenger's answers.
        champion: the champion's version and answers; None where there was no champion, or it could not answer.
        rows: the rows, of shape (rows, columns); the champion was trained on none of them, if enough such rows were there.
        columns: the columns that are shown of a row on which the two differ.
        tested: the number of all test rows.
        metric: the metric of the search.
        costs: the costs of wrong answers; None where none are declared.
        labels: by column the name of each row's slice.
    """

    task: Task
    classes: tuple[Any, ...]
    target: str
    challenger: Outcome
    champion: tuple[int, Outcome] | None
    rows: pd.DataFrame
    columns: Sequence[str]
    tested: int = 0
    metric: str = ""
    costs: Costs | None = None
    labels: Mapping[str, pd.Series] = field(default_factory=dict)


def answers_of(client: MlflowClient, entry_run: str, version_run: str) -> JudgedAnswers | None:
    """Return the answers that a judgement compared; None where the ledger keeps none, or the version's test rows are gone.

    entry_run: the run of the ledger's entry. version_run: the run of the version, which keeps the rows.
    """
    with temporary_folder() as made:
        folder = Path(made)
        files = downloaded(client, entry_run, EVIDENCE, folder / "evidence")
        if files is None:
            return None
        try:
            bundle = EvidenceBundle.from_files({path.name: path.read_bytes() for path in files.iterdir()})
            rows = rows_of(client, version_run, folder)
        except (UsageError, OSError, ValueError, MlflowException):
            return None
    return _answers(bundle, rows) if len(rows.tested.rows) == bundle.challenger.rows else None


def downloaded(client: MlflowClient, run_id: str, path: str, folder: Path) -> Path | None:
    """Download an artifact of a run into a new folder; None where the run has no such artifact."""
    folder.mkdir()
    above = path.rpartition("/")[0]
    if path not in {found.path for found in client.list_artifacts(run_id, above or None)}:
        return None
    return Path(client.download_artifacts(run_id, path, str(folder)))


def comparison(key: str, answers: JudgedAnswers) -> AnswersCompared:
    """Return the comparison that a page shows of two models. key: part of the address of the figures."""
    shown = answers.task.traits.figures_beside
    names = tuple(name for name in shown if name != "calibration" or answers.challenger.probabilistic)
    if answers.champion is None:
        return AnswersCompared(key, answers.challenger.rows, None, names, tested=answers.tested)
    version, other = answers.champion
    return AnswersCompared(
        key,
        answers.challenger.rows,
        version,
        names,
        _disagreement(answers, version, other),
        answers.tested,
        _metrics(answers, other),
        _slices(answers, other),
    )


def figures(answers: JudgedAnswers) -> Mapping[str, bytes]:
    """Draw the usual figures of the task as PNG, the champion in the place of a baseline."""
    # Imported here: matplotlib takes a second, and a page without figures need not wait for it.
    from slipway.reports.plots import evaluation_figures, png

    beside = {f"version {answers.champion[0]}": answers.champion[1]} if answers.champion else {}
    classes = [str(name) for name in answers.classes]
    drawn = evaluation_figures(answers.task, answers.challenger, classes, beside, target=answers.target)
    return {name: png(figure) for name, figure in drawn.items()}


def _answers(bundle: EvidenceBundle, rows: SameRows) -> JudgedAnswers:
    experiment, tested = rows.experiment, rows.tested
    data = experiment.data
    mask = rows_to_compare(bundle.unseen, bundle.challenger.truth, named(experiment.search.metric))
    compared = np.ones(bundle.challenger.rows, dtype=bool) if mask is None else mask
    columns = dict.fromkeys(name for name in (data.id, data.time, *data.features) if name)
    sliced = [name for name in experiment.evaluation.columns if name in tested.rows]
    return JudgedAnswers(
        experiment.task,
        tested.classes,
        tested.target,
        bundle.challenger.take(compared),
        (bundle.champion_version[0], bundle.champion.take(compared))
        if bundle.champion_version and bundle.champion
        else None,
        tested.rows[compared].reset_index(drop=True),
        [name for name in columns if name in tested.rows],
        bundle.challenger.rows,
        experiment.search.metric,
        experiment.scope.costs,
        # Named by all test rows, as the model card names them: quarters of fewer rows would be others.
        {name: slice_labels(tested.rows[name])[compared] for name in sliced},
    )


def _metrics(answers: JudgedAnswers, other: Outcome) -> tuple[MetricBeside, ...]:
    """Return the metrics of both, that of the search first, the cost last. A point value each: nothing is resampled."""
    with np.errstate(invalid="ignore"):
        ours, theirs = measure(answers.task, answers.challenger), measure(answers.task, other)
    first = sorted(ours, key=lambda name: name != answers.metric)
    lines = [
        MetricBeside(name, ours[name], theirs[name], METRICS[name].better(ours[name], theirs[name]))
        for name in first
        if name in theirs
    ]
    if answers.costs:
        ones, costs = np.ones(other.rows), answers.costs
        own, his = (mean_cost(each, costs)(ones) * _ROWS_OF_A_COST for each in (answers.challenger, other))
        lines.append(MetricBeside(COST, own, his, his - own))
    return tuple(lines)


def _slices(answers: JudgedAnswers, other: Outcome) -> Mapping[tuple[str, str], float]:
    if answers.metric not in METRICS or not answers.labels:
        return {}
    metric = METRICS[answers.metric]
    if not all(metric.fits(answers.task, outcome) for outcome in (answers.challenger, other)):
        return {}
    found = values_beside(answers.challenger, other, answers.labels, metric)
    return {place: theirs for place, (_, theirs) in found.items()}


def _disagreement(answers: JudgedAnswers, version: int, other: Outcome) -> CardDisagreement:
    apart = disagreement(answers.task, answers.challenger, other)
    rows = disputed_rows(apart, answers.rows, answers.columns, answers.classes, answers.challenger, other)
    return CardDisagreement(version, apart.rate, apart.mean, apart.measured, other.rows, rows)
