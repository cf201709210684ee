"""The answers of two models to the same rows, read from the evidence of a judgement. No model is loaded."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from slipway.core.gates import rows_to_compare
from slipway.core.release.ledger import Entry
from slipway.core.spec import Experiment
from slipway.core.statistics.disagreement import disagreement, disputed_rows
from slipway.core.statistics.metrics import METRICS, Outcome
from slipway.core.tasks import Task
from slipway.errors import UsageError
from slipway.registry.artifacts.models import recorded_experiment, temporary_folder
from slipway.registry.evidence.bundle import EvidenceBundle
from slipway.registry.evidence.rescoring import SameRows, rows_of
from slipway.registry.ledger import EVIDENCE
from slipway.reports.board import AnswersCompared, VersionPage
from slipway.reports.card import CardDisagreement, ModelCard, read_card


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
    """

    task: Task
    classes: tuple[Any, ...]
    target: str
    challenger: Outcome
    champion: tuple[int, Outcome] | None
    rows: pd.DataFrame
    columns: Sequence[str]


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


def _answers(bundle: EvidenceBundle, rows: SameRows) -> JudgedAnswers:
    experiment, tested = rows.experiment, rows.tested
    data = experiment.data
    mask = rows_to_compare(bundle.unseen, bundle.challenger.truth, METRICS[experiment.search.metric])
    compared = np.ones(bundle.challenger.rows, dtype=bool) if mask is None else mask
    columns = dict.fromkeys(name for name in (data.id, data.time, *data.features) if name)
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
    )


_CARD = "model_card.json"
# Not there, or written by another Slipway: the page does without.
_UNREADABLE = (OSError, ValueError, MlflowException)
_KEPT, _KEPT_ANSWERS, _KEPT_FIGURES = 64, 8, 16
T = TypeVar("T")


class KeptComparison(Generic[T]):
    """A cache of the last `most` values by key. Each value is made once, even when many threads ask for it."""

    def __init__(self, most: int) -> None:
        self._most, self._made, self._lock = most, OrderedDict[str, T](), Lock()

    def get(self, key: str, make: Callable[[], T | None]) -> T | None:
        """Return the value of a key; `make` is called where there is none. None is not kept, since it may change."""
        with self._lock:
            made = self._made.get(key)
            if made is None:
                made = make()
            if made is not None:
                self._made[key] = made
                self._made.move_to_end(key)
                if len(self._made) > self._most:
                    self._made.popitem(last=False)
            return made


class Comparisons:
    """The cards, declarations, answers and figures that the board was asked for last."""

    def __init__(self, client: Callable[[], MlflowClient]) -> None:
        self._client = client
        self._cards = KeptComparison[ModelCard](_KEPT)
        self._declared = KeptComparison[Experiment](_KEPT)
        self._answers = KeptComparison[JudgedAnswers](_KEPT_ANSWERS)
        self._comparisons = KeptComparison[AnswersCompared](_KEPT)
        self._figures = KeptComparison[Mapping[str, bytes]](_KEPT_FIGURES)

    def shown_on(self, page: VersionPage, version_run: str, judged: Entry | None) -> VersionPage:
        """Return the page with the card of the version's run and the comparison of its last judgement."""
        beside = self._of(judged, version_run) if judged else None
        card = self._cards.get(version_run, lambda: self._card(version_run)) if version_run else None
        if card and beside:
            card = replace(card, disagreement=beside.disagreement)
        return replace(page, card=card, comparison=beside)

    def declared(self, version_run: str) -> Experiment | None:
        """Return the declaration that a version was trained with; None where it cannot be read."""
        return self._declared.get(version_run, lambda: self._read(version_run)) if version_run else None

    def figure(self, judged: Entry, version_run: str, name: str) -> bytes | None:
        """Return a figure of a comparison as PNG; all of its figures are drawn when the first is asked for."""
        answers = self._answers_of(judged, version_run)
        if answers is None:
            return None
        drawn = self._figures.get(judged.run_id, lambda: figures(answers)) or {}
        return drawn.get(name)

    def _of(self, judged: Entry, version_run: str) -> AnswersCompared | None:
        answers = self._answers_of(judged, version_run)
        return self._comparisons.get(judged.run_id, lambda: comparison(judged.run_id, answers)) if answers else None

    def _answers_of(self, judged: Entry, version_run: str) -> JudgedAnswers | None:
        return self._answers.get(judged.run_id, lambda: answers_of(self._client(), judged.run_id, version_run))

    def _card(self, run: str) -> ModelCard | None:
        with temporary_folder() as folder, suppress(*_UNREADABLE):
            path = downloaded(self._client(), run, _CARD, Path(folder) / "card")
            return read_card(path.read_text()) if path else None
        return None

    def _read(self, run: str) -> Experiment | None:
        with temporary_folder() as folder, suppress(*_UNREADABLE):
            return recorded_experiment(self._client(), run, Path(folder))
        return None


def comparison(key: str, answers: JudgedAnswers) -> AnswersCompared:
    """Return the comparison that a page shows of two models. key: part of the address of the figures."""
    shown = answers.task.traits.figures_beside
    names = tuple(name for name in shown if name != "calibration" or answers.challenger.probabilistic)
    version, other = answers.champion or (None, None)
    return AnswersCompared(key, answers.challenger.rows, version, names, _disagreement(answers, version, other))


def figures(answers: JudgedAnswers) -> Mapping[str, bytes]:
    """Draw the usual figures of the task as PNG, the champion in the place of a baseline."""
    # Imported here: matplotlib takes a second, and a page without figures need not wait for it.
    from slipway.reports.plots import evaluation_figures, png

    beside = {f"version {answers.champion[0]}": answers.champion[1]} if answers.champion else {}
    classes = [str(name) for name in answers.classes]
    drawn = evaluation_figures(answers.task, answers.challenger, classes, beside, target=answers.target)
    return {name: png(figure) for name, figure in drawn.items()}


def _disagreement(answers: JudgedAnswers, version: int | None, other: Outcome | None) -> CardDisagreement | None:
    if version is None or other is None:
        return None
    apart = disagreement(answers.task, answers.challenger, other)
    rows = disputed_rows(apart, answers.rows, answers.columns, answers.classes, answers.challenger, other)
    return CardDisagreement(version, apart.rate, apart.mean, apart.measured, other.rows, rows)
