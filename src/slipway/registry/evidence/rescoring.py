"""Stored models scored anew, all on the same rows: the test rows that are kept with a run.

Nothing here relies on a number that was recorded before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from numpy.typing import NDArray

from slipway.core.gates import Fields
from slipway.core.prediction import predict, weighted
from slipway.core.spec import Experiment, GroupSplit, RandomSplit, TimeSplit
from slipway.core.statistics.metrics import Outcome
from slipway.errors import LibraryMissing, Refusal, UntrustedModel
from slipway.registry.artifacts.models import inputs_of, outputs_of, recorded_experiment
from slipway.registry.evidence import test_rows
from slipway.registry.trust import EVIDENCE_DIGEST, artifact_digest, load_trusted
from slipway.registry.versions import Version


@dataclass(frozen=True)
class SameRows:
    """The rows that every model is scored on.

    Attributes:
        experiment: as it was declared for the training of the run, not as the project declares it today.
        tested: the test rows of the run.
        code: the folder with the Python files of the experiment, as the run kept them; None where it kept none.
    """

    experiment: Experiment
    tested: test_rows.TestRows
    code: Path | None = None


@dataclass(frozen=True)
class Rescored:
    """A stored model's outcome on the rows, and the fields that it declares.

    Attributes:
        outcome: None when the model cannot be applied to the rows.
        inputs: the fields of its signature's inputs.
        outputs: the fields of its signature's outputs.
        problem: why there is no outcome; empty where there is.
    """

    outcome: Outcome | None
    inputs: Fields
    outputs: Fields
    problem: str = ""


def rows_of(client: MlflowClient, run_id: str, folder: Path) -> SameRows:
    """Download a run's test rows and its recorded experiment into a folder, and return them."""
    tested = Path(client.download_artifacts(run_id, test_rows.FOLDER, str(folder)))
    code = tested / test_rows.CODE
    return SameRows(
        recorded_experiment(client, run_id, folder), test_rows.load(tested), code if code.is_dir() else None
    )


def on_rows(rows: SameRows, frame: pd.DataFrame) -> SameRows:
    """Return the rows' experiment and classes with the rows of `frame`, and without baselines."""
    return replace(rows, tested=replace(rows.tested, rows=frame.reset_index(drop=True), baselines={}))


def unseen(rows: SameRows, by: SameRows, *, same_data: bool) -> NDArray[np.bool_] | None:
    """Return which of the rows another run was not trained on: (rows,), or None where that cannot be known.

    A run with a split by time was trained on all rows older than its test rows. Any other run on the same data was trained on
    all rows that are not among its test rows. Where the rows have a split by time, a run
    with a random split of other data counts as trained on no row that is later than all of its test rows.
    Where the rows have a split by group, the other run also knows each row that shares a group with one of its training rows.
    Where they have a split by time, it also knows each row that is not later than the last of its training rows.

    Args:
        rows: the rows in question.
        by: the test rows of the other run.
        same_data: whether both runs read the same data.
    """
    fresh = _not_trained_on(rows, by, same_data)
    if fresh is None or fresh.all():
        return fresh
    tested, split, time = rows.tested.rows, rows.experiment.split, rows.experiment.data.time
    known = np.zeros(len(tested), dtype=bool)
    if isinstance(split, GroupSplit) and split.group in tested:
        known |= tested[split.group].isin(tested.loc[~fresh, split.group])
    elif isinstance(split, TimeSplit) and time in tested:
        known |= tested[time] <= tested.loc[~fresh, time].max()
    return fresh & ~known


def score(files: Path, on: SameRows, trusted: Sequence[str]) -> Outcome:
    """Load a downloaded model and return its outcome on the rows.

    Args:
        files: the folder of the model.
        on: the rows.
        trusted: types beside Slipway's own list that the model may hold.

    Raises UntrustedModel, and KeyError, ValueError or TypeError when its columns or classes are not those of the rows.
    """
    model = load_trusted(files, trusted)
    rows = on.tested.rows[list(inputs_of(files))]
    answers = predict(model, rows, on.tested.truth, on.experiment.task, on.tested.classes)
    return weighted(answers, on.tested.rows, on.experiment.data)


def rescore(fetch: Callable[[], Path], on: SameRows, trusted: Sequence[str]) -> Rescored:
    """Score a model that may not fit the rows, not be trusted, or need a library that is not here.

    The result then says why, and nothing is raised.

    Args:
        fetch: downloads the model's files and returns their folder; may raise a Refusal.
        on: the rows.
        trusted: types beside Slipway's own list that the model may hold.
    """
    inputs: Fields = {}
    outputs: Fields = {}
    try:
        files = fetch()
        inputs, outputs = inputs_of(files), outputs_of(files)
        return Rescored(score(files, on, trusted), inputs, outputs)
    except (Refusal, LibraryMissing) as error:
        problem = str(error)
    except (
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:  # other columns, or an older library
        message = next(iter(str(error).splitlines()), "no message")
        problem = f"it cannot be applied to the test rows ({type(error).__name__}: {message})"
    return Rescored(None, inputs, outputs, problem)


def _not_trained_on(rows: SameRows, by: SameRows, same_data: bool) -> NDArray[np.bool_] | None:
    """Return which of the rows another run was not trained on, groups and times left aside; None where that cannot be known."""
    ours, theirs = rows.tested.rows, by.tested.rows
    if isinstance(by.experiment.split, TimeSplit) and (time := by.experiment.data.time) in ours and time in theirs:
        return np.asarray(ours[time] >= theirs[time].min())
    if same_data:
        columns = sorted(set(ours.columns) & set(theirs.columns))
        hashed = [pd.util.hash_pandas_object(each[columns], index=False) for each in (ours, theirs)]
        return hashed[0].isin(hashed[1]).to_numpy()
    splits = rows.experiment.split, by.experiment.split
    by_time_and_at_random = isinstance(splits[0], TimeSplit) and isinstance(splits[1], RandomSplit)
    if by_time_and_at_random and (time := rows.experiment.data.time) in ours and time in theirs:
        # Test rows drawn at random reach as far in time as the training rows; those of a few groups may all lie before these.
        return np.asarray(ours[time] > theirs[time].max())
    return None


def verified_rows(client: MlflowClient, version: Version, folder: Path) -> tuple[SameRows, str]:
    """Download a version's recorded experiment and test rows, and return them with their digest.

    Raises UntrustedModel when they are not those that were registered, or when none were.
    """
    registered = version.tags.get(EVIDENCE_DIGEST)
    if registered is None:
        raise UntrustedModel(
            f"{version.name} version {version.number} was registered without the rows that it was tested on, so no gate can "
            f"judge it; train a version with `slipway run {version.name}`"
        )
    kept = folder / "kept"
    kept.mkdir()
    rows = rows_of(client, version.run_id, kept)
    digest = artifact_digest(kept)
    if registered != digest:
        raise UntrustedModel(
            f"what {version.name} version {version.number} was tested on is not what was registered with it; "
            f"train a new version with `slipway run {version.name}`"
        )
    return rows, digest
