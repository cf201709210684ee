"""A cache of what the board's page of a version reads from runs and judgements: records, answers, figures."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from slipway.core.release.decision import MeasuredDifference
from slipway.core.release.ledger import Entry
from slipway.registry.versions import Version
from slipway.reports.board import AnswersCompared, VersionPage
from slipway.workflows.board.answers import JudgedAnswers, answers_of, comparison, figures
from slipway.workflows.board.direct import direct_difference
from slipway.workflows.release.ingredients import VersionRecord, record_of

_KEPT, _KEPT_ANSWERS, _KEPT_FIGURES = 64, 8, 16
T = TypeVar("T")


class KeptComparison(Generic[T]):
    """A cache of the last `most` values by key. Each value is made once, even when many threads ask for it."""

    def __init__(self, most: int) -> None:
        self._most, self._made, self._lock = most, OrderedDict[str, T](), Lock()

    def get(self, key: str, make: Callable[[], T | None], keep: Callable[[T], bool] = lambda _: True) -> T | None:
        """Return the value of a key; `make` is called where there is none. None is not kept, since it may change.

        keep: says of a value that was made whether it is kept.
        """
        with self._lock:
            made = self._made.get(key)
            if made is None:
                made = make()
            if made is not None and keep(made):
                self._made[key] = made
                self._made.move_to_end(key)
                if len(self._made) > self._most:
                    self._made.popitem(last=False)
            return made


class JudgedVersion(NamedTuple):
    """The run of a ledger's entry that keeps the evidence of a version, and the run of that version."""

    entry_run: str
    version_run: str


class Comparisons:
    """The records, declarations, answers and figures that the board was asked for last."""

    def __init__(self, client: Callable[[], MlflowClient]) -> None:
        self._client = client
        self._records = KeptComparison[VersionRecord](_KEPT)
        self._answers = KeptComparison[JudgedAnswers](_KEPT_ANSWERS)
        self._comparisons = KeptComparison[AnswersCompared](_KEPT)
        self._direct = KeptComparison[MeasuredDifference](_KEPT)
        self._figures = KeptComparison[Mapping[str, bytes]](_KEPT_FIGURES)

    def shown_on(self, page: VersionPage, version_run: str, judged: Entry | None) -> VersionPage:
        """Return the page with the comparison of its last judgement, and with the disagreement in its card."""
        answers = self._of(judged, version_run) if judged else None
        card = replace(page.card, disagreement=answers.disagreement) if page.card and answers else page.card
        return replace(page, card=card, comparison=answers)

    def record(self, run: Run | None, version: Version) -> VersionRecord | None:
        """Return what is recorded of a version and of its run; None without a run."""
        if run is None:
            return None
        # Not by the source, which lists of versions leave out.
        key = f"{version.name} {version.number} {run.info.run_id}"
        # Without a card a store may have failed: the next visitor reads it again.
        return self._records.get(key, lambda: self._record(run, version), lambda made: made.card is not None)

    def figure(self, judged: Entry, version_run: str, name: str) -> bytes | None:
        """Return a figure of a comparison as PNG; all of its figures are drawn when the first is asked for."""
        answers = self._answers_of(judged.run_id, version_run)
        if answers is None:
            return None
        drawn = self._figures.get(judged.run_id, lambda: figures(answers)) or {}
        return drawn.get(name)

    def direct(self, ours: "JudgedVersion", theirs: "JudgedVersion") -> MeasuredDifference | None:
        """Return by how much one version is better than another on the same rows; None where their rows differ."""
        one, other = (self._answers_of(each.entry_run, each.version_run) for each in (ours, theirs))
        if one is None or other is None:
            return None
        return self._direct.get(f"{ours.entry_run} {theirs.entry_run}", lambda: direct_difference(one, other))

    def _of(self, judged: Entry, version_run: str) -> AnswersCompared | None:
        answers = self._answers_of(judged.run_id, version_run)
        return self._comparisons.get(judged.run_id, lambda: comparison(judged.run_id, answers)) if answers else None

    def _answers_of(self, entry_run: str, version_run: str) -> JudgedAnswers | None:
        return self._answers.get(entry_run, lambda: answers_of(self._client(), entry_run, version_run))

    def _record(self, run: Run, version: Version) -> VersionRecord:
        client, files = self._client(), ""
        with suppress(MlflowException):
            files = client.get_model_version_download_uri(version.name, str(version.number)) or ""
        return record_of(client, run, files)
