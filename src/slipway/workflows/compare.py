"""`slipway compare`: two versions or two runs side by side, and both models on the same rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from slipway.core.gates import rows_to_compare
from slipway.core.release.changes import Changes, Ingredients, changes
from slipway.core.statistics.comparison import Comparison, OnSameRows, Side, better_by, measured
from slipway.core.statistics.disagreement import disagreement, disputed_rows
from slipway.core.statistics.metrics import METRICS
from slipway.errors import Refusal
from slipway.progress import step
from slipway.registry.absent import is_absent
from slipway.registry.artifacts.fetch import fetch_verified
from slipway.registry.artifacts.models import download, temporary_folder
from slipway.registry.evidence.rescoring import Rescored, SameRows, on_rows, rescore, rows_of, unseen
from slipway.registry.trust import drop_compiled_code
from slipway.reports.comparison import comparison_page, comparison_text
from slipway.settings import Settings
from slipway.workflows._sides import FoundSide, described, find_two
from slipway.workflows.project import trusted_types
from slipway.workflows.release.ingredients import record_of
from slipway.workflows.release.register import model_uri
from slipway.workflows.report import write_page
from slipway.workflows.session import open_client

# The kinds of runs inside of a search, which keep no model.
_A = {"trial": "a trial", "ensemble": "an ensemble in a search", "baseline": "a baseline"}


@dataclass(frozen=True)
class Compared:
    """A comparison, the path of its page, if a page was asked for, and what changed from the left side to the right one."""

    comparison: Comparison
    page: Path | None
    changes: Changes

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.comparison.as_dict(),
            "changes": self.changes.as_dict(),
            "page": str(self.page) if self.page else None,
        }

    def __str__(self) -> str:
        text = comparison_text(self.comparison, self.changes)
        return f"{text}\n\npage: {self.page}" if self.page else text


def compare(
    settings: Settings, name: str, left: str | None = None, right: str | None = None, page: Path | None = None
) -> Compared:
    """Compare two versions or runs of an experiment; by default the version in Production and the newest other one.

    Where both sides keep a model, both models are scored anew on those test rows of the newer side that the older model was not
    trained on.

    Args:
        settings: the tracking server and the types that are trusted.
        name: the experiment.
        left: a version's number, Production or Staging, or a run's id or the start of it.
        right: the other side, named likewise.
        page: the file to write an HTML page to; None for no page.

    Raises what `find_two` raises, and FileUnusable when the page cannot be written.
    """
    client = open_client(settings)
    found = find_two(client, name, left, right)
    sides = described(found, str(client.tracking_uri))
    why_not = _why_no_models(found, sides)
    anew = None
    if not why_not:
        try:
            anew = _on_same_rows(client, found, sides, trusted_types(settings, name))
        except Refusal as reason:
            why_not = str(reason)
    comparison = Comparison(name, *sides, anew, why_not)
    changed = changes(*(_ingredients(client, each) for each in found))
    if page:
        write_page(page, comparison_page(comparison, datetime.now(UTC), changed))
    return Compared(comparison, page, changed)


def _ingredients(client: MlflowClient, found: FoundSide) -> Ingredients:
    files = ""
    if found.version:
        with suppress(MlflowException):
            files = client.get_model_version_download_uri(found.version.name, str(found.version.number)) or ""
    return record_of(client, found.search, files).ingredients


def _why_no_models(found: tuple[FoundSide, FoundSide], sides: tuple[Side, Side]) -> str:
    """Say why the models cannot be scored anew; empty where they can."""
    reasons: dict[str, list[str]] = {}
    for each, side in zip(found, sides, strict=True):
        if reason := _why_no_model(each, side):
            reasons.setdefault(reason, []).append(side.label)
    return "; ".join(f"{' and '.join(labels)}: {reason}" for reason, labels in reasons.items())


def _why_no_model(found: FoundSide, side: Side) -> str:
    if found.kind in _A:
        return f"{_A[found.kind]} keeps no model, only the winner of a search is stored"
    if found.kind != "search":
        return "not made by `slipway run`, so no test rows were kept with it"
    if not found.version and side.status != "FINISHED":
        return f"the search ended {side.status}, before a model was stored"
    return ""


def _on_same_rows(
    client: MlflowClient, found: tuple[FoundSide, FoundSide], sides: tuple[Side, Side], trusted: Sequence[str]
) -> OnSameRows:
    """Score both models on test rows of the newer side. Raises Refusal when those rows are gone."""
    newer = 0 if sides[0].started > sides[1].started else 1
    with temporary_folder() as made, step(f"both models on the test rows of {sides[newer].label}"):
        folder = Path(made)
        whole = _rows(client, found[newer], sides[newer], folder / "newer")
        fresh = _fresh(client, found[1 - newer], sides, whole, folder / "older")
        rows, trained_on = _taken(whole, fresh)
        left, right = (_rescored(each, rows, trusted, folder / f"side {i}") for i, each in enumerate(found))
    labels = (sides[newer].label, sides[1 - newer].label)
    # One thread: the sums of a resample are too short to be shared, and wait for each other where cores are busy.
    with step(f"paired differences on {len(rows.tested.rows):,} rows"):
        return _compared(rows, sides, (left, right), labels, len(whole.tested.rows), trained_on)


def _fresh(
    client: MlflowClient, older: FoundSide, sides: tuple[Side, Side], rows: SameRows, folder: Path
) -> NDArray[np.bool_] | None:
    """Return a mask of the rows that the older model was not trained on; None where that is not known."""
    tests = [side.parts.get("test") for side in sides]
    if tests[0] is not None and tests[0] == tests[1]:
        return np.ones(len(rows.tested.rows), dtype=bool)
    try:
        older_rows = _rows(client, older, sides[0], folder)
    except Refusal:
        return None
    digests = [side.lineage.get("data_digest") for side in sides]
    return unseen(rows, older_rows, same_data=digests[0] is not None and digests[0] == digests[1])


def _taken(whole: SameRows, fresh: NDArray[np.bool_] | None) -> tuple[SameRows, int | None]:
    """Return the fresh rows if they are enough, else all rows; with them, how many are not fresh, None for not known."""
    if fresh is None:
        return whole, None
    metric = METRICS[whole.experiment.search.metric]
    if fresh.all() or rows_to_compare(fresh, whole.tested.truth, metric) is None:
        return whole, int((~fresh).sum())
    return on_rows(whole, whole.tested.rows[fresh]), 0


def _rows(client: MlflowClient, found: FoundSide, side: Side, folder: Path) -> SameRows:
    folder.mkdir()
    with _gone_as(f"the test rows of {side.label} are not with its run any more"):
        return rows_of(client, found.run_id, folder)


def _rescored(found: FoundSide, rows: SameRows, trusted: Sequence[str], folder: Path) -> Rescored:
    rescored = rescore(lambda: _fetch(found, folder), rows, trusted)
    outcome = rescored.outcome
    if outcome is not None and rows.experiment.task.is_classification and not (outcome.predicted >= 0).any():
        known = ", ".join(map(str, rows.tested.classes))
        return Rescored(None, rescored.inputs, rescored.outputs, f"it answers none of the classes of the rows: {known}")
    return rescored


def _fetch(found: FoundSide, folder: Path) -> Path:
    """Download the model of a side, without compiled code; the bytes of a version are verified."""
    with _gone_as("its model is not in MLflow any more"):
        if found.version:
            return fetch_verified(found.version, folder)
        files = download(model_uri(found.run), folder)
        drop_compiled_code(files)
        return files


@contextmanager
def _gone_as(message: str) -> Iterator[None]:
    """Raise Refusal with a message where an artifact of a run is not there; let other errors pass."""
    try:
        yield
    except FileNotFoundError as error:
        raise Refusal(message) from error
    except MlflowException as error:
        if not is_absent(error):
            raise
        raise Refusal(message) from error


def _compared(
    rows: SameRows,
    sides: tuple[Side, Side],
    rescored: tuple[Rescored, Rescored],
    labels: tuple[str, str],
    tested: int,
    trained_on: int | None,
) -> OnSameRows:
    """Return the comparison of both models on the rows.

    labels: those of the newer and of the older side. tested: how many test rows the newer side has.
    """
    experiment, classes = rows.experiment, rows.tested.classes
    left, right = (each.outcome for each in rescored)
    result = OnSameRows(
        *labels,
        tested=tested,
        rows=len(rows.tested.rows),
        task=experiment.task,
        metric=experiment.search.metric,
        trained_on=trained_on,
        columns=_columns(rows, rescored),
        positive=str(classes[-1]) if experiment.task.traits.has_positive else "",
        left=measured(experiment, left) if left else {},
        right=measured(experiment, right) if right else {},
        problems={side.label: each.problem for side, each in zip(sides, rescored, strict=True) if each.problem},
    )
    if left is None or right is None:
        return result
    apart = disagreement(experiment.task, left, right)
    disputed = disputed_rows(apart, rows.tested.rows, result.columns, classes, left, right)
    return replace(result, better_by=better_by(experiment, left, right), disagreement=apart, disputed=disputed)


def _columns(rows: SameRows, rescored: tuple[Rescored, Rescored]) -> tuple[str, ...]:
    """Return the columns that are shown of a row: id, time, features, and the inputs of either model."""
    data = rows.experiment.data
    names = [data.id, data.time, *data.features, *rescored[0].inputs, *rescored[1].inputs]
    return tuple(name for name in dict.fromkeys(names) if name and name in rows.tested.rows.columns)
